package metrics_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

// times returns at which seconds after begin a series was sent, over all requests.
func (s *sink) times(series string, begin time.Time) []float64 {
	var out []float64
	for _, r := range s.requests {
		for _, ts := range r.Timeseries {
			for _, x := range ts.Samples {
				if ts.Labels.String() == series {
					out = append(out, float64(x.Timestamp-begin.UnixMilli())/1000)
				}
			}
		}
	}
	return out
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin, s := time.Now(), &sink{}
		reg := metrics.NewRegistry()
		p := metrics.NewPusher(reg, s, metrics.WithTTL(time.Minute))
		hits, depth := metrics.Must(reg.Counter("hits")), metrics.Must(reg.Gauge("depth"))
		timed := metrics.Must(reg.Gauge("timed"))
		metrics.Must(reg.Counter("unused"))
		hits.Inc()
		if err := timed.SetAt(1, begin); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 130*time.Second)
		defer cancel()
		done := make(chan error)
		go func() { done <- p.Run(ctx, 15*time.Second) }()
		time.Sleep(80 * time.Second) // of the bubble's clock
		depth.Set(3)
		time.Sleep(49 * time.Second)
		hits.Inc()
		if err := <-done; err != nil {
			t.Error(err)
		}
		for series, want := range map[string][]float64{
			"hits_total": {15, 30, 45, 60, 130}, // the last one after the end; a minute after the last recording none
			"depth":      {90, 105, 120},
			"timed":      {0},
		} {
			if got := s.times(series, begin); !slices.Equal(got, want) {
				t.Errorf("%s was sent at %v, want %v", series, got, want)
			}
		}
	})
}

func TestRunReportsErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, reported := &sink{err: errDown}, []error(nil)
		reg := metrics.NewRegistry()
		p := metrics.NewPusher(reg, s, metrics.WithErrorHandler(func(err error) { reported = append(reported, err) }))
		metrics.Must(reg.Counter("hits")).Inc()
		ctx, cancel := context.WithTimeout(t.Context(), 35*time.Second)
		defer cancel()
		if err := p.Run(ctx, 10*time.Second); !errors.Is(err, errDown) {
			t.Errorf("got %v, want the error of the last push", err)
		}
		if len(reported) != 3 || !errors.Is(reported[0], errDown) {
			t.Errorf("reported: %v, want the error three times", reported)
		}
		s.wantRequests(t, 4)
	})
	reg, p, _, _ := setup()
	metrics.Must(reg.Counter("hits")).Inc()
	if err := p.Run(t.Context(), 0); err == nil {
		t.Error("no error for an interval of 0")
	}
}

// slow is a Writer that hangs until the context ends.
type slow struct{}

func (slow) Write(ctx context.Context, _ *promwire.WriteRequest) (promwire.WriteStats, error) {
	<-ctx.Done()
	return promwire.WriteStats{}, ctx.Err()
}

func TestRunEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := metrics.NewRegistry()
		metrics.Must(reg.Counter("hits")).Inc()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		begin := time.Now()
		err := metrics.NewPusher(reg, slow{}).Run(ctx, time.Minute)
		if took := time.Since(begin); !errors.Is(err, context.DeadlineExceeded) || took != 3*time.Minute+metrics.DefaultLastPush {
			t.Errorf("ended after %v with %v", took, err)
		}
	})
}

func TestClose(t *testing.T) {
	reg, p, s, c := setup()
	hits := metrics.Must(reg.Counter("hits"))
	hits.Inc()
	metrics.Must(reg.Histogram("took", metrics.WithBounds(1))).Observe(1)
	metrics.Must(reg.Histogram("native", metrics.WithNativeGrowth(2))).Observe(1)
	metrics.Must(reg.Gauge("unused"))
	timed := metrics.Must(reg.Gauge("timed"))
	if err := timed.SetAt(1, after(-1)); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wantRequests(t, 2)
	s.requests[0].Timeseries = nil
	marked := 0
	for _, ts := range s.requests[1].Timeseries {
		for _, x := range ts.Samples {
			if !promwire.IsStaleNaN(x.Value) || x.Timestamp != after(0.001).UnixMilli() || x.StartTimestamp != 0 {
				t.Errorf("%v: %+v, want a stale marker", ts.Labels, x)
			}
			marked++
		}
		for _, h := range ts.Histograms {
			if !promwire.IsStaleNaN(h.Sum) || h.Count != 0 || h.Timestamp != after(0.001).UnixMilli() {
				t.Errorf("%v: %+v, want a stale marker", ts.Labels, h)
			}
			marked++
		}
	}
	if marked != 6 { // counter, four of the classic histogram, native one
		t.Errorf("%d series were marked, want 6", marked)
	}
	hits.Inc() // brings it back
	c.advance(time.Second)
	push(t, p)
	s.want(t, "hits_total", point{1, 2})
}

func TestCloseFails(t *testing.T) {
	reg, p, s, c := setup()
	metrics.Must(reg.Counter("hits")).Inc()
	push(t, p)
	s.err = errDown
	if err := p.Close(t.Context()); !errors.Is(err, errDown) {
		t.Errorf("got %v, want the writer's error", err)
	}
	s.err = nil
	c.advance(time.Second)
	push(t, p)
	s.want(t, "hits_total", point{1, 1}) // the marker may be stored: the value comes after it
}

func TestCloseWithState(t *testing.T) {
	st, err := metrics.OpenState(t.Context(), filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	reg, p, s, _ := setup(metrics.WithState(st))
	metrics.Must(reg.Counter("hits")).Inc()
	if err := p.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wantRequests(t, 1)
}

func TestPushGauge(t *testing.T) {
	s := &sink{}
	if err := metrics.PushGauge(t.Context(), s, "backup_bytes", 5, "host", "a", "disk", "b"); err != nil {
		t.Fatal(err)
	}
	ts := s.requests[0].Timeseries[0]
	if got := ts.Labels.String(); got != `backup_bytes{disk="b",host="a"}` || ts.Samples[0].Value != 5 ||
		ts.Metadata.Type != promwire.TypeGauge || time.Since(time.UnixMilli(ts.Samples[0].Timestamp)) > time.Minute {
		t.Errorf("sent %+v", ts)
	}
	for name, labels := range map[string][]string{"odd": {"host"}, "bad name": {}, "twice": {"a", "b", "a", "c"}} {
		if err := metrics.PushGauge(t.Context(), s, name, 1, labels...); err == nil {
			t.Errorf("no error for %q %v", name, labels)
		}
	}
	s.err = errDown
	if err := metrics.PushGauge(t.Context(), s, "g", 1); !errors.Is(err, errDown) {
		t.Errorf("got %v, want the writer's error", err)
	}
	s.wantRequests(t, 2)
}
