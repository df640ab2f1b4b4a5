package metrics_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

var t0 = time.UnixMilli(1_700_000_000_000).UTC()

// clock is a settable time source.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) advance(d time.Duration) { c.now = c.now.Add(d) }

// sink keeps copies of the requests it accepts, and refuses with err while that is set.
type sink struct {
	err      error
	requests []*promwire.WriteRequest
}

func (s *sink) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	s.requests = append(s.requests, req.Clone())
	if s.err != nil {
		return promwire.WriteStats{}, s.err
	}
	return req.Stats(), nil
}

// setup makes a registry whose clock stands at t0, and a pusher into the sink.
func setup(opts ...metrics.RegistryOption) (*metrics.Registry, *metrics.Pusher, *sink, *clock) {
	c, s := &clock{t0}, &sink{}
	reg := metrics.NewRegistry(append(opts, metrics.WithClock(c.Now))...)
	return reg, metrics.NewPusher(reg, s), s, c
}

func push(t *testing.T, p *metrics.Pusher) {
	t.Helper()
	if err := p.Push(t.Context()); err != nil {
		t.Fatalf("Push: %v", err)
	}
}

// point is a sample as tests write it: seconds relative to t0, and the value.
type point struct{ at, v float64 }

// points returns the samples of the series in the latest request; nil if it is not there.
func (s *sink) points(t *testing.T, series string) []point {
	t.Helper()
	if len(s.requests) == 0 {
		t.Fatal("no request was sent")
	}
	var out []point
	for _, ts := range s.requests[len(s.requests)-1].Timeseries {
		if ts.Labels.String() != series {
			continue
		}
		for _, x := range ts.Samples {
			out = append(out, point{float64(x.Timestamp-t0.UnixMilli()) / 1000, x.Value})
		}
	}
	return out
}

func (s *sink) want(t *testing.T, series string, want ...point) {
	t.Helper()
	if got := s.points(t, series); !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", series, got, want)
	}
}

func (s *sink) wantRequests(t *testing.T, n int) {
	t.Helper()
	if len(s.requests) != n {
		t.Fatalf("%d requests were sent, want %d", len(s.requests), n)
	}
}

func after(seconds float64) time.Time { return t0.Add(time.Duration(seconds * float64(time.Second))) }
