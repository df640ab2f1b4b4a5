package queryapi

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/units"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/rules"
	v1 "github.com/prometheus/prometheus/web/api/v1"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
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

// started is about when the process was.
var started = time.Now()

// runtimeInfo returns what status/runtimeinfo shows.
func runtimeInfo(store *tsdbstore.Store, lastReload func() (time.Time, bool)) func() (v1.RuntimeInfo, error) {
	return func() (v1.RuntimeInfo, error) {
		configured, ok := lastReload()
		host, err := os.Hostname()
		if err != nil {
			return v1.RuntimeInfo{}, err
		}
		dir, err := os.Getwd()
		if err != nil {
			dir = cmp.Or(dir, "<error retrieving current working directory>")
		}
		return v1.RuntimeInfo{
			StartTime: started.UTC(), CWD: dir, Hostname: host, ServerTime: time.Now().UTC(),
			ReloadConfigSuccess: ok, LastConfigTime: configured.UTC().Truncate(time.Second), CorruptionCount: store.Queryable().Damages(),
			GoroutineCount: runtime.NumGoroutine(), GOMAXPROCS: runtime.GOMAXPROCS(0), GOMEMLIMIT: debug.SetMemoryLimit(-1),
			GOGC: gogc(), GODEBUG: os.Getenv("GODEBUG"), StorageRetention: retention(store.Options()),
		}, nil
	}
}

// gogc is how much garbage there may be before it is collected, in percent of what is in use.
func gogc() string {
	s := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindUint64 {
		return os.Getenv("GOGC")
	}
	return strconv.Itoa(int(int32(s[0].Value.Uint64()))) // -1 is off
}

// retention is how long samples are kept, in the words of Prometheus' status page: "15d or 50GiB"; "" for ever.
func retention(o tsdbstore.Options) string {
	var bounds []string
	if o.Retention > 0 {
		bounds = append(bounds, model.Duration(o.Retention).String())
	}
	if o.RetentionBytes > 0 {
		bounds = append(bounds, units.Base2Bytes(o.RetentionBytes).String())
	}
	return strings.Join(bounds, " or ")
}

// answerConfig answers status/config: the settings in effect, as a file for --config of promwire serve. The API itself would list all
// of Prometheus' sections.
func answerConfig(w http.ResponseWriter, o tsdbstore.Options) {
	text := fmt.Sprintf("storage:\n  tsdb:\n    out_of_order_time_window: %s\n    retention:\n      time: %s\n      size: %s\n  exemplars:\n    max_exemplars: %d\n",
		model.Duration(o.OutOfOrderWindow), model.Duration(o.Retention), units.Base2Bytes(o.RetentionBytes), o.MaxExemplars)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": map[string]string{"yaml": text}}) // the client may be gone
}

// noRules is the RulesRetriever of the API: Grafana asks for rules of every data source.
type noRules struct{}

func (noRules) RuleGroups() []*rules.Group           { return nil }
func (noRules) AlertingRules() []*rules.AlertingRule { return nil }
