package remote

import (
	"iter"
	"slices"
	"time"
	"unsafe"

	"github.com/promwire/promwire"
)

// What a batch and a family's metadata take in memory, whatever is in them.
const (
	batchSize    = int(unsafe.Sizeof(batch{}))
	metadataSize = int(unsafe.Sizeof(promwire.MetricMetadata{}))
)

// generation is the shards between two changes of their number.
type generation struct {
	shards []*shard
	left   int  // shards whose goroutines have not ended
	sealed bool // takes no more data: shards end when they are empty
	begun  bool
}

// shard is the series that share a hash, and their batches. The queue's lock guards it.
type shard struct {
	waiting []*batch // by number
	open    map[batchKey]*batch
	sending *batch // is in no list
	coming  int    // items of the Write at work
	signal  chan struct{}
}

func newGeneration(n int) *generation {
	g := &generation{left: n}
	for range n {
		g.shards = append(g.shards, &shard{open: map[batchKey]*batch{}, signal: make(chan struct{}, 1)})
	}
	return g
}

// wake makes the shard's goroutine look at its batches.
func (s *shard) wake() {
	select {
	case s.signal <- struct{}{}:
	default: // it is going to look anyway
	}
}

// shards yields all shards, old ones first.
func (q *Queue) shards() iter.Seq[*shard] {
	return func(yield func(*shard) bool) {
		for _, g := range []*generation{q.old, q.current} {
			if g == nil {
				continue
			}
			for _, s := range g.shards {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// begin starts the goroutines of a generation. The caller holds the lock.
func (q *Queue) begin(g *generation) {
	g.begun = true
	q.running += len(g.shards)
	for _, s := range g.shards {
		go q.run(g, s)
	}
}

// run sends the batches of a shard.
func (q *Queue) run(g *generation, s *shard) {
	defer q.ended(g)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		b, wait, done := q.next(g, s)
		switch {
		case done:
			return
		case b != nil && !q.deliver(b):
			return // it stays where it is, for Shutdown
		case b != nil:
			q.finish(s, b)
			continue
		}
		timer.Reset(wait)
		select {
		case <-s.signal:
		case <-timer.C:
		case <-q.ctx.Done():
			return
		}
	}
}

// next returns a batch that is due, or how long to wait for one, or that there will be none.
func (q *Queue) next(g *generation, s *shard) (b *batch, wait time.Duration, done bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ctx.Err() != nil {
		return nil, 0, true
	}
	wait, now := time.Hour, time.Now()
	for i, b := range s.waiting {
		left := q.options.BatchDeadline - now.Sub(b.opened)
		if b.sealed || left <= 0 {
			q.seal(s, b)
			s.waiting = slices.Delete(s.waiting, i, i+1)
			s.sending = b
			return b, 0, false
		}
		wait = min(wait, left)
	}
	return nil, wait, g.sealed && len(s.waiting) == 0
}

// ended notes the end of a goroutine of g. When the last one of the old generation has ended, the current one begins.
func (q *Queue) ended(g *generation) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if g != nil {
		if g.left--; g.left == 0 && g == q.old && q.ctx.Err() == nil {
			q.old = nil
			q.begin(q.current)
		}
	}
	if q.running--; q.running == 0 {
		close(q.idle)
	}
}

// finish gives up a batch whose fate is known.
func (q *Queue) finish(s *shard, b *batch) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s.sending = nil
	b.reset()
	q.bytes += b.memory() - b.bytes
	b.bytes = b.memory()
	if len(q.free) <= len(q.current.shards) {
		q.free = append(q.free, b)
	} else {
		q.bytes -= b.bytes
	}
	q.wakeWriters()
	q.checkFlushes()
}

// unlinkOldest takes the batch that waits longest out of its shard; nil if there is none.
func (q *Queue) unlinkOldest() *batch {
	var oldest *shard
	for s := range q.shards() {
		if len(s.waiting) > 0 && (oldest == nil || s.waiting[0].number < oldest.waiting[0].number) {
			oldest = s
		}
	}
	if oldest == nil {
		return nil
	}
	b := oldest.waiting[0]
	q.seal(oldest, b)
	oldest.waiting = slices.Delete(oldest.waiting, 0, 1)
	q.checkFlushes()
	return b
}

// public is b as hooks see it.
func (b *batch) public() QueueBatch { return QueueBatch{Tenant: b.key.tenant, Request: &b.req} }
