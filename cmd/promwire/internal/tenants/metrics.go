package tenants

import (
	"github.com/prometheus/client_golang/prometheus"
)

// The metrics of a set besides those of its stores.
var (
	tenantsDesc = prometheus.NewDesc("promwire_tenants",
		"Tenants that there are.", nil, nil)
	openDesc = prometheus.NewDesc("promwire_tenants_open",
		"Tenants whose store is open.", nil, nil)
	opensDesc = prometheus.NewDesc("promwire_tenant_opens_total",
		"Stores of tenants opened, at the start, for a first write, or after they were closed.", nil, nil)
	closesDesc = prometheus.NewDesc("promwire_tenant_closes_total",
		"Stores of idle tenants closed.", nil, nil)
	failuresDesc = prometheus.NewDesc("promwire_tenant_close_failures_total",
		"Stores of idle tenants that stayed open as the disk takes no data, or whose closing failed. The log says why.", nil, nil)
)

// Metrics are those of all stores that are open, with the label tenant, and of the set.
func (s *Set) Metrics() prometheus.Collector { return setMetrics{s} }

type setMetrics struct{ s *Set }

// Describe implements [prometheus.Collector].
func (setMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements [prometheus.Collector]. It opens no store, and waits for none.
func (m setMetrics) Collect(ch chan<- prometheus.Metric) {
	value := func(d *prometheus.Desc, kind prometheus.ValueType, n int64) {
		ch <- prometheus.MustNewConstMetric(d, kind, float64(n))
	}
	all, open := m.s.all(), int64(0)
	for _, t := range all {
		if store := t.store.Load(); store != nil {
			open++
			prometheus.WrapCollectorWith(prometheus.Labels{"tenant": t.name}, store.Metrics()).Collect(ch)
		}
	}
	value(tenantsDesc, prometheus.GaugeValue, int64(len(all)))
	value(openDesc, prometheus.GaugeValue, open)
	value(opensDesc, prometheus.CounterValue, m.s.opens.Load())
	value(closesDesc, prometheus.CounterValue, m.s.closes.Load())
	value(failuresDesc, prometheus.CounterValue, m.s.failures.Load())
}
