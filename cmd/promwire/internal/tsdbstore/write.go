package tsdbstore

import (
	"context"
	"fmt"

	"github.com/promwire/promwire"
)

// ctxEvery is after how many series a write looks at its context.
const ctxEvery = 512

// Write implements [promwire.Writer]; the package comment says what its acknowledgement means. Reasons of refusals
// are [promwire.ErrOutOfOrder], [promwire.ErrDuplicateTimestamp], [promwire.ErrOutOfBounds], [promwire.ErrTooOld],
// [promwire.ErrTooFarInFuture], [promwire.ErrInvalidHistogram], [promwire.ErrInvalidExemplar],
// [promwire.ErrUnknownSeries] for an exemplar, and those of invalid labels. A sample that is the same as the newest one
// of its series counts as written.
//
// If ctx ends before everything is handed to the TSDB, nothing of the rest is stored and the context's error is returned.
func (s *Store) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	b, err := s.begin(ctx)
	if err != nil {
		return promwire.WriteStats{}, err
	}
	defer s.end(b)
	for i := range req.Timeseries {
		if i%ctxEvery == 0 {
			err = ctx.Err()
		}
		if err == nil {
			_, err = b.add(i, &req.Timeseries[i])
		}
		if err != nil {
			return b.abandon(err)
		}
	}
	for i := range req.Metadata {
		b.deferMetadata(req.Metadata[i].Family, &req.Metadata[i].Metadata)
	}
	return b.finish()
}

// begin prepares a batch on the opened TSDB; end gives both back.
func (s *Store) begin(ctx context.Context) (*batch, error) {
	if s.failed.Load() {
		if err := s.reopen(); err != nil {
			return nil, err
		}
	}
	if err := s.space.check(s.now()); err != nil {
		return nil, err
	}
	db, err := s.use(ctx)
	if err != nil {
		return nil, err
	}
	s.writing.Lock()
	b := s.batches.Get().(*batch)
	b.reset(ctx, s, db)
	return b, nil
}

func (s *Store) end(b *batch) {
	b.release()
	s.writing.Unlock()
	if !b.big {
		s.batches.Put(b)
	}
	s.release()
}

// judge says whether what the TSDB has committed may be acknowledged. commitErr is what Commit returned.
func (s *Store) judge(commitErr error) error {
	if commitErr == nil && s.logs.failures() == 0 {
		return nil
	}
	s.failed.Store(true)
	if commitErr == nil {
		return fmt.Errorf("%w: a write to the log of %s failed", promwire.ErrUnavailable, s.dir)
	}
	return fmt.Errorf("%w: data directory %s: %w", promwire.ErrUnavailable, s.dir, commitErr)
}
