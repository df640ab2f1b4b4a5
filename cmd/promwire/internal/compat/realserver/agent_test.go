package realserver

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/agent"
	"github.com/promwire/promwire/cmd/promwire/internal/exposition"
	"github.com/promwire/promwire/cmd/promwire/internal/scrape"
	"github.com/promwire/promwire/remote"
)

// exposed is a target that serves the same in each format, by path.
type exposed struct {
	*httptest.Server
	stage atomic.Int32 // 0: everything, 1: one series, 2: errors
	all   map[string][]byte
}

var exposedFormats = map[string]expfmt.FormatType{"text": expfmt.TypeTextPlain, "openmetrics": expfmt.TypeOpenMetrics, "protobuf": expfmt.TypeProtoDelim}

func newExposed(t *testing.T, g prometheus.Gatherer) *exposed {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	e := &exposed{all: map[string][]byte{}}
	for name, format := range exposedFormats {
		var b bytes.Buffer
		enc := expfmt.NewEncoder(&b, expfmt.NewFormat(format))
		for _, f := range families {
			if err := enc.Encode(f); err != nil {
				t.Fatal(err)
			}
		}
		if c, ok := enc.(expfmt.Closer); ok {
			_ = c.Close()
		}
		e.all[name] = b.Bytes()
	}
	e.Server = httptest.NewServer(e)
	t.Cleanup(e.Close)
	return e
}

func (e *exposed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	switch e.stage.Load() {
	case 0:
		w.Header().Set("Content-Type", string(expfmt.NewFormat(exposedFormats[name])))
		_, _ = w.Write(e.all[name])
	case 1:
		w.Header().Set("Content-Type", string(expfmt.NewFormat(expfmt.TypeTextPlain)))
		_, _ = w.Write([]byte("only_left 1\n"))
	default:
		w.WriteHeader(http.StatusInternalServerError)
	}
}

func (e *exposed) address() string { return strings.TrimPrefix(e.URL, "http://") }

// config has a server scrape all formats.
func (e *exposed) config(p program) string {
	var b strings.Builder
	b.WriteString("global: {scrape_interval: 200ms, scrape_timeout: 200ms}\nscrape_configs:\n")
	for name := range exposedFormats {
		fmt.Fprintf(&b, "  - job_name: scraped_%s\n    metrics_path: /%s\n    static_configs: [{targets: ['%s'], labels: {job: scraped, format: %s}}]\n",
			name, name, e.address(), name)
		if p.major >= 3 {
			b.WriteString("    scrape_native_histograms: true\n    always_scrape_classic_histograms: true\n")
		}
	}
	return b.String()
}

// scrapeToo runs an agent that scrapes all formats, until the test ends.
func (e *exposed) scrapeToo(t *testing.T, p program, w promwire.Writer) {
	t.Helper()
	var targets []scrape.Target
	for name := range exposedFormats {
		targets = append(targets, scrape.Target{
			URL:      e.URL + "/" + name,
			Labels:   promwire.LabelsFromStrings("job", "pushed", "format", name, "instance", e.address()),
			Interval: 200 * time.Millisecond, Timeout: 200 * time.Millisecond,
		})
	}
	a, err := agent.New(agent.Config{
		Jobs: []*scrape.Job{{
			Name: "pushed", Client: &http.Client{}, Find: func() ([]scrape.Target, error) { return targets, nil },
			Formats: exposition.Options{OnlyNative: p.major < 3}, // as the first release has it
		}},
		Outlets: []agent.Outlet{{Name: "server", Writer: w, Options: remote.QueueOptions{}}},
		Logger:  slog.New(slog.DiscardHandler), BatchSamples: 2000, BatchDeadline: -1, ShutdownTimeout: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		a.Run(ctx)
		close(done)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}

// TestAgentAndServerScrape has a server scrape a target, and an agent that writes to the server, and compares what is
// stored, series by series: values, histograms, exemplars, and which series end when the target changes and fails.
func TestAgentAndServerScrape(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		for _, m := range modes(p) {
			t.Run(m.name, func(t *testing.T) {
				e := newExposed(t, registryKinds(t))
				s := start(t, p, e.config(p), p.features()...)
				e.scrapeToo(t, p, writeClient(t, s.writeURL(), m.opts...))
				// A series whose samples have a time of their own gets no marker from either.
				count := func(job string) float64 {
					n := 0.0
					for _, x := range s.query(t, `count({job="`+job+`",__name__!~"up|scrape_.+|own_time"})`, time.Now().UnixMilli()) {
						n += x.Samples[0].Value
					}
					return n
				}
				waitFor(t, "as many series of both", func() bool { return count("scraped") >= 60 && count("scraped") == count("pushed") })
				compareScraped(t, s, p, m.message)
				e.stage.Store(1)
				waitFor(t, "end of all series but one", func() bool { return count("scraped") == 3 && count("pushed") == 3 })
				e.stage.Store(2)
				waitFor(t, "end of all series", func() bool { return count("scraped") == 0 && count("pushed") == 0 })
				for _, job := range []string{"scraped", "pushed"} {
					if up := s.query(t, `sum(up{job="`+job+`"})`, time.Now().UnixMilli()); len(up) != 1 || up[0].Samples[0].Value != 0 {
						t.Errorf("up of %s: %v", job, up)
					}
				}
			})
		}
	})
}

// compareScraped compares the newest values, histograms and exemplars of both jobs, and how their scrapes went.
func compareScraped(t *testing.T, s *instance, p program, message promwire.MessageType) {
	t.Helper()
	now := time.Now().UnixMilli()
	const all = `__name__!~"scrape_duration_seconds|scrape_series_added"` // they differ by nature
	want := jobSeries(canonical(s.query(t, `{job="scraped",`+all+`}`, now)))
	got := jobSeries(canonical(s.query(t, `{job="pushed",`+all+`}`, now)))
	for name, w := range want {
		if g, found := got[name]; !found || g != w {
			t.Errorf("%s: pushed %s, scraped %s", name, g, w)
		}
	}
	for name := range got {
		if _, found := want[name]; !found {
			t.Errorf("%s: pushed, and not scraped", name)
		}
	}
	wantExemplars := jobExemplars(s.exemplars(t, `{job="scraped"}`, now-60_000, now))
	gotExemplars := jobExemplars(s.exemplars(t, `{job="pushed"}`, now-60_000, now))
	for name := range wantExemplars { // see checkExemplars: a receiver of 1.0 drops them
		if message == promwire.WriteV1 && strings.Contains(name, `format="protobuf"`) && strings.HasPrefix(name, "h_") {
			delete(wantExemplars, name)
			delete(gotExemplars, name)
		}
	}
	if len(wantExemplars) < 3 || fmt.Sprint(gotExemplars) != fmt.Sprint(wantExemplars) {
		t.Errorf("prometheus %s: pushed exemplars\n%v, scraped\n%v", p.version, gotExemplars, wantExemplars)
	}
}

// canonical writes bounds as Prometheus 3 does: 2.42 keeps those of a text as they are.
func canonical(all []series) []series {
	for _, s := range all {
		for i, l := range s.Labels {
			if l.Name != "le" && l.Name != "quantile" {
				continue
			}
			if v, err := strconv.ParseFloat(l.Value, 64); err == nil {
				s.Labels[i].Value = promwire.FormatLe(v)
			}
		}
	}
	return all
}
