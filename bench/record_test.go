package bench

import (
	"testing"

	vm "github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/promwire/promwire/metrics"
)

// recording is one instrument kind of all libraries, through handles.
type recording struct {
	kind                             string
	promwire, clientGolang, victoria func()
}

func recordings() []recording {
	reg := metrics.NewRegistry()
	c := metrics.Must(reg.CounterVec("c", []string{"code", "method"})).With("200", "GET")
	g := metrics.Must(reg.GaugeVec("g", []string{"code", "method"})).With("200", "GET")
	h := metrics.Must(reg.HistogramVec("h", []string{"code", "method"})).With("200", "GET")
	n := metrics.Must(reg.HistogramVec("n", []string{"code", "method"}, metrics.WithNativeGrowth(1.1))).With("200", "GET")

	labels := []string{"code", "method"}
	pc := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "c"}, labels).WithLabelValues("200", "GET")
	pg := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "g"}, labels).WithLabelValues("200", "GET")
	ph := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "h"}, labels).WithLabelValues("200", "GET")
	pn := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "n", NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160,
	}, labels).WithLabelValues("200", "GET")

	// Labels are a part of the name there. It has no native histograms, but one with buckets that it makes as they are needed.
	set := vm.NewSet()
	vc, vf := set.NewCounter(`c{code="200",method="GET"}`), set.NewFloatCounter(`f{code="200",method="GET"}`)
	vg := set.NewGauge(`g{code="200",method="GET"}`, nil)
	vh, vn := set.NewPrometheusHistogram(`h{code="200",method="GET"}`), set.NewHistogram(`n{code="200",method="GET"}`)

	return []recording{
		{"Counter.Inc", c.Inc, pc.Inc, vc.Inc},
		{"Counter.Add", func() { c.Add(0.5) }, func() { pc.Add(0.5) }, func() { vf.Add(0.5) }},
		{"Gauge.Set", func() { g.Set(2) }, func() { pg.Set(2) }, func() { vg.Set(2) }},
		{"Gauge.Add", func() { g.Add(2) }, func() { pg.Add(2) }, func() { vg.Add(2) }},
		{"Histogram.Observe", observer(h.Observe), observer(ph.Observe), observer(vh.Update)},
		{"Native.Observe", observer(n.Observe), observer(pn.Observe), observer(vn.Update)},
	}
}

// observed are durations as of requests, in seconds.
var observed = [8]float64{0.0031, 0.18, 0.02, 1.2, 0.07, 0.3, 0.0009, 4.4}

// observer observes one of them after the other; goroutines that share it may observe one twice.
func observer(observe func(float64)) func() {
	return func() {
		for _, v := range observed {
			observe(v)
		}
	}
}

// BenchmarkRecord compares the cost of recording, without and with contention. Observe stands for eight observations.
func BenchmarkRecord(b *testing.B) {
	for _, r := range recordings() {
		for _, impl := range []struct {
			name   string
			record func()
		}{{"promwire", r.promwire}, {"client_golang", r.clientGolang}, {"victoriametrics", r.victoria}} {
			b.Run("kind="+r.kind+"/impl="+impl.name, func(b *testing.B) { measure(b, impl.record) })
			b.Run("kind="+r.kind+"-parallel/impl="+impl.name, func(b *testing.B) { measureParallel(b, impl.record) })
		}
	}
}
