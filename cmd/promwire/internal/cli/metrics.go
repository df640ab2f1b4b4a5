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
	m.page = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn), ErrorHandling: promhttp.ContinueOnError,
		MaxRequestsInFlight: 4, EnableOpenMetrics: true,
	})
	return m
}
