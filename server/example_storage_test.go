package server_test

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/promwire/promwire"
)

// mapStorage is a whole storage, in memory: enough for Prometheus to write to and to read from. Of two values for one
// time, the last one stays.
type mapStorage struct {
	mu     sync.Mutex
	series map[string]promwire.TimeSeries
}

func (s *mapStorage) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	if err := ctx.Err(); err != nil {
		return promwire.WriteStats{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ts := range req.Clone().Timeseries { // the request itself is used again
		key := ts.Labels.String()
		ts.Samples = merge(s.series[key].Samples, ts.Samples, sampleTime)
		ts.Histograms = merge(s.series[key].Histograms, ts.Histograms, histogramTime)
		ts.Exemplars = append(s.series[key].Exemplars, ts.Exemplars...)
		s.series[key] = ts
	}
	return req.Stats(), nil
}

func (s *mapStorage) Read(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	return func(yield func(promwire.TimeSeries, error) bool) {
		for _, ts := range s.find(q) { // without the lock: a slow client must not hold up others
			if err := ctx.Err(); !yield(ts, err) || err != nil {
				return
			}
		}
	}
}

func (s *mapStorage) find(q promwire.Query) (found []promwire.TimeSeries) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ts := range s.series {
		ts.Samples, ts.Histograms = within(ts.Samples, q, sampleTime), within(ts.Histograms, q, histogramTime)
		if promwire.MatchAll(ts.Labels, q.Matchers) && len(ts.Samples)+len(ts.Histograms) > 0 {
			found = append(found, ts)
		}
	}
	slices.SortFunc(found, func(a, b promwire.TimeSeries) int { return a.Labels.Compare(b.Labels) })
	return found
}

func sampleTime(v promwire.Sample) int64       { return v.Timestamp }
func histogramTime(v promwire.Histogram) int64 { return v.Timestamp }

func merge[T any](have, add []T, time func(T) int64) []T {
	all := slices.Concat(add, have) // of two for one time, the new one comes first
	slices.SortStableFunc(all, func(a, b T) int { return cmp.Compare(time(a), time(b)) })
	return slices.CompactFunc(all, func(a, b T) bool { return time(a) == time(b) })
}

func within[T any](items []T, q promwire.Query, time func(T) int64) []T {
	outside := func(v T) bool { return time(v) < q.Start.UnixMilli() || time(v) > q.End.UnixMilli() }
	return slices.DeleteFunc(slices.Clone(items), outside)
}
