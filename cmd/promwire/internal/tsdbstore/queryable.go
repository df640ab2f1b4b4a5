package tsdbstore

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

var (
	_ storage.SampleAndChunkQueryable = Queryable{}
	_ storage.ExemplarQueryable       = Queryable{}
)

// Queryable is the store as PromQL and Prometheus' HTTP API see it; it only reads. A querier keeps the TSDB as it is until
// it is closed: as long as there is one, the store is neither closed nor opened anew. Errors of a store that is shut wrap
// [tsdb.ErrNotReady], which the API answers with 503.
type Queryable struct{ s *Store }

// Queryable returns the store for queries.
func (s *Store) Queryable() Queryable { return Queryable{s} }

// use is [Store.use] for those who begin to read.
func (q Queryable) use(ctx context.Context) (*tsdb.DB, error) {
	var db *tsdb.DB
	err := error(errReopening)
	if !q.s.wanted.Load() {
		db, err = q.s.use(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", tsdb.ErrNotReady, err)
	}
	return db, nil
}

// Querier implements [storage.Queryable].
func (q Queryable) Querier(mint, maxt int64) (storage.Querier, error) {
	db, err := q.use(context.Background())
	if err != nil {
		return nil, err
	}
	inner, err := db.Querier(mint, maxt)
	if err != nil {
		q.s.release()
		return nil, err
	}
	return &querier{Querier: inner, held: held{s: q.s}}, nil
}

// ChunkQuerier implements [storage.ChunkQueryable].
func (q Queryable) ChunkQuerier(mint, maxt int64) (storage.ChunkQuerier, error) {
	db, err := q.use(context.Background())
	if err != nil {
		return nil, err
	}
	inner, err := db.ChunkQuerier(mint, maxt)
	if err != nil {
		q.s.release()
		return nil, err
	}
	return &chunkQuerier{ChunkQuerier: inner, held: held{s: q.s}}, nil
}

// held is a use of the store, which ends once.
type held struct {
	s     *Store
	ended atomic.Bool
}

func (h *held) end() {
	if h.ended.CompareAndSwap(false, true) {
		h.s.release()
	}
}

type querier struct {
	storage.Querier
	held
}

// Close implements [storage.Querier].
func (q *querier) Close() error {
	defer q.end()
	return q.Querier.Close()
}

type chunkQuerier struct {
	storage.ChunkQuerier
	held
}

// Close implements [storage.ChunkQuerier].
func (q *chunkQuerier) Close() error {
	defer q.end()
	return q.ChunkQuerier.Close()
}

// ExemplarQuerier implements [storage.ExemplarQueryable]. It has nothing to close, and uses the TSDB while it selects.
func (q Queryable) ExemplarQuerier(ctx context.Context) (storage.ExemplarQuerier, error) {
	return exemplarQuerier{q, ctx}, nil
}

type exemplarQuerier struct {
	q   Queryable
	ctx context.Context
}

// Select implements [storage.ExemplarQuerier].
func (e exemplarQuerier) Select(start, end int64, matchers ...[]*labels.Matcher) ([]exemplar.QueryResult, error) {
	db, err := e.q.use(e.ctx)
	if err != nil {
		return nil, err
	}
	defer e.q.s.release()
	inner, err := db.ExemplarQuerier(e.ctx)
	if err != nil {
		return nil, err
	}
	return inner.Select(start, end, matchers...)
}
