package metrics_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

// store is a storage of a few series, which gives each sample as a part of its own.
type store struct {
	sink
	query promwire.Query
	fails error
}

func (s *store) Read(_ context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	s.query = q
	return func(yield func(promwire.TimeSeries, error) bool) {
		for _, r := range s.requests {
			for _, ts := range r.Timeseries {
				for i := range ts.Samples {
					x := ts.Samples[i]
					x.StartTimestamp = 0
					if !yield(promwire.TimeSeries{Labels: ts.Labels, Samples: []promwire.Sample{x}}, nil) {
						return
					}
				}
				for i := range ts.Histograms {
					if !yield(promwire.TimeSeries{Labels: ts.Labels, Histograms: ts.Histograms[i : i+1]}, nil) {
						return
					}
				}
			}
		}
		if s.fails != nil {
			yield(promwire.TimeSeries{}, s.fails)
		}
	}
}

func TestStateFromReader(t *testing.T) {
	s, clock := &store{}, &clock{t0}
	match := promwire.Matcher{Type: promwire.MatchEqual, Name: "job", Value: "j"}
	for range 3 {
		clock.advance(time.Second)
		st, err := metrics.StateFromReader(t.Context(), s, time.Hour, match)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.query.Matchers) != 1 || time.Since(s.query.Start) < time.Hour || time.Since(s.query.Start) > 2*time.Hour {
			t.Errorf("query %+v", s.query)
		}
		reg := metrics.NewRegistry(metrics.WithState(st), metrics.WithClock(clock.Now), metrics.WithConstLabel("job", "j"))
		metrics.Must(reg.Counter("hits")).Add(2)
		metrics.Must(reg.Histogram("took", metrics.WithBounds(1), metrics.WithNativeGrowth(2))).Observe(3)
		push(t, metrics.NewPusher(reg, s))
	}
	s.want(t, `hits_total{job="j"}`, point{3, 6})
	s.want(t, `took_count{job="j"}`, point{3, 3})
	s.want(t, `took_bucket{job="j",le="1.0"}`, point{3, 0})
	for _, ts := range s.requests[2].Timeseries {
		for _, h := range ts.Histograms {
			if h.Count != 3 || h.Sum != 9 {
				t.Errorf("native: %+v, want three observations of 3", h)
			}
		}
	}

	s.fails = errDown
	if st, err := metrics.StateFromReader(t.Context(), s, time.Hour); !errors.Is(err, errDown) || st != nil {
		t.Errorf("got %v, %v, want the reader's error", st, err)
	}
}

// A series that has ended goes on from its last value.
func TestStateFromReaderSkipsStaleMarkers(t *testing.T) {
	s, clock := &store{}, &clock{t0}
	reg := metrics.NewRegistry(metrics.WithClock(clock.Now))
	metrics.Must(reg.Counter("hits")).Add(2)
	if err := metrics.NewPusher(reg, s).Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	st, err := metrics.StateFromReader(t.Context(), s, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	clock.advance(time.Second)
	reg = metrics.NewRegistry(metrics.WithState(st), metrics.WithClock(clock.Now))
	metrics.Must(reg.Counter("hits")).Inc()
	push(t, metrics.NewPusher(reg, s))
	s.want(t, "hits_total", point{1, 3})
}
