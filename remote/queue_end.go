package remote

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/promwire/promwire"
)

// endGrace is how long Shutdown waits for writers to return after their context was cancelled.
const endGrace = time.Second

// flush is a Flush that waits.
type flush struct {
	upTo uint64 // number of the last batch it waits for
	done chan struct{}
}

// Flush sends what waits for its batch to become full, and returns when everything that was written before is
// delivered, refused or dropped. The error is that of ctx; the data stay in the queue then.
func (q *Queue) Flush(ctx context.Context) error {
	q.mu.Lock()
	q.sealAll()
	f := &flush{upTo: q.numbers, done: make(chan struct{})}
	q.flushes = append(q.flushes, f)
	q.checkFlushes()
	q.mu.Unlock()
	select {
	case <-f.done:
		return nil
	case <-ctx.Done():
		q.mu.Lock()
		defer q.mu.Unlock()
		q.flushes = slices.DeleteFunc(q.flushes, func(other *flush) bool { return other == f })
		return fmt.Errorf("queue: flush: %w", ctx.Err())
	}
}

// checkFlushes ends those for which all is done. The caller holds the lock.
func (q *Queue) checkFlushes() {
	if len(q.flushes) == 0 {
		return
	}
	first := q.numbers + 1
	for b := range q.pending() {
		first = min(first, b.number)
	}
	q.flushes = slices.DeleteFunc(q.flushes, func(f *flush) bool {
		if f.upTo < first {
			close(f.done)
			return true
		}
		return false
	})
}

// Shutdown sends what is in the queue and ends it. Writes fail from now on. When ctx ends, requests that are on their
// way are cancelled, and what was not delivered is returned, in the order in which it would have been sent, with an
// error that wraps ctx.Err(); the receiver may have got the first batch of each shard all the same. Nothing is returned
// for a queue that was shut down before.
//
// A writer behind the queue that does not return when its context ends is left behind after a second.
func (q *Queue) Shutdown(ctx context.Context) ([]QueueBatch, error) {
	q.mu.Lock()
	again := q.closed
	if !again {
		q.closed = true
		close(q.closing)
		q.sealAll()
		q.current.sealed = true
		for s := range q.shards() {
			s.wake()
		}
		q.wakeWriters()
	}
	q.mu.Unlock()
	select {
	case <-q.idle:
		q.end()
		return nil, nil
	case <-ctx.Done():
	}
	if again {
		return nil, fmt.Errorf("queue: shutdown: %w", ctx.Err())
	}
	q.end()
	grace := time.NewTimer(endGrace)
	defer grace.Stop()
	select {
	case <-q.idle:
	case <-grace.C:
	}
	return q.leftovers(ctx)
}

// leftovers takes out what was not delivered.
func (q *Queue) leftovers(ctx context.Context) ([]QueueBatch, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var left []*batch
	for b := range q.pending() {
		left = append(left, b)
	}
	slices.SortFunc(left, func(a, b *batch) int { return cmp.Compare(a.number, b.number) })
	var out []QueueBatch
	var stats promwire.WriteStats
	for _, b := range left {
		b.settle(ErrQueueClosed)
		stats = stats.Add(b.stats)
		out = append(out, QueueBatch{Tenant: b.key.tenant, Request: b.req.Clone()})
	}
	q.counts.Abandoned = q.counts.Abandoned.Add(stats)
	for s := range q.shards() {
		s.waiting, s.sending = nil, nil
	}
	q.checkFlushes()
	if len(out) == 0 {
		return nil, nil // the last one came through just in time
	}
	return out, fmt.Errorf("queue: shutdown: %d samples and %d histograms in %d batches are not delivered: %w",
		stats.Samples, stats.Histograms, len(out), ctx.Err())
}
