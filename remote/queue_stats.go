package remote

import (
	"iter"
	"time"

	"github.com/promwire/promwire"
)

// QueueStats says what a [Queue] has done and holds. Accepted is the sum of Delivered, Refused, DroppedFull, DroppedAge,
// Abandoned and Pending, if the writer behind the queue counts right.
type QueueStats struct {
	// Accepted is what Write has taken; Rejected is what it has not, for lack of room.
	Accepted, Rejected promwire.WriteStats
	// Delivered is what the writer says it has written.
	Delivered promwire.WriteStats
	// Refused is what the writer refused for good; DeadLetters is what of it the writer for dead letters took.
	Refused, DeadLetters promwire.WriteStats
	// DroppedFull is what had to go for newer data, DroppedAge what became too old.
	DroppedFull, DroppedAge promwire.WriteStats
	// Abandoned is what Shutdown returned.
	Abandoned promwire.WriteStats

	// Batches counts those delivered or refused; Retries counts the attempts that failed and were followed by a pause.
	Batches, Retries int64
	// Shards is the number of shards that take data; Resharded counts its changes.
	Shards, Resharded int

	// Pending is what waits or is being sent.
	Pending promwire.WriteStats
	// PendingBatches counts the requests that it makes.
	PendingBatches int
	// OldestPending is how long the oldest of it has been in the queue.
	OldestPending time.Duration
	// Bytes is the memory for data, that kept for reuse included; PeakBytes is the most it has been.
	Bytes, PeakBytes int
}

// Stats returns the current figures.
func (q *Queue) Stats() QueueStats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.counts
	s.Bytes, s.Shards = q.bytes, len(q.current.shards)
	now := time.Now()
	for b := range q.pending() {
		s.Pending = s.Pending.Add(b.stats)
		s.PendingBatches++
		s.OldestPending = max(s.OldestPending, now.Sub(b.opened))
	}
	return s
}

// pending yields all batches whose fate is not known. The caller holds the lock.
func (q *Queue) pending() iter.Seq[*batch] {
	return func(yield func(*batch) bool) {
		for s := range q.shards() {
			if s.sending != nil && !yield(s.sending) {
				return
			}
			for _, b := range s.waiting {
				if !yield(b) {
					return
				}
			}
		}
	}
}
