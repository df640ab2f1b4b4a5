package cli

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/queryapi"
	"github.com/promwire/promwire/cmd/promwire/internal/tenants"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
	"github.com/promwire/promwire/remote"
)

const metricsDoc = "../../../../docs/metrics.md"

// TestMetricsDocumented holds docs/metrics.md against what a server, a gateway, and a server of tenants export: names, types, labels and help.
// PROMWIRE_UPDATE_DOCS=1 writes the tables.
func TestMetricsDocumented(t *testing.T) {
	holdTable(t, "table", table(t, usedServer(t).own.registry))
	holdTable(t, "gateway", table(t, usedGateway(t)))
	set, err := tenants.Open(t.TempDir(), 1, tsdbstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ofSet := prometheus.NewRegistry()
	ofSet.MustRegister(set.Metrics())
	holdTable(t, "tenants", table(t, ofSet))
}

// holdTable holds a table of the document against what it should be.
func holdTable(t *testing.T, name, want string) {
	t.Helper()
	doc, err := os.ReadFile(metricsDoc)
	if err != nil {
		t.Fatal(err)
	}
	const to = "<!-- end -->"
	from, want := "<!-- "+name+" -->\n", "\n"+want+"\n"
	before, rest, ok := strings.Cut(string(doc), from)
	listed, after, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		t.Fatalf("%s has no table", metricsDoc)
	}
	if listed == want {
		return
	}
	if os.Getenv("PROMWIRE_UPDATE_DOCS") != "" {
		if err := os.WriteFile(metricsDoc, []byte(before+from+want+to+after), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s differs from what is exported; PROMWIRE_UPDATE_DOCS=1 writes it:\n%s", metricsDoc, difference(listed, want))
}

// usedGateway returns what only a gateway exports.
func usedGateway(t *testing.T) prometheus.Gatherer {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	f := serveFlags{data: t.TempDir(), query: defaultQueryFlags()}
	f.upstream.upstream, f.upstream.spoolSize = "prometheus=http://127.0.0.1:9", 1<<30
	if err := f.upstream.preflight.Set("prometheus"); err != nil {
		t.Fatal(err)
	}
	c, err := f.upstream.settings(&f, logger)
	if err != nil {
		t.Fatal(err)
	}
	_, g, err := f.upstream.open(f.data, c, newOwnMetrics(logger))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.End(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return textGatherer(g.WriteMetrics)
}

// difference returns the lines that only one of both has.
func difference(a, b string) string {
	var out strings.Builder
	for _, side := range []struct{ sign, lines, others string }{{"-", a, b}, {"+", b, a}} {
		for line := range strings.Lines(side.lines) {
			if !strings.Contains(side.others, line) {
				out.WriteString(side.sign + line)
			}
		}
	}
	return out.String()
}

// usedServer returns a server that has done some of everything, so that its metrics are there.
func usedServer(t *testing.T) *httpServer {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	store, err := tsdbstore.Open(t.TempDir(), tsdbstore.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	srv, err := listen(t.Context(), "127.0.0.1:0", &webConfig{}, logger)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.stop() })
	srv.ready(store, queryapi.Options{}, adminFlags{})
	client, err := remote.NewWriteClient(srv.writeURL())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	series := func(at time.Time) promwire.TimeSeries {
		return promwire.TimeSeries{
			Labels:  promwire.LabelsFromStrings("__name__", "m"),
			Samples: []promwire.Sample{{Timestamp: at.UnixMilli(), Value: 1}},
		}
	}
	req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{series(now), series(now.Add(24 * time.Hour))}}
	if stats, err := client.Write(t.Context(), req); err == nil || stats.Samples != 1 {
		t.Fatalf("%+v, %v: want one refused sample", stats, err)
	}
	w := httptest.NewRecorder()
	if srv.ServeHTTP(w, httptest.NewRequest(http.MethodGet, queryapi.Prefix+"labels", nil)); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return srv
}

// table lists the metrics of a registry.
func table(t *testing.T, g prometheus.Gatherer) string {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	rows := []string{}
	for _, f := range families {
		name := f.GetName()
		if strings.HasPrefix(name, "go_") || strings.HasPrefix(name, "process_") {
			continue // they depend on Go and on the system
		}
		help := strings.ReplaceAll(strings.Join(strings.Fields(f.GetHelp()), " "), "|", "\\|")
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s | %s |\n", name, strings.ToLower(f.GetType().String()), labelNames(f), help))
	}
	slices.Sort(rows)
	return "| metric | type | labels | meaning |\n|---|---|---|---|\n" + strings.Join(rows, "")
}

func labelNames(f *dto.MetricFamily) string {
	names := map[string]bool{}
	for _, m := range f.Metric {
		for _, l := range m.Label {
			names["`"+l.GetName()+"`"] = true
		}
	}
	all := []string{}
	for name := range names {
		all = append(all, name)
	}
	slices.Sort(all)
	return cmp.Or(strings.Join(all, ", "), "-")
}

// TestMetricsDescribed demands that what is described beforehand is in the list too, used or not.
func TestMetricsDescribed(t *testing.T) {
	doc, err := os.ReadFile(metricsDoc)
	if err != nil {
		t.Fatal(err)
	}
	ch := make(chan *prometheus.Desc, 100)
	go func() { newOwnMetrics(slog.New(slog.DiscardHandler)).registry.Describe(ch); close(ch) }()
	name := regexp.MustCompile(`fqName: "([^"]+)"`)
	n := 0
	for d := range ch {
		m := name.FindStringSubmatch(d.String())
		if strings.HasPrefix(m[1], "go_") || strings.HasPrefix(m[1], "process_") {
			continue
		}
		n++
		if !strings.Contains(string(doc), "`"+m[1]+"`") {
			t.Errorf("%s is not in docs/metrics.md", m[1])
		}
	}
	if n < 5 {
		t.Errorf("only %d metrics are described", n)
	}
}

// TestMetricsBeforeReady gets the page of a server without a store.
func TestMetricsBeforeReady(t *testing.T) {
	srv, err := listen(t.Context(), "127.0.0.1:0", &webConfig{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer srv.stop()
	for path, want := range map[string]int{metricsPath: 200, healthyPath: 200, readyPath: 503} {
		resp, err := http.Get(srv.url + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
}
