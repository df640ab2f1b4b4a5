package metrics_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

func TestRecordingDoesNotAllocate(t *testing.T) {
	reg := metrics.NewRegistry()
	counters := metrics.Must(reg.CounterVec("c", []string{"a", "b"}))
	c := counters.With("x", "y")
	g := metrics.Must(reg.Gauge("g"))
	h := metrics.Must(reg.Histogram("h"))
	for name, record := range map[string]func(){
		"Inc":     c.Inc,
		"Add":     func() { c.Add(0.5) },
		"Set":     func() { g.Set(2) },
		"Sub":     func() { g.Sub(2) },
		"Observe": func() { h.Observe(0.7) },
		"With":    func() { counters.With("x", "y").Inc() },
	} {
		if n := testing.AllocsPerRun(100, record); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}

// discard is a Writer that takes everything.
var discard = writerFunc(func(*promwire.WriteRequest) error { return nil })

func TestRecordingWithTimeDoesNotAllocate(t *testing.T) {
	reg, _, _, clock := setup()
	p := metrics.NewPusher(reg, discard)
	c := metrics.Must(reg.Counter("c"))
	g := metrics.Must(reg.Gauge("g"))
	h := metrics.Must(reg.Histogram("h"))
	n := testing.AllocsPerRun(100, func() {
		for range 10 {
			clock.advance(time.Second)
			if c.AddAt(1, clock.now) != nil || g.SetAt(1, clock.now) != nil || h.ObserveAt(1, clock.now) != nil {
				t.Error("refused")
			}
		}
		push(t, p)
	})
	if n != 0 {
		t.Errorf("%v allocations for ten recordings of each kind and a push, want 0", n)
	}
}

// registry10k makes 10,000 series on the wire, and a function that changes them all.
func registry10k() (*metrics.Registry, func()) {
	reg := metrics.NewRegistry()
	counters := metrics.Must(reg.CounterVec("c", []string{"id"}))
	gauges := metrics.Must(reg.GaugeVec("g", []string{"id"}))
	histograms := metrics.Must(reg.HistogramVec("h", []string{"id"})) // 14 series each
	var cs []*metrics.Counter
	var gs []*metrics.Gauge
	var hs []*metrics.Histogram
	for i := range 2200 {
		cs = append(cs, counters.With(strconv.Itoa(i)))
		gs = append(gs, gauges.With(strconv.Itoa(i)))
	}
	for i := range 400 {
		hs = append(hs, histograms.With(strconv.Itoa(i)))
	}
	return reg, func() {
		for i := range cs {
			cs[i].Inc()
			gs[i].Set(3)
		}
		for i := range hs {
			hs[i].Observe(0.3)
		}
	}
}

func TestPushDoesNotAllocate(t *testing.T) {
	reg, record := registry10k()
	series := 0
	p := metrics.NewPusher(reg, writerFunc(func(req *promwire.WriteRequest) error {
		series = len(req.Timeseries)
		return nil
	}))
	n := testing.AllocsPerRun(5, func() {
		record()
		push(t, p)
	})
	if series != 10_000 {
		t.Errorf("%d series pushed, want 10000", series)
	}
	if n != 0 {
		t.Errorf("%v allocations for a push, want 0", n)
	}
}

// What one large push needed is not kept for ever.
func TestPushAfterLargerOne(t *testing.T) {
	reg, p, s, c := setup()
	hits := metrics.Must(reg.Counter("hits"))
	c.advance(1000 * time.Second)
	for i := range 1000 {
		if err := hits.AddAt(1, after(float64(i))); err != nil {
			t.Fatal(err)
		}
	}
	push(t, p)
	if got := s.points(t, "hits_total"); len(got) != 1000 || got[999] != (point{999, 1000}) {
		t.Fatalf("%d samples, last %v", len(got), got[len(got)-1])
	}
	hits.Inc()
	c.advance(time.Hour)
	push(t, p)
	s.want(t, "hits_total", point{4600, 1001})
}
