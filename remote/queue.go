package remote

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/serieshash"
)

// Queue sends in the background what is written to it; it is a [promwire.Writer] in front of another one. It is safe
// for concurrent use.
//
// What it promises:
//
//   - Write takes all of a request or nothing. What it took is sent until it is delivered, refused for good, dropped by
//     a rule that [QueueOptions] sets, or returned by Shutdown. Each of these is counted, and told to a hook.
//   - Samples of a series are sent in the order of the Writes that brought them, also while shards come and go: a batch
//     is sent again until its fate is known, before anything newer of its series is. A batch whose answer got lost is
//     sent again as it was, so that the receiver may see it twice, and nothing else twice. (A receiver that still works
//     on a request after its sender gave up on it may mix up the order on its own: do not set timeouts too short.)
//   - Memory for waiting data is bounded; see [QueueOptions].
//
// What it does not promise: data are in memory only. They are lost with the process; whoever needs more puts a spool on
// disk in its place. Without WaitForDelivery, success of Write means that the data are in the queue, and no more.
//
// Data are collected into batches, by shard: series are spread by a hash of their labels. Each shard sends one batch at
// a time. Data of different tenants ([promwire.ContextWithTenant]) are in different batches, as are family metadata;
// nothing else of the context of Write reaches the writer behind the queue.
//
// Errors of that writer for which [promwire.Retryable] is true are tried again without end, with growing pauses, or
// those that the receiver asks for. Other errors are final, and cost only what they name: what waits behind goes on.
// A writer that never returns holds up its shard, and so, for a while, does one that repeats requests on its own: give the
// client [WithoutRetry].
//
// The number of shards is set every ten seconds by what they achieved: as many as the rate of new data and the backlog
// need at the time that a sample took, a quarter more for safety. It grows at once, and shrinks when that would have
// been right three times in a row. While requests fail it stays: more of them would not help. When it changes, the old
// shards send what they have before the new ones begin; that keeps the order.
type Queue struct {
	w       promwire.Writer
	options QueueOptions
	retry   RetryOptions
	plans   sync.Pool // *plan
	end     context.CancelFunc
	ctx     context.Context // of all requests; cancelled when Shutdown has no more time
	closing chan struct{}   // closed when Shutdown begins
	idle    chan struct{}   // closed when all goroutines have ended

	mu      sync.Mutex
	running int         // goroutines
	current *generation // takes new data
	old     *generation // sends what it has; current sends nothing meanwhile. nil if there is none
	numbers uint64      // of batches, so far
	bytes   int         // of all batches, free ones included
	free    []*batch
	room    chan struct{} // closed when memory comes free; nil if nobody waits
	flushes []*flush
	closed  bool
	counts  QueueStats
	load    load
}

var _ promwire.Writer = (*Queue)(nil)

// NewQueue makes a queue in front of w and starts its goroutines: one for each shard, and one that sets their number
// if there is a choice. It fails if an option is invalid. The caller ends it with [Queue.Shutdown].
func NewQueue(w promwire.Writer, options QueueOptions) (*Queue, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	q := &Queue{w: w, options: options, closing: make(chan struct{}), idle: make(chan struct{})}
	q.retry = RetryOptions{
		MinBackoff: options.MinBackoff, MaxBackoff: options.MaxBackoff, MaxAttempts: -1, MaxElapsed: -1,
	}.withDefaults()
	q.plans.New = func() any { return new(plan) }
	q.ctx, q.end = context.WithCancel(context.Background())
	q.current = newGeneration(options.MinShards)
	q.begin(q.current)
	if options.MaxShards > options.MinShards {
		q.running++
		go q.adapt()
	}
	return q, nil
}

// plan is what Write finds out about a request before it takes the lock.
type plan struct {
	hashes []uint64
	memory int
}

func (q *Queue) plan(req *promwire.WriteRequest) *plan {
	p := q.plans.Get().(*plan)
	p.hashes, p.memory = p.hashes[:0], 0
	for i := range req.Timeseries {
		p.hashes = append(p.hashes, serieshash.Labels(req.Timeseries[i].Labels))
		p.memory += memorySize(&req.Timeseries[i])
	}
	for i := range req.Metadata {
		m := &req.Metadata[i]
		p.memory += len(m.Family) + len(m.Help) + len(m.Unit) + metadataSize
	}
	return p
}

// Write copies req into the queue. It returns what it has taken: all, or nothing with an error. With WaitForDelivery it
// returns what was delivered, and a [*promwire.PartialWriteError] if a part was refused.
//
// Errors: [ErrQueueFull] as the policy says, [ErrQueueClosed] after Shutdown has begun, [promwire.ErrTooLarge] for a
// request that can never fit. When ctx ends, the error wraps ctx.Err(); if that is while it waits for the delivery, the
// data are sent all the same.
func (q *Queue) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	if err := ctx.Err(); err != nil {
		return promwire.WriteStats{}, err
	}
	if len(req.Timeseries) == 0 && len(req.Metadata) == 0 {
		return promwire.WriteStats{}, nil
	}
	p := q.plan(req)
	defer q.plans.Put(p)
	var t *ticket
	if q.options.WaitForDelivery {
		t = &ticket{done: make(chan struct{})}
	}
	dropped, err := q.take(ctx, req, p, t)
	q.reportDropped(dropped)
	switch {
	case err != nil:
		return promwire.WriteStats{}, err
	case t == nil:
		return req.Stats(), nil
	}
	select {
	case <-t.done:
		return t.result()
	case <-ctx.Done():
		return promwire.WriteStats{}, fmt.Errorf("queue: waiting for delivery: %w", ctx.Err())
	}
}

// take waits for room and copies the request. It returns the batches that were dropped for it, which the caller reports.
func (q *Queue) take(ctx context.Context, req *promwire.WriteRequest, p *plan, t *ticket) (dropped []*batch, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if q.closed {
			return dropped, ErrQueueClosed
		}
		if p.memory > q.options.MemoryBytes-batchSize {
			q.counts.Rejected = q.counts.Rejected.Add(req.Stats())
			return dropped, fmt.Errorf("queue: %w: request of %d bytes, memory for %d; send fewer series at once",
				promwire.ErrTooLarge, p.memory, q.options.MemoryBytes-batchSize)
		}
		if q.makeRoom(p.memory, &dropped) {
			break
		}
		q.sealAll() // what waits only for its deadline can go now
		if q.options.WhenFull != BlockWhenFull {
			q.counts.Rejected = q.counts.Rejected.Add(req.Stats())
			return dropped, ErrQueueFull
		}
		if err := q.awaitRoom(ctx); err != nil {
			return dropped, err
		}
	}
	q.counts.Accepted = q.counts.Accepted.Add(req.Stats())
	q.put(promwire.TenantFromContext(ctx), req, p, t)
	return dropped, nil
}

// makeRoom frees memory that is kept for reuse, and by the policy batches, until n more bytes fit in.
func (q *Queue) makeRoom(n int, dropped *[]*batch) bool {
	for q.bytes+n > q.options.MemoryBytes {
		if last := len(q.free) - 1; last >= 0 {
			q.bytes -= q.free[last].bytes
			q.free[last], q.free = nil, q.free[:last]
			continue
		}
		if q.options.WhenFull != DropOldestWhenFull {
			return false
		}
		b := q.unlinkOldest()
		if b == nil {
			return false
		}
		q.bytes -= b.bytes
		q.counts.DroppedFull = q.counts.DroppedFull.Add(b.stats)
		b.settle(ErrQueueFull)
		*dropped = append(*dropped, b)
	}
	return true
}

// awaitRoom gives up the lock until memory may have come free.
func (q *Queue) awaitRoom(ctx context.Context) error {
	if q.room == nil {
		q.room = make(chan struct{})
	}
	room := q.room
	q.mu.Unlock()
	defer q.mu.Lock()
	select {
	case <-room:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("queue: waiting for room: %w", ctx.Err())
	}
}

func (q *Queue) wakeWriters() {
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
}

func (q *Queue) reportDropped(dropped []*batch) {
	if q.options.Hooks.Dropped == nil {
		return
	}
	for _, b := range dropped {
		q.options.Hooks.Dropped(b.public(), ErrQueueFull)
	}
}

// put copies the request into the batches of its shards.
func (q *Queue) put(tenant string, req *promwire.WriteRequest, p *plan, t *ticket) {
	shards, key := q.current.shards, batchKey{tenant: tenant}
	for i, hash := range p.hashes {
		if !q.options.KeepTogether {
			break
		}
		s := shards[serieshash.Shard(hash, len(shards))]
		s.coming += itemsOf(&req.Timeseries[i])
	}
	for i, hash := range p.hashes {
		s := shards[serieshash.Shard(hash, len(shards))]
		if s.coming > 0 {
			q.keepTogether(s, key)
		}
		q.putSeries(s, key, &req.Timeseries[i], t, i)
	}
	for _, m := range req.Metadata {
		b := q.openBatch(shards[0], batchKey{tenant, true})
		b.addMetadata(m)
		if t != nil {
			b.hold(t)
		}
		q.added(shards[0], b)
	}
	if q.options.BatchDeadline < 0 {
		q.sealAll()
	}
}

// keepTogether begins a new batch if what comes with this Write fits into one, but not into the rest of the open one.
func (q *Queue) keepTogether(s *shard, key batchKey) {
	coming := s.coming
	s.coming = 0
	if b := s.open[key]; b != nil && coming <= q.options.BatchSamples && b.items+coming > q.options.BatchSamples {
		q.seal(s, b)
	}
}

// putSeries copies one series into the open batch, and into further ones as those become full.
func (q *Queue) putSeries(s *shard, key batchKey, ts *promwire.TimeSeries, t *ticket, index int) {
	part, size := *ts, wireSize(ts)
	samples, histograms := ts.Samples, ts.Histograms
	for {
		b := q.openBatch(s, key)
		if b.items > 0 && b.wire+size > q.options.BatchBytes {
			q.seal(s, b)
			continue
		}
		room := max(1, q.options.BatchSamples-b.items)
		n := min(room, len(samples))
		part.Samples, samples = samples[:n], samples[n:]
		n = min(room-n, len(histograms))
		part.Histograms, histograms = histograms[:n], histograms[n:]
		done := len(samples)+len(histograms) == 0
		part.Exemplars = nil
		if done {
			part.Exemplars = ts.Exemplars
		}
		b.add(&part)
		if t != nil {
			b.attach(t, index)
		}
		q.added(s, b)
		if done {
			return
		}
		size = 0 // a part may exceed the bytes, as a series may
	}
}

// openBatch returns the batch that takes data with this key.
func (q *Queue) openBatch(s *shard, key batchKey) *batch {
	if b := s.open[key]; b != nil {
		return b
	}
	var b *batch
	if last := len(q.free) - 1; last >= 0 {
		b, q.free[last], q.free = q.free[last], nil, q.free[:last]
	} else {
		b = &batch{}
	}
	q.numbers++
	key.tenant = strings.Clone(key.tenant) // it stays longer than the request
	b.key, b.number, b.opened = key, q.numbers, time.Now()
	s.open[key] = b
	s.waiting = append(s.waiting, b)
	s.wake() // there is a deadline now
	return b
}

// added counts what was added to b, and seals it when it is full.
func (q *Queue) added(s *shard, b *batch) {
	before := b.bytes
	b.bytes = b.memory()
	q.bytes += b.bytes - before
	q.counts.PeakBytes = max(q.counts.PeakBytes, q.bytes)
	if b.items >= q.options.BatchSamples || b.wire >= q.options.BatchBytes {
		q.seal(s, b)
	}
}

// seal makes b due.
func (q *Queue) seal(s *shard, b *batch) {
	if !b.sealed {
		b.sealed = true
		delete(s.open, b.key)
		s.wake()
	}
}

// sealAll makes all batches due.
func (q *Queue) sealAll() {
	for s := range q.shards() {
		for _, b := range s.open {
			q.seal(s, b)
		}
	}
}
