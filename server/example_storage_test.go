package server_test

import (
	"context"
	"iter"
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
		s.series[key] = promwire.MergeSeries(s.series[key], ts)
	}
	return req.Stats(), nil
}

func (s *mapStorage) Read(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	s.mu.Lock()
	defer s.mu.Unlock() // before the loop begins: a slow client must not hold up others
	var found []promwire.TimeSeries
	for _, ts := range s.series {
		if part, ok := q.Select(&ts); ok {
			found = append(found, part)
		}
	}
	return promwire.SortedSeries(ctx, found)
}
