package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/promwire/promwire"
)

// deliver sends b until its fate is known. It returns false if the queue's end came first.
func (q *Queue) deliver(b *batch) bool {
	ctx := q.ctx
	if b.key.tenant != "" {
		ctx = promwire.ContextWithTenant(ctx, b.key.tenant)
	}
	again := q.retry.begin()
	for {
		if !q.dropOld(b) {
			q.mu.Lock()
			b.settle(nil) // each sample was refused by name
			q.mu.Unlock()
			return true
		}
		start := time.Now()
		stats, err := q.w.Write(ctx, &b.req)
		took := time.Since(start)
		switch {
		case err == nil:
			q.delivered(b, stats, took)
			return true
		case !promwire.Retryable(err):
			q.refused(ctx, b, stats, err, took)
			return true
		}
		if retry, ok := again.next(q.ctx, err); !ok || !q.await(b, retry) {
			return false
		}
	}
}

func (q *Queue) delivered(b *batch, stats promwire.WriteStats, took time.Duration) {
	q.mu.Lock()
	q.counts.Batches++
	q.counts.Delivered = q.counts.Delivered.Add(stats)
	q.load.add(b.items, took)
	b.settle(nil)
	q.mu.Unlock()
	if q.options.Hooks.Delivered != nil {
		q.options.Hooks.Delivered(b.public(), stats, took)
	}
}

// refused gives up what the writer refused for good.
func (q *Queue) refused(ctx context.Context, b *batch, stats promwire.WriteStats, err error, took time.Duration) {
	bad := refusedPart(&b.req, err)
	var partial *promwire.PartialWriteError
	if errors.As(err, &partial) && stats == (promwire.WriteStats{}) {
		stats = partial.Written
	}
	letters := promwire.WriteStats{}
	if q.options.DeadLetters != nil {
		var lost error
		if letters, lost = bury(ctx, q.options.DeadLetters, bad, err); lost != nil {
			err = errors.Join(err, fmt.Errorf("dead letters: %w", lost))
		}
	}
	q.mu.Lock()
	q.counts.Batches++
	q.counts.Delivered = q.counts.Delivered.Add(stats)
	q.counts.Refused = q.counts.Refused.Add(without(b.stats, stats))
	q.counts.DeadLetters = q.counts.DeadLetters.Add(letters)
	q.load.add(b.items, took)
	b.settle(err)
	q.mu.Unlock()
	if q.options.Hooks.Refused != nil {
		q.options.Hooks.Refused(QueueBatch{Tenant: b.key.tenant, Request: bad}, err)
	}
}

// await waits for another attempt. It returns false if the queue's end came first.
func (q *Queue) await(b *batch, retry Retry) bool {
	q.mu.Lock()
	q.counts.Retries++
	q.load.retries++
	q.mu.Unlock()
	if q.options.Hooks.Retrying != nil {
		q.options.Hooks.Retrying(b.public(), retry.Attempt, retry.Wait, retry.Err)
	}
	return pause(q.ctx, retry.Wait) == nil
}

// dropOld takes out what is over the age limit. It returns false if nothing is left.
func (q *Queue) dropOld(b *batch) bool {
	if q.options.MaxSampleAge == 0 || b.key.metadata {
		return true
	}
	limit := time.Now().Add(-q.options.MaxSampleAge).UnixMilli()
	if !slices.ContainsFunc(b.req.Timeseries, func(ts promwire.TimeSeries) bool { return hasOlder(&ts, limit) }) {
		return true
	}
	old := &promwire.WriteRequest{}
	q.mu.Lock()
	b.dropOlder(limit, old)
	dropped := old.Stats()
	q.counts.DroppedAge = q.counts.DroppedAge.Add(dropped)
	b.stats = without(b.stats, dropped)
	q.mu.Unlock()
	if q.options.Hooks.Dropped != nil {
		q.options.Hooks.Dropped(QueueBatch{Tenant: b.key.tenant, Request: old}, promwire.ErrTooOld)
	}
	return len(b.req.Timeseries) > 0
}

func hasOlder(ts *promwire.TimeSeries, limit int64) bool {
	return slices.ContainsFunc(ts.Samples, func(s promwire.Sample) bool { return s.Timestamp < limit }) ||
		slices.ContainsFunc(ts.Histograms, func(h promwire.Histogram) bool { return h.Timestamp < limit })
}

// dropOlder moves samples and histograms before limit to old. Exemplars stay with a series as long as it has others.
func (b *batch) dropOlder(limit int64, old *promwire.WriteRequest) {
	kept := 0
	for i := range b.req.Timeseries {
		ts := b.req.Timeseries[i]
		if hasOlder(&ts, limit) {
			gone := promwire.TimeSeries{Labels: ts.Labels, Metadata: ts.Metadata}
			gone.Samples, ts.Samples = split(ts.Samples, func(s promwire.Sample) bool { return s.Timestamp < limit })
			gone.Histograms, ts.Histograms = split(ts.Histograms, func(h promwire.Histogram) bool { return h.Timestamp < limit })
			if len(ts.Samples)+len(ts.Histograms) == 0 {
				gone.Exemplars, ts.Exemplars = ts.Exemplars, nil
			}
			old.Timeseries = append(old.Timeseries, gone)
			b.refuseOld(i, &gone)
			if len(ts.Samples)+len(ts.Histograms) == 0 {
				continue
			}
		}
		b.req.Timeseries[kept] = ts
		if len(b.origins) > 0 {
			b.origins[kept] = b.origins[i]
		}
		kept++
	}
	b.req.Timeseries = b.req.Timeseries[:kept]
	b.origins = b.origins[:min(kept, len(b.origins))]
}

// refuseOld tells the writer of a series what was too old in it.
func (b *batch) refuseOld(series int, gone *promwire.TimeSeries) {
	refuse := func(timestamp int64) {
		b.refuse(promwire.Refusal{Series: series, Labels: gone.Labels, Timestamp: timestamp, Reason: promwire.ErrTooOld})
	}
	for _, s := range gone.Samples {
		refuse(s.Timestamp)
	}
	for i := range gone.Histograms {
		refuse(gone.Histograms[i].Timestamp)
	}
	for _, e := range gone.Exemplars {
		refuse(e.Timestamp)
	}
}

// split returns a copy of the items for which is holds, and the others, moved to the front.
func split[T any](items []T, is func(T) bool) (those, others []T) {
	n := 0
	for _, item := range items {
		if is(item) {
			those = append(those, item)
		} else {
			items[n] = item
			n++
		}
	}
	return those, items[:n]
}
