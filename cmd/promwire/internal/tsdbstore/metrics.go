package tsdbstore

import (
	"context"
	"math"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// The metrics of a store besides those of its TSDB.
var (
	freeDesc = prometheus.NewDesc("promwire_store_disk_free_bytes",
		"Free space of the disk with the data, for those who are not root.", nil, nil)
	minFreeDesc = prometheus.NewDesc("promwire_store_disk_min_free_bytes",
		"Free space below which writes are answered with 503; 0 for no check.", nil, nil)
	failedDesc = prometheus.NewDesc("promwire_store_failed",
		"1 after a log write failed, until the TSDB is opened anew: nothing is taken meanwhile.", nil, nil)
	reopensDesc = prometheus.NewDesc("promwire_store_reopens_total",
		"How often the TSDB was opened anew after a log write failed. Its own counters then begin at zero.", nil, nil)
	damagesDesc = prometheus.NewDesc("promwire_store_damaged_log_files_total",
		"Files of the logs that were found damaged or missing when the TSDB was opened, and what they held lost. The log names them.", nil, nil)
	familiesDesc = prometheus.NewDesc("promwire_store_families",
		"Metric families whose metadata is kept.", nil, nil)
)

// Metrics are those of the TSDB that is open, whichever that is, under the names of Prometheus, and some of the store.
// Nothing is shown while the store is shut. The collector describes nothing beforehand, so it can be registered once and
// for all.
func (s *Store) Metrics() prometheus.Collector { return storeMetrics{s} }

type storeMetrics struct{ s *Store }

// Describe implements [prometheus.Collector].
func (storeMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements [prometheus.Collector].
func (m storeMetrics) Collect(ch chan<- prometheus.Metric) {
	s := m.s
	gauge := func(d *prometheus.Desc, v float64) { ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	if free, err := diskFree(s.dir); err == nil && free < math.MaxInt64 {
		gauge(freeDesc, float64(free))
	}
	gauge(minFreeDesc, float64(s.opts.Load().MinFree))
	failed := 0.0
	if s.failed.Load() {
		failed = 1
	}
	gauge(failedDesc, failed)
	gauge(familiesDesc, float64(s.families.len()))
	ch <- prometheus.MustNewConstMetric(reopensDesc, prometheus.CounterValue, float64(s.reopens.Load()))
	ch <- prometheus.MustNewConstMetric(damagesDesc, prometheus.CounterValue, float64(s.damages.Load()))
	if _, err := s.use(context.Background()); err != nil {
		return
	}
	defer s.release()
	for _, c := range s.logs.collectors() {
		c.Collect(ch)
	}
}

// collectors returns all that were registered.
func (w *logWatch) collectors() []prometheus.Collector {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.all)
}
