package queryapi

import (
	"context"
	"sync"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/promwire/promwire/cmd/promwire/internal/memory"
)

// reserving is what a query selects of, and has memory reserved for what it takes at once: labels that are made for all series, the
// answer as text.
type reserving struct {
	storage.Queryable
	memory *memory.Guard
	made   int // bytes of labels for each series

	mu       sync.Mutex
	releases []func()
}

// take reserves n bytes for the work of ctx until release is called.
func (r *reserving) take(ctx context.Context, n int64) error {
	release, err := r.memory.Reserve(ctx, n)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.releases = append(r.releases, release)
	return nil
}

func (r *reserving) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, release := range r.releases {
		release()
	}
	r.releases = nil
}

// Querier implements [storage.Queryable].
func (r *reserving) Querier(mint, maxt int64) (storage.Querier, error) {
	q, err := r.Queryable.Querier(mint, maxt)
	if err != nil || r.made == 0 {
		return q, err
	}
	return reservingQuerier{q, r}, nil
}

type reservingQuerier struct {
	storage.Querier
	r *reserving
}

// Select implements [storage.Querier].
func (q reservingQuerier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	return &reservingSet{SeriesSet: q.Querier.Select(ctx, sorted, hints, matchers...), ctx: ctx, r: q.r}
}

// reservingSet reserves memory for the labels that are made of series.
type reservingSet struct {
	storage.SeriesSet
	ctx     context.Context
	r       *reserving
	pending int64
	err     error
}

// Next implements [storage.SeriesSet].
func (s *reservingSet) Next() bool {
	if s.err != nil || !s.SeriesSet.Next() {
		return false
	}
	if s.pending += 2 * int64(s.r.made); s.pending >= memory.Noticed { // the text, and the labels with it
		s.err, s.pending = s.r.take(s.ctx, s.pending), 0
	}
	return s.err == nil
}

// Err implements [storage.SeriesSet].
func (s *reservingSet) Err() error {
	if s.err != nil {
		return s.err
	}
	return s.SeriesSet.Err()
}
