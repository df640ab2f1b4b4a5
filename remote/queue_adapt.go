package remote

import (
	"math"
	"time"
)

const (
	// adaptEvery is how often the number of shards is set anew.
	adaptEvery = 10 * time.Second
	// shrinkAfter is how often in a row fewer shards must have been enough.
	shrinkAfter = 3
	// busyShare is the share of their time that shards should be busy.
	busyShare = 0.8
)

// load is what was sent since the number of shards was last looked at.
type load struct {
	items    int           // sent
	busy     time.Duration // that requests took, together
	retries  int
	accepted int // by the queue, before the interval
	shrink   int // looks in a row at which fewer shards would have been enough
}

func (l *load) add(items int, took time.Duration) {
	l.items += items
	l.busy += took
}

// adapt sets the number of shards from time to time.
func (q *Queue) adapt() {
	defer q.ended(nil)
	ticker := time.NewTicker(adaptEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			from, to := q.look()
			if from != to && q.options.Hooks.Resharded != nil {
				q.options.Hooks.Resharded(from, to)
			}
		case <-q.closing:
			return
		}
	}
}

// look decides about the number of shards.
func (q *Queue) look() (from, to int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	from = len(q.current.shards)
	total := q.counts.Accepted.Samples + q.counts.Accepted.Histograms
	sent, fresh := q.load, total-q.load.accepted
	q.load = load{accepted: total, shrink: sent.shrink}
	if q.closed || q.old != nil || sent.retries > 0 || sent.items == 0 {
		return from, from
	}
	backlog := 0
	for b := range q.pending() {
		backlog += b.items
	}
	backlog = max(0, backlog-from*q.options.BatchSamples) // a batch for each shard is no backlog
	perItem := sent.busy.Seconds() / float64(sent.items)
	need := perItem * float64(fresh+backlog) / adaptEvery.Seconds() / busyShare
	to = int(math.Ceil(min(need, float64(q.options.MaxShards))))
	to = max(to, q.options.MinShards)
	if to < from {
		if q.load.shrink++; q.load.shrink < shrinkAfter {
			return from, from
		}
	}
	q.load.shrink = 0
	if to != from {
		q.reshard(to)
	}
	return from, to
}

// reshard makes n new shards, which begin when the old ones are empty. The caller holds the lock, and there are no old
// ones.
func (q *Queue) reshard(n int) {
	q.sealAll()
	q.old, q.current = q.current, newGeneration(n)
	q.old.sealed = true
	for _, s := range q.old.shards {
		s.wake()
	}
	q.counts.Resharded++
}
