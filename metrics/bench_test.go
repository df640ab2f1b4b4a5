package metrics_test

import (
	"testing"
	"time"

	"github.com/promwire/promwire/metrics"
)

func BenchmarkRecord(b *testing.B) {
	reg := metrics.NewRegistry()
	counters := metrics.Must(reg.CounterVec("c", []string{"code", "method"}))
	c := counters.With("200", "GET")
	g := metrics.Must(reg.Gauge("g"))
	h := metrics.Must(reg.Histogram("h"))
	for _, bb := range []struct {
		name   string
		record func()
	}{
		{"Counter.Inc", c.Inc},
		{"Counter.Add", func() { c.Add(0.5) }},
		{"Gauge.Set", func() { g.Set(2) }},
		{"Gauge.Add", func() { g.Add(2) }},
		{"Histogram.Observe", func() { h.Observe(0.7) }},
		{"Vec.With", func() { counters.With("200", "GET") }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bb.record()
			}
		})
		b.Run(bb.name+"/parallel", func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					bb.record()
				}
			})
		})
	}
}

func BenchmarkObserveAtAndPush(b *testing.B) {
	reg, _, _, clock := setup()
	p := metrics.NewPusher(reg, discard)
	h := metrics.Must(reg.Histogram("h"))
	b.ReportAllocs()
	for b.Loop() {
		for range 100 {
			clock.advance(time.Millisecond)
			if err := h.ObserveAt(0.7, clock.now); err != nil {
				b.Fatal(err)
			}
		}
		if err := p.Push(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPush10k changes and pushes 10,000 series, of which 5,600 belong to histograms.
func BenchmarkPush10k(b *testing.B) {
	reg, record := registry10k()
	p := metrics.NewPusher(reg, discard)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		record()
		b.StartTimer()
		if err := p.Push(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
