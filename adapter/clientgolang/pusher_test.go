package clientgolang_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/adapter/clientgolang"
)

// vec makes a registry with a gauge that has series a and b, both 1.
func vec() (*prometheus.Registry, *prometheus.GaugeVec) {
	reg := prometheus.NewRegistry()
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "x", Help: "Some."}, []string{"l"})
	reg.MustRegister(v)
	v.WithLabelValues("a").Set(1)
	v.WithLabelValues("b").Set(1)
	return reg, v
}

const (
	both    = "# TYPE x gauge\nx{l=\"a\"} 1\nx{l=\"b\"} 1\n"
	onlyA   = "# TYPE x gauge\nx{l=\"a\"} 1\n"
	bIsGone = "# TYPE x gauge\nx{l=\"a\"} 1\nx{l=\"b\"} stale\n"
)

func TestSeriesThatWentAwayGetsOneMarker(t *testing.T) {
	reg, v := vec()
	p, s, _ := setup(reg)
	push(t, p)
	s.want(t, 1, both)
	v.DeleteLabelValues("b")
	push(t, p)
	s.want(t, 2, bIsGone)
	push(t, p)
	s.want(t, 3, onlyA)
	v.WithLabelValues("b").Set(1)
	push(t, p)
	s.want(t, 4, both)
	v.Reset()
	push(t, p)
	s.want(t, 5, "# TYPE x gauge\nx{l=\"a\"} stale\nx{l=\"b\"} stale\n")
	push(t, p)
	if len(s.texts) != 5 {
		t.Errorf("nothing was left to send, got %q", s.texts[5:])
	}
}

func TestMarkerIsRepeatedUntilItIsSettled(t *testing.T) {
	partial := &promwire.PartialWriteError{}
	for _, c := range []struct {
		name  string
		err   error
		final bool
	}{
		{"network", errors.New("connection refused"), false},
		{"unavailable", &promwire.HTTPError{StatusCode: 503}, false},
		{"too many requests", &promwire.HTTPError{StatusCode: 429}, false},
		{"partial, then unavailable", errors.Join(partial, &promwire.HTTPError{StatusCode: 503}), false},
		{"partial", partial, true},
		{"bad request", &promwire.HTTPError{StatusCode: 400}, true},
		{"conflict", &promwire.HTTPError{StatusCode: 409}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			reg, v := vec()
			p, s, _ := setup(reg)
			push(t, p)
			v.DeleteLabelValues("b")
			s.err = c.err
			if err := p.Push(t.Context()); !errors.Is(err, c.err) {
				t.Fatalf("got error %v", err)
			}
			s.want(t, 2, bIsGone)
			s.err = nil
			push(t, p)
			if c.final {
				s.want(t, 3, onlyA)
			} else {
				s.want(t, 3, bIsGone)
			}
		})
	}
}

func TestWithoutStaleMarkers(t *testing.T) {
	reg, v := vec()
	p, s, _ := setup(reg, clientgolang.WithoutStaleMarkers())
	push(t, p)
	v.DeleteLabelValues("b")
	push(t, p)
	s.want(t, 2, onlyA)
	if err := p.Close(t.Context()); err != nil || len(s.texts) != 2 {
		t.Errorf("Close: %v, sent %q", err, s.texts[2:])
	}
}

func TestSeriesWithTheirOwnTimeGetNoMarker(t *testing.T) {
	own := gauge(1)
	own.TimestampMs = ptr(t0.UnixMilli() - 1)
	f := families{family("x", dto.MetricType_GAUGE, own)}
	p, s, _ := setup(f)
	push(t, p)
	f[0].Metric = nil
	push(t, p)
	if len(s.texts) != 1 {
		t.Errorf("sent %q", s.texts[1:])
	}
}

func TestCloseEndsEverySeries(t *testing.T) {
	reg, _ := vec()
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h", Help: "Some.", NativeHistogramBucketFactor: 1.1})
	reg.MustRegister(h)
	p, s, _ := setup(reg)
	push(t, p)
	s.err = errors.New("down")
	if err := p.Close(t.Context()); !errors.Is(err, s.err) {
		t.Errorf("Close: %v", err)
	}
	s.err = nil
	want := "# TYPE h histogram\nh stale\n# TYPE x gauge\nx{l=\"a\"} stale\nx{l=\"b\"} stale\n"
	if err := p.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
	s.want(t, 3, want)
	if err := p.Close(t.Context()); err != nil || len(s.texts) != 3 {
		t.Errorf("a second Close: %v, %d requests", err, len(s.texts))
	}
}

func TestTimeNeverGoesBack(t *testing.T) {
	reg, _ := vec()
	var times []int64
	c := &clock{t0}
	p := clientgolang.NewPusher(reg, writer(func(req *promwire.WriteRequest) error {
		times = append(times, req.Timeseries[0].Samples[0].Timestamp-t0.UnixMilli())
		return nil
	}), clientgolang.WithClock(c.Now))
	for _, d := range []time.Duration{0, 0, -time.Hour, time.Hour + time.Second} {
		c.now = c.now.Add(d)
		push(t, p)
	}
	want := []int64{0, 1, 2, 1000}
	for i := range want {
		if times[i] != want[i] {
			t.Fatalf("times %v, want %v", times, want)
		}
	}
}

// TestExemplarsAreSentOnce pushes the same, newer and failed exemplars, on a native histogram that has several.
func TestExemplarsAreSentOnce(t *testing.T) {
	h := classicAndNative()
	var sent []string
	var fail error
	p := clientgolang.NewPusher(families{family("x", dto.MetricType_HISTOGRAM, &dto.Metric{Histogram: h})},
		writer(func(req *promwire.WriteRequest) error {
			sent = nil
			for _, e := range req.Timeseries[0].Exemplars {
				sent = append(sent, e.Labels.Get("trace_id"))
			}
			return fail
		}), clientgolang.WithoutClassicBuckets())
	for _, step := range []struct {
		name string
		add  string
		fail error
		want int // exemplars sent
	}{
		{"first", "", nil, 2},
		{"unchanged", "", nil, 0},
		{"a newer one, failed", "new", errors.New("down"), 1},
		{"again", "", nil, 1},
		{"accepted", "", nil, 0},
	} {
		if step.add != "" {
			h.Exemplars = append(h.Exemplars, exemplar(step.add, 1, t0))
		}
		fail = step.fail
		if err := p.Push(t.Context()); !errors.Is(err, step.fail) {
			t.Fatalf("%s: %v", step.name, err)
		}
		if len(sent) != step.want {
			t.Errorf("%s: sent %v, want %d", step.name, sent, step.want)
		}
	}
}

func TestPushesTakeTurns(t *testing.T) {
	reg, _ := vec()
	var p *clientgolang.Pusher
	p = clientgolang.NewPusher(reg, writer(func(*promwire.WriteRequest) error {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := p.Push(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("a push during a push: %v", err)
		}
		return nil
	}))
	push(t, p)
	var all sync.WaitGroup
	p, _, _ = setup(reg)
	for range 8 {
		all.Go(func() { push(t, p) })
	}
	all.Wait()
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg, _ := vec()
		begin, down := time.Now(), errors.New("down")
		var at []time.Duration
		var handled []error
		p := clientgolang.NewPusher(reg, writer(func(*promwire.WriteRequest) error {
			if at = append(at, time.Since(begin)); len(at) == 2 {
				return down
			}
			return nil
		}), clientgolang.WithErrorHandler(func(err error) { handled = append(handled, err) }))
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
		defer cancel()
		if err := p.Run(ctx, 10*time.Second); err != nil {
			t.Errorf("Run: %v", err)
		}
		want := []time.Duration{0, 10 * time.Second, 20 * time.Second, 25 * time.Second}
		if len(at) != len(want) {
			t.Fatalf("pushed at %v, want %v", at, want)
		}
		for i := range want {
			if at[i] != want[i] {
				t.Errorf("pushed at %v, want %v", at, want)
			}
		}
		if len(handled) != 1 || !errors.Is(handled[0], down) {
			t.Errorf("handled %v", handled)
		}
	})
	if err := clientgolang.NewPusher(prometheus.NewRegistry(), &sink{}).Run(t.Context(), 0); err == nil {
		t.Error("an interval of 0 was accepted")
	}
}

// writer is a Writer made of a function.
type writer func(*promwire.WriteRequest) error

func (f writer) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	return req.Stats(), f(req)
}
