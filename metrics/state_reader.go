package metrics

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/promwire/promwire"
)

// StateFromReader takes the state from the store that the pushes go to, such as a remote-read client, for programs that
// have no disk: the newest sample, not older than lookBack, of each series that the matchers select. They should
// select what the program pushes and nothing else, usually by its job and instance labels, and the store must give back
// the labels that it got: no external labels.
//
// It promises less than a file. Values that were not delivered are lost with the process, though Push told so. A series
// that was not pushed within lookBack begins anew, and so do all if the store is empty; that is a reset, which
// rate() and increase() can deal with. Nothing keeps two runs apart: they must not overlap, or need [WithRunLabel].
// What one run has pushed must be readable when the next one begins. Start timestamps are those of a file only for new
// series, and unset for others, since remote read does not tell them.
//
// Errors are those of the reader; the state is nil then.
func StateFromReader(ctx context.Context, r promwire.Reader, lookBack time.Duration, matchers ...promwire.Matcher) (*State, error) {
	now := time.Now()
	// Another machine's clock may be ahead.
	q := promwire.Query{Start: now.Add(-lookBack), End: now.Add(time.Hour), Matchers: matchers}
	s := newState()
	for ts, err := range r.Read(ctx, q) {
		if err != nil {
			return nil, fmt.Errorf("metrics: read the state back: %w", err)
		}
		ts.Samples = live(ts.Samples, func(x *promwire.Sample) bool { return promwire.IsStaleNaN(x.Value) })
		ts.Histograms = live(ts.Histograms, func(h *promwire.Histogram) bool { return promwire.IsStaleNaN(h.Sum) })
		s.takeNewest(&ts)
	}
	return s, nil
}

// live returns the newest point that is not a stale marker, if there is one.
func live[T any](points []T, stale func(*T) bool) []T {
	for i := range slices.Backward(points) {
		if !stale(&points[i]) {
			return points[i : i+1]
		}
	}
	return nil
}

// takeNewest takes the newest point of ts, which may be a later part of a series that the state has already.
func (s *State) takeNewest(ts *promwire.TimeSeries) {
	if len(ts.Samples) > 0 && len(ts.Histograms) > 0 {
		if ts.Samples[0].Timestamp > ts.Histograms[0].Timestamp {
			ts.Histograms = nil
		} else {
			ts.Samples = nil
		}
	}
	if len(ts.Samples)+len(ts.Histograms) == 0 {
		return
	}
	e := s.entry(ts.Labels)
	e.claimed = false
	e.set(ts)
	e.acked, _ = e.last()
	e.any = true
}
