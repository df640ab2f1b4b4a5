package realserver

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// exporter is something to scrape: it has every kind of metric, and changes with each scrape.
type exporter struct {
	*httptest.Server
	self    atomic.Pointer[url.URL] // the Prometheus whose own metrics are at /self
	scrapes int
	metrics exporterMetrics
}

type exporterMetrics struct {
	requests        *prometheus.CounterVec
	temperature     prometheus.Gauge
	leaving, odd    *prometheus.GaugeVec
	classic, native prometheus.Histogram
	summary         prometheus.Summary
}

// leaves is the scrape in which a series of the exporter is gone.
const leaves = 4

func newExporter(t *testing.T) *exporter {
	t.Helper()
	reg := prometheus.NewRegistry()
	m := exporterMetrics{
		requests:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "exporter_requests_total", Help: "Requests, \"quoted\"."}, []string{"path"}),
		temperature: prometheus.NewGauge(prometheus.GaugeOpts{Name: "exporter_temperature_celsius", Help: "Goes below zero."}),
		leaving:     prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "exporter_leaving", Help: "One of the series leaves."}, []string{"city"}),
		classic:     prometheus.NewHistogram(prometheus.HistogramOpts{Name: "exporter_classic_seconds", Help: "Classic.", Buckets: []float64{0.1, 1, 10}}),
		native: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "exporter_native_seconds", Help: "Native.", NativeHistogramBucketFactor: 1.1, NativeHistogramZeroThreshold: 0.01,
		}),
		summary: prometheus.NewSummary(prometheus.SummaryOpts{Name: "exporter_summary_seconds", Help: "Without observations, NaN.", Objectives: map[float64]float64{0.5: 0.05}}),
		odd:     prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "exporter_odd", Help: "Odd values."}, []string{"value"}),
	}
	reg.MustRegister(m.requests, m.temperature, m.leaving, m.classic, m.native, m.summary, m.odd)
	e := &exporter{metrics: m}
	handler := promhttp.HandlerFor(reg, promhttp.HandlerOpts{EnableOpenMetrics: true})
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, r *http.Request) {
		e.change()
		handler.ServeHTTP(w, r)
	})
	mux.HandleFunc("/self", func(w http.ResponseWriter, r *http.Request) {
		self := e.self.Load()
		if self == nil {
			http.Error(w, "not yet", http.StatusServiceUnavailable)
			return
		}
		r.URL.Path = "/metrics"
		httputil.NewSingleHostReverseProxy(self).ServeHTTP(w, r)
	})
	e.Server = httptest.NewServer(mux)
	t.Cleanup(e.Close)
	return e
}

// change is what happens between two scrapes. Prometheus has one scrape of a target at a time.
func (e *exporter) change() {
	e.scrapes++
	n, m := float64(e.scrapes), &e.metrics
	trace := prometheus.Labels{"trace_id": fmt.Sprintf("%032d", e.scrapes)}
	for _, path := range []string{"/", "/ä \"b\"\n"} {
		m.requests.WithLabelValues(path).(prometheus.ExemplarAdder).AddWithExemplar(n, trace)
	}
	m.temperature.Set(20 - 7.25*n)
	m.leaving.WithLabelValues("Köln").Set(n)
	m.leaving.WithLabelValues("Zürich 🏔").Set(n)
	if e.scrapes >= leaves {
		m.leaving.DeleteLabelValues("Köln")
	}
	for i := range 5 {
		v := n*0.3 - 0.5*float64(i)
		m.classic.(prometheus.ExemplarObserver).ObserveWithExemplar(v, trace)
		m.native.(prometheus.ExemplarObserver).ObserveWithExemplar(v*v*v, trace)
	}
	for name, v := range oddValues(e.scrapes) {
		m.odd.WithLabelValues(name).Set(v)
	}
}

// scrape is the part of a Prometheus configuration that makes it scrape the exporter, and itself through it.
func (e *exporter) scrape(p program) string {
	address := strings.TrimPrefix(e.URL, "http://")
	native := ""
	if p.major >= 3 {
		native = ", scrape_native_histograms: true"
	}
	return fmt.Sprintf(`global: {scrape_interval: 400ms, scrape_timeout: 400ms%s}
scrape_configs:
- {job_name: exporter, static_configs: [{targets: ["%s"]}]}
- {job_name: self, metrics_path: /self, static_configs: [{targets: ["%s"]}]}
`, native, address, address)
}
