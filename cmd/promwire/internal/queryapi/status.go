package queryapi

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/prometheus/prometheus/rules"
	v1 "github.com/prometheus/prometheus/web/api/v1"

	"github.com/promwire/promwire"
)

const library = "github.com/prometheus/prometheus"

// apiVersion is the version of Prometheus whose API this is; clients such as Grafana decide by it what they ask for. The
// library's versions are 0.315.0 for 3.15.0.
func apiVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return fallbackVersion
	}
	for _, d := range info.Deps {
		if d.Path == library {
			return serverVersion(d.Version)
		}
	}
	return fallbackVersion
}

// fallbackVersion is for binaries that do not know what they were built of, such as tests.
const fallbackVersion = "3.15.0"

func serverVersion(library string) string {
	var major, minor, patch int
	if _, err := fmt.Sscanf(strings.TrimPrefix(library, "v"), "0.%1d%2d.%d", &major, &minor, &patch); err != nil {
		return fallbackVersion
	}
	return fmt.Sprintf("%d.%d.%d", major, minor, patch)
}

// buildInfo says which API this is, and whose: the branch names promwire and its version.
func buildInfo() *v1.PrometheusVersion {
	return &v1.PrometheusVersion{
		Version: apiVersion(), Branch: "promwire-" + promwire.Version, Revision: revision(), GoVersion: runtime.Version(),
	}
}

func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}

// runtimeInfo returns what status/runtimeinfo shows. There is no configuration to reload: it is as old as the process.
func runtimeInfo(retention string, damages func() int64) func() (v1.RuntimeInfo, error) {
	start := time.Now().UTC()
	return func() (v1.RuntimeInfo, error) {
		host, err := os.Hostname()
		if err != nil {
			return v1.RuntimeInfo{}, err
		}
		dir, err := os.Getwd()
		if err != nil {
			dir = cmp.Or(dir, "<error retrieving current working directory>")
		}
		return v1.RuntimeInfo{
			StartTime: start, CWD: dir, Hostname: host, ServerTime: time.Now().UTC(),
			ReloadConfigSuccess: true, LastConfigTime: start.Truncate(time.Second), CorruptionCount: damages(),
			GoroutineCount: runtime.NumGoroutine(), GOMAXPROCS: runtime.GOMAXPROCS(0), GOMEMLIMIT: debug.SetMemoryLimit(-1),
			GOGC: os.Getenv("GOGC"), GODEBUG: os.Getenv("GODEBUG"), StorageRetention: retention,
		}, nil
	}
}

// noRules is the RulesRetriever of the API: Grafana asks for rules of every data source.
type noRules struct{}

func (noRules) RuleGroups() []*rules.Group           { return nil }
func (noRules) AlertingRules() []*rules.AlertingRule { return nil }
