package metrics_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/promwire/promwire/metrics"
)

func TestHistogramSendsOneSamplePerTime(t *testing.T) {
	reg, p, s, _ := setup()
	h := metrics.Must(reg.Histogram("h", metrics.WithBounds(1, 2)))
	for _, o := range []point{{-60, 0.5}, {-120, 1.5}, {-60.0001, 7}, {-60, 1}, {0, 2}} { // in no order of time
		if err := h.ObserveAt(o.v, after(o.at)); err != nil {
			t.Fatal(err)
		}
	}
	push(t, p)
	s.want(t, `h_bucket{le="1.0"}`, point{-120, 0}, point{-60.001, 0}, point{-60, 2}, point{0, 2})
	s.want(t, `h_bucket{le="2.0"}`, point{-120, 1}, point{-60.001, 1}, point{-60, 3}, point{0, 4})
	s.want(t, `h_bucket{le="+Inf"}`, point{-120, 1}, point{-60.001, 2}, point{-60, 4}, point{0, 5})
	s.want(t, "h_count", point{-120, 1}, point{-60.001, 2}, point{-60, 4}, point{0, 5})
	s.want(t, "h_sum", point{-120, 1.5}, point{-60.001, 8.5}, point{-60, 10}, point{0, 12})
	push(t, p)
	s.wantRequests(t, 1)
}

func TestRecordingsOfOneMillisecondMerge(t *testing.T) {
	reg, p, s, _ := setup()
	h := metrics.Must(reg.Histogram("h", metrics.WithBounds(1)))
	c := metrics.Must(reg.Counter("c"))
	g := metrics.Must(reg.Gauge("g"))
	for i := range 3 {
		at := t0.Add(-time.Second + time.Duration(i)*300*time.Microsecond)
		if err := errors.Join(h.ObserveAt(1, at), c.AddAt(2, at), g.SetAt(float64(i), at)); err != nil {
			t.Fatal(err)
		}
	}
	push(t, p)
	s.want(t, "h_count", point{-1, 3})
	s.want(t, "c_total", point{-1, 6})
	s.want(t, "g", point{-1, 2})
}

func TestLateRecordings(t *testing.T) {
	reg, p, s, _ := setup()
	h := metrics.Must(reg.Histogram("h", metrics.WithBounds(1)))
	c := metrics.Must(reg.Counter("c"))
	g := metrics.Must(reg.Gauge("g"))
	record := func(at float64) []error {
		return []error{h.ObserveAt(1, after(at)), c.AddAt(1, after(at)), g.SetAt(1, after(at))}
	}
	for _, err := range append(record(-5), record(-9)...) {
		if err != nil {
			t.Fatal(err)
		}
	}
	push(t, p)
	for _, at := range []float64{-5, -5.0001, -9, -10} {
		for _, err := range record(at) {
			if !errors.Is(err, metrics.ErrLate) {
				t.Errorf("at %v: got %v, want ErrLate", at, err)
			}
		}
	}
	const want = "metrics: c_total: time is not after the newest sample already pushed: " +
		"2023-11-14T22:13:15.000Z, newest is 2023-11-14T22:13:15.000Z"
	if got := c.AddAt(1, after(-5)).Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	push(t, p)
	s.wantRequests(t, 1)
	for _, err := range record(-4.999) {
		if err != nil {
			t.Error(err)
		}
	}
	push(t, p)
	s.want(t, "h_sum", point{-4.999, 3})
	s.want(t, "c_total", point{-4.999, 3})
	s.want(t, "g", point{-4.999, 1})
}

func TestTimedAndUntimedInOneSeries(t *testing.T) {
	reg, p, s, c := setup()
	hits := metrics.Must(reg.Counter("hits"))
	h := metrics.Must(reg.Histogram("h", metrics.WithBounds(1)))
	for _, at := range []float64{10, -10, 0} { // one of them ahead of the push, one at its very time
		if err := errors.Join(hits.AddAt(1, after(at)), h.ObserveAt(1, after(at))); err != nil {
			t.Fatal(err)
		}
	}
	hits.Add(100)
	h.Observe(1)
	push(t, p)
	s.want(t, "hits_total", point{-10, 1}, point{0, 102}, point{10, 103})
	s.want(t, "h_count", point{-10, 1}, point{0, 3}, point{10, 4})
	hits.Add(100)
	c.advance(time.Second)
	push(t, p)
	s.want(t, "hits_total", point{10.001, 203})
}

func TestGaugeCurrentValue(t *testing.T) {
	reg, p, s, c := setup()
	g := metrics.Must(reg.Gauge("g"))
	set := func(v, at float64) {
		t.Helper()
		if err := g.SetAt(v, after(at)); err != nil {
			t.Fatal(err)
		}
	}
	set(20, -1)
	set(10, -2) // older, so 20 stays current
	g.Add(1)
	push(t, p)
	s.want(t, "g", point{-2, 10}, point{-1, 20}, point{0, 21})

	g.Set(5)
	set(7, 0.5) // a value still to be pushed stays current
	c.advance(time.Second)
	push(t, p)
	s.want(t, "g", point{0.5, 7}, point{1, 5})

	for _, v := range []float64{math.Inf(1), math.Inf(-1), math.Copysign(0, -1)} {
		g.Set(v)
		c.advance(time.Second)
		push(t, p)
		if got := s.points(t, "g")[0].v; math.Float64bits(got) != math.Float64bits(v) {
			t.Errorf("got %v, want %v", got, v)
		}
	}
}

func TestGaugeAddAt(t *testing.T) {
	reg, p, s, c := setup()
	g := metrics.Must(reg.Gauge("g"))
	must := func(errs ...error) {
		t.Helper()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
	}
	// In no order of time; two within one millisecond; the first from 0.
	must(g.AddAt(2, after(-1)), g.AddAt(1, after(-3)), g.SubAt(5, after(-2)), g.AddAt(0.5, after(-2)))
	push(t, p)
	s.want(t, "g", point{-3, 1}, point{-2, -3.5}, point{-1, -1.5})
	g.Add(1) // goes on from there
	c.advance(time.Second)
	push(t, p)
	s.want(t, "g", point{1, -0.5})
	if err := g.AddAt(1, after(1)); !errors.Is(err, metrics.ErrLate) {
		t.Errorf("got %v, want ErrLate", err)
	}
	// Around a value that is set, which those before it do not change.
	must(g.SetAt(20, after(3)), g.AddAt(1, after(2)), g.AddAt(4, after(4)))
	c.advance(4 * time.Second)
	g.Add(100)
	push(t, p)
	s.want(t, "g", point{2, 0.5}, point{3, 20}, point{4, 24}, point{5, 124})
	// After a push that failed, changes without a time are part of what follows.
	g.Add(1)
	c.advance(time.Second)
	s.err = errDown
	if err := p.Push(t.Context()); !errors.Is(err, errDown) {
		t.Fatal(err)
	}
	s.err = nil
	must(g.AddAt(1, after(7)))
	c.advance(2 * time.Second)
	push(t, p)
	s.want(t, "g", point{7, 126}, point{8, 126})
}

func TestRefusedValues(t *testing.T) {
	reg, p, s, _ := setup()
	c := metrics.Must(reg.CounterVec("c", []string{"a"})).With("x")
	h := metrics.Must(reg.Histogram("h", metrics.WithBounds(1)))
	bad := []float64{math.NaN(), math.Inf(1), math.Inf(-1)}
	for _, v := range append(bad, -1) {
		if err := c.AddAt(v, t0); !errors.Is(err, metrics.ErrInvalidValue) {
			t.Errorf("AddAt(%v): got %v, want ErrInvalidValue", v, err)
		}
		c.Add(v)
	}
	for _, v := range bad {
		if err := h.ObserveAt(v, t0); !errors.Is(err, metrics.ErrInvalidValue) {
			t.Errorf("ObserveAt(%v): got %v, want ErrInvalidValue", v, err)
		}
		h.Observe(v)
	}
	for name, err := range map[string]error{
		"AddAt": c.AddAt(1, time.Time{}), "ObserveAt": h.ObserveAt(1, time.Time{}),
		"SetAt": metrics.Must(reg.Gauge("g")).SetAt(1, time.Time{}),
	} {
		if !errors.Is(err, metrics.ErrInvalidValue) {
			t.Errorf("%s at the zero time: got %v, want ErrInvalidValue", name, err)
		}
	}

	// Reported once, with or without a request.
	err := p.Push(t.Context())
	const want = `metrics: c_total{a="x"}: invalid value: a counter can't grow by NaN; and 6 more recordings refused`
	if err == nil || err.Error() != want || !errors.Is(err, metrics.ErrInvalidValue) {
		t.Errorf("got %v, want %s", err, want)
	}
	push(t, p)
	s.wantRequests(t, 0)

	h.Observe(1)
	h.Observe(math.NaN())
	s.err = errDown
	if err := p.Push(t.Context()); !errors.Is(err, errDown) || !errors.Is(err, metrics.ErrInvalidValue) {
		t.Errorf("got %v, want both errors", err)
	}
	s.err = nil
	push(t, p)
	s.want(t, "h_sum", point{0.001, 1})
}
