package realserver

import (
	"fmt"
	"math"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/adapter/clientgolang"
)

// registryConfig scrapes a target, keeping all that it has to offer. The first release has no such settings: it keeps
// the native form of histograms that have one.
func registryConfig(p program, target string) string {
	config := "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\nscrape_configs:\n" +
		"  - job_name: scraped\n    static_configs: [{targets: ['" + target + "']}]\n"
	if p.major >= 3 {
		config += "    scrape_protocols: [PrometheusProto]\n    scrape_native_histograms: true\n    always_scrape_classic_histograms: true\n"
	}
	return config
}

// registryKinds gathers a registry with every kind of metric once, so that scrape and push see the same. Names are legacy
// ones: a scrape over protobuf escapes the others, which a push sends as they are.
func registryKinds(t *testing.T) prometheus.Gatherer {
	t.Helper()
	reg := prometheus.NewRegistry()
	traced := prometheus.Labels{"trace_id": "t1"}
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "c_total", Help: "Counts."}, []string{"z", "Path"})
	counter.WithLabelValues("", "/\"\\\n").(prometheus.ExemplarAdder).AddWithExemplar(3.5, traced)
	counter.WithLabelValues("ü", "b").Add(1e20)
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "g"})
	gauge.Set(math.Inf(-1))
	untyped := prometheus.NewUntypedFunc(prometheus.UntypedOpts{Name: "u"}, math.NaN)
	summary := prometheus.NewSummary(prometheus.SummaryOpts{Name: "s", Objectives: map[float64]float64{0.5: 0.05, 1: 0}})
	classic := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h_classic", Buckets: []float64{-1, 0, 0.005, 1, 2.5, 1e6}})
	native := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h_native", NativeHistogramBucketFactor: 1.1})
	both := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h_both", Buckets: []float64{1, 10}, NativeHistogramBucketFactor: 2})
	for i, v := range []float64{0.001, 0.3, 1, 2.5, 7, 100, -3, 0} {
		for _, o := range []prometheus.Observer{classic, native, both} {
			if i%4 == 1 {
				o.(prometheus.ExemplarObserver).ObserveWithExemplar(v, traced)
			} else {
				o.Observe(v)
			}
		}
		summary.Observe(v)
	}
	desc, own := prometheus.NewDesc("own_time", "With a time.", nil, nil), time.Now().Add(-2*time.Second)
	reg.MustRegister(counter, gauge, untyped, summary, classic, native, both, prometheus.CollectorFunc(func(ch chan<- prometheus.Metric) {
		ch <- prometheus.NewMetricWithTimestamp(own, prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, 4))
	}))
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return families, nil })
}

// TestRegistryPushedAndScraped has a server scrape a registry, pushes the same one to it, and compares what is stored,
// series by series.
func TestRegistryPushedAndScraped(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		g := registryKinds(t)
		target := httptest.NewServer(promhttp.HandlerFor(g, promhttp.HandlerOpts{EnableOpenMetrics: true}))
		defer target.Close()
		address := strings.TrimPrefix(target.URL, "http://")
		for _, m := range modes(p) {
			t.Run(m.name, func(t *testing.T) {
				s := start(t, p, registryConfig(p, address), p.features()...)
				waitFor(t, "first scrape", func() bool { return len(s.query(t, `u{job="scraped"}`, time.Now().UnixMilli())) > 0 })
				opts := []clientgolang.Option{clientgolang.WithLabel("job", "pushed"), clientgolang.WithLabel("instance", address)}
				if p.major < 3 {
					opts = append(opts, clientgolang.WithoutClassicBuckets())
				}
				if err := clientgolang.NewPusher(g, writeClient(t, s.writeURL(), m.opts...), opts...).Push(t.Context()); err != nil {
					t.Fatal(err)
				}
				comparePushed(t, s, m.message)
			})
		}
	})
}

// comparePushed compares the newest values, histograms and exemplars of both jobs.
func comparePushed(t *testing.T, s *instance, message promwire.MessageType) {
	t.Helper()
	now := time.Now().UnixMilli()
	want := jobSeries(s.query(t, `{job="scraped",__name__!~"up|scrape_.+"}`, now))
	got := jobSeries(s.query(t, `{job="pushed"}`, now))
	if len(want) < 20 || len(got) != len(want) {
		t.Errorf("pushed %d series, scraped %d", len(got), len(want))
	}
	for name, w := range want {
		if g, found := got[name]; !found || g != w {
			t.Errorf("%s: pushed %s, scraped %s", name, g, w)
		}
	}
	wantExemplars := jobExemplars(s.exemplars(t, `{job="scraped"}`, now-60_000, now))
	gotExemplars := jobExemplars(s.exemplars(t, `{job="pushed"}`, now-60_000, now))
	if message == promwire.WriteV1 { // see checkExemplars
		for name := range wantExemplars {
			if strings.HasPrefix(name, "h_native{") || strings.HasPrefix(name, "h_both{") {
				delete(wantExemplars, name)
			}
		}
	}
	if len(wantExemplars) < 3 || fmt.Sprint(gotExemplars) != fmt.Sprint(wantExemplars) {
		t.Errorf("pushed exemplars\n%v, scraped\n%v", gotExemplars, wantExemplars)
	}
}

// jobSeries returns what is stored of each series, by its labels without the job.
func jobSeries(all []series) map[string]string {
	out := map[string]string{}
	for _, s := range all {
		text := ""
		for _, x := range s.Samples {
			text += fmt.Sprint(x.Value)
		}
		for _, h := range s.Histograms {
			text += fmt.Sprint(h.Count, h.Sum, h.Buckets)
		}
		out[withoutJob(s.Labels)] = text
	}
	return out
}

func jobExemplars(all map[string][]promwire.Exemplar) map[string]string {
	out := map[string]string{}
	for name, es := range all {
		out[strings.NewReplacer(`job="pushed"`, "", `job="scraped"`, "").Replace(name)] = fmt.Sprint(es)
	}
	return out
}

func withoutJob(ls promwire.Labels) string {
	var out promwire.Labels
	for _, l := range ls {
		if l.Name != "job" {
			out = append(out, l)
		}
	}
	return out.String()
}
