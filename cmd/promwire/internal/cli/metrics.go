package cli

import (
	"bytes"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/adapter/clientgolang/servermetrics"
)

// metricsPath is where a server shows its own metrics. docs/metrics.md lists them.
const metricsPath = "/metrics"

// ownMetrics are the metrics of a server.
type ownMetrics struct {
	registry *prometheus.Registry
	handlers *servermetrics.Metrics
	refused  *prometheus.CounterVec // before any handler
	reload   reloadMetrics
	page     http.Handler
	logger   *slog.Logger
}

func newOwnMetrics(logger *slog.Logger) *ownMetrics {
	m := &ownMetrics{registry: prometheus.NewRegistry(), handlers: servermetrics.New(), refused: newRefused(), logger: logger}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "promwire_build_info", Help: "1, with what this promwire was built from as labels.",
		ConstLabels: prometheus.Labels{"version": promwire.Version, "revision": commit(), "goversion": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(m.handlers, m.refused, build, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.reload.init(m.registry)
	m.page = m.pageWith()
	return m
}

// pageWith returns a page of these metrics and others.
func (m *ownMetrics) pageWith(more ...prometheus.Gatherer) http.Handler {
	return promhttp.HandlerFor(append(prometheus.Gatherers{m.registry}, more...), promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(m.logger.Handler(), slog.LevelWarn), ErrorHandling: promhttp.ContinueOnError,
		MaxRequestsInFlight: 4, EnableOpenMetrics: true,
	})
}

// textGatherer are metrics that something writes as text 0.0.4.
type textGatherer func(io.Writer)

// Gather implements [prometheus.Gatherer].
func (g textGatherer) Gather() ([]*dto.MetricFamily, error) {
	var text bytes.Buffer
	g(&text)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(&text)
	return slices.Collect(maps.Values(families)), err
}

// reloadMetrics say how the configuration was taken.
type reloadMetrics struct {
	mu sync.Mutex
	at time.Time // of the configuration in use
	ok bool      // it is the one that was read last
}

func (m *reloadMetrics) init(registry *prometheus.Registry) {
	m.done(nil)
	registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "promwire_config_last_reload_successful", Help: "1 if the configuration could be used when it was read last.",
	}, func() float64 {
		if _, ok := m.last(); ok {
			return 1
		}
		return 0
	}), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "promwire_config_last_reload_success_timestamp_seconds", Help: "When the configuration was last read that is in use.",
	}, func() float64 {
		at, _ := m.last()
		return float64(at.UnixMilli()) / 1000
	}))
}

func (m *reloadMetrics) last() (at time.Time, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.at, m.ok
}

func (m *reloadMetrics) done(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ok = err == nil; m.ok {
		m.at = time.Now()
	}
}
