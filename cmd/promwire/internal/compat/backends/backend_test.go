package backends

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/promwire/promwire/cmd/promwire/internal/compat/proc"
)

// backend is a kind of server, and how to run one and ask it.
type backend struct {
	program string
	title   string
	run     func(t *testing.T, p proc.Program) *instance
	// speaksV2 says whether it stores Remote Write 2.0.
	speaksV2 func(version string) bool
	// keeps says what of the data it can hold.
	keeps keeps
}

// keeps says how a server holds values that are not plain numbers.
type keeps struct {
	infinity  bool
	histogram string // "native", "buckets" (turned into series of buckets), or "" (dropped)
}

// instance is a running server.
type instance struct {
	write string // the URL to write to
	api   string // what /api/v1/query is appended to, of those that promwire serve --upstream knows
	// process is the server, where it is one; restart runs it again, with its data and at its address.
	process *proc.Process
	restart func(t *testing.T)
	// query returns what is stored of the series with this label.
	query func(t *testing.T, name, value string) []stored
}

// start runs a server that has one process, and waits until it is ready.
func (in *instance) start(t *testing.T, p proc.Program, dir, ready string, args ...string) {
	t.Helper()
	in.restart = func(t *testing.T) {
		t.Helper()
		in.process = proc.Start(t, p, dir, args...)
		in.process.Await(t, func() string { return in.api + ready })
	}
	in.restart(t)
}

func never(string) bool  { return false }
func always(string) bool { return true }

// found is a server to test.
type found struct {
	backend
	proc.Program
}

func (f found) String() string { return f.title + " " + f.Version }

// each runs a test with every server there is, or with those of some programs only.
func each(t *testing.T, test func(t *testing.T, f found), only ...string) {
	t.Helper()
	for _, b := range backends() {
		if len(only) > 0 && !slices.Contains(only, b.program) {
			continue
		}
		t.Run(b.program, func(t *testing.T) {
			t.Parallel()
			for _, p := range proc.Must(t, b.program) {
				f := found{b, p}
				f.keeps = keepsOf(b, p.Version)
				t.Run(p.Version, func(t *testing.T) {
					t.Parallel()
					test(t, f)
				})
			}
		})
	}
}

// keepsOf is what a version keeps, where versions differ.
func keepsOf(b backend, version string) keeps {
	k := b.keeps
	if b.program == "victoria-metrics" && version == "1.79.5" {
		k.histogram = ""
	}
	return k
}

func backends() []backend {
	return []backend{
		{
			program: "prometheus", title: "Prometheus", run: runPrometheus, keeps: keeps{infinity: true, histogram: "native"},
			speaksV2: func(version string) bool { return !strings.HasPrefix(version, "2.") },
		},
		{
			program: "victoria-metrics", title: "VictoriaMetrics", run: runVictoriaMetrics, speaksV2: never,
			keeps: keeps{infinity: true, histogram: "buckets"},
		},
		{program: "influxd", title: "InfluxDB", run: runInfluxDB, speaksV2: never},
		{program: "mimir", title: "Mimir", run: runMimir, speaksV2: always, keeps: keeps{infinity: true, histogram: "native"}},
		{program: "cortex", title: "Cortex", run: runCortex, speaksV2: always, keeps: keeps{infinity: true, histogram: "native"}},
		{program: "thanos", title: "Thanos", run: runThanos, speaksV2: never, keeps: keeps{infinity: true, histogram: "native"}},
	}
}

func runPrometheus(t *testing.T, p proc.Program) *instance {
	return runPrometheusWith(t, p, "global: {}\n")
}

func runPrometheusWith(t *testing.T, p proc.Program, config string) *instance {
	t.Helper()
	dir, address := t.TempDir(), proc.FreePorts(t, 1)[0]
	file := filepath.Join(dir, "prometheus.yml")
	write(t, file, config)
	features := "exemplar-storage"
	if strings.HasPrefix(p.Version, "2.") {
		features += ",native-histograms"
	}
	in := &instance{write: "http://" + address + "/api/v1/write", api: "http://" + address, query: prometheusAPI("http://" + address).query}
	in.start(t, p, dir, "/-/ready", "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--web.enable-remote-write-receiver", "--enable-feature="+features)
	return in
}

func runVictoriaMetrics(t *testing.T, p proc.Program) *instance {
	dir, address := t.TempDir(), proc.FreePorts(t, 1)[0]
	url := "http://" + address
	in := &instance{write: url + "/api/v1/write", api: url, query: victoriaAPI(url).query}
	in.start(t, p, dir, "/health", "-storageDataPath="+filepath.Join(dir, "data"), "-httpListenAddr="+address,
		"-search.latencyOffset=1ms", "-search.disableCache", "-retentionPeriod=100y")
	return in
}

func runInfluxDB(t *testing.T, p proc.Program) *instance {
	dir, addresses := t.TempDir(), proc.FreePorts(t, 2)
	file := filepath.Join(dir, "influxdb.conf")
	write(t, file, fmt.Sprintf(`reporting-disabled = true
bind-address = %q
[meta]
  dir = %q
[data]
  dir = %q
  wal-dir = %q
[http]
  bind-address = %q
[monitor]
  store-enabled = false
`, addresses[0], dir+"/meta", dir+"/data", dir+"/wal", addresses[1]))
	url := "http://" + addresses[1]
	s := proc.Start(t, p, dir, "run", "-config", file)
	s.Await(t, func() string { return url + "/ping" })
	proc.WaitFor(t, "database", func() bool { // it answers before it can make one
		resp, err := http.Post(url+"/query?q=CREATE+DATABASE+prom", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return strings.Contains(string(get(t, url+"/query?q=SHOW+DATABASES")), `"prom"`)
	})
	return &instance{write: url + "/api/v1/prom/write?db=prom", query: influxAPI(url).query}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
