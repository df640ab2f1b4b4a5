package cli

import (
	"log/slog"
	"net/http"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/adapter/clientgolang/servermetrics"
)

// metricsPath is where a server shows its own metrics. docs/metrics.md lists them.
const metricsPath = "/metrics"

// ownMetrics are the metrics of a server.
type ownMetrics struct {
	registry *prometheus.Registry
	handlers *servermetrics.Metrics
	reload   reloadMetrics
	page     http.Handler
}

func newOwnMetrics(logger *slog.Logger) *ownMetrics {
	m := &ownMetrics{registry: prometheus.NewRegistry(), handlers: servermetrics.New()}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "promwire_build_info", Help: "1, with what this promwire was built from as labels.",
		ConstLabels: prometheus.Labels{"version": promwire.Version, "revision": commit(), "goversion": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(m.handlers, build, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.reload.init(m.registry)
	m.page = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn), ErrorHandling: promhttp.ContinueOnError,
		MaxRequestsInFlight: 4, EnableOpenMetrics: true,
	})
	return m
}

// reloadMetrics say how the configuration was taken.
type reloadMetrics struct{ successful, successTime prometheus.Gauge }

func (m *reloadMetrics) init(registry *prometheus.Registry) {
	m.successful = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "promwire_config_last_reload_successful", Help: "1 if the configuration could be used when it was read last.",
	})
	m.successTime = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "promwire_config_last_reload_success_timestamp_seconds", Help: "When the configuration was last read that is in use.",
	})
	registry.MustRegister(m.successful, m.successTime)
	m.done(nil)
}

func (m *reloadMetrics) done(err error) {
	if err != nil {
		m.successful.Set(0)
		return
	}
	m.successful.Set(1)
	m.successTime.SetToCurrentTime()
}
