package remote

import (
	"errors"
	"fmt"
	"time"

	"github.com/promwire/promwire"
)

// The defaults of [QueueOptions].
const (
	DefaultBatchSamples  = 2000
	DefaultBatchBytes    = 4 << 20
	DefaultBatchDeadline = 5 * time.Second
	DefaultMaxShards     = 16
	DefaultQueueMemory   = 64 << 20
)

// minQueueMemory is the least memory that a queue can work with.
const minQueueMemory = 64 << 10

// FullPolicy says what [Queue.Write] does when the queue has no memory left.
type FullPolicy int

const (
	// BlockWhenFull waits until there is room, or the context ends.
	BlockWhenFull FullPolicy = iota
	// DropOldestWhenFull drops the batch that waits longest, and reports it. Batches that are being sent stay; if there
	// are no others, it fails as FailWhenFull.
	DropOldestWhenFull
	// FailWhenFull returns [ErrQueueFull], and nothing of the request is taken.
	FailWhenFull
)

// QueueOptions are the settings of a [Queue]. A field that is 0 has its default.
type QueueOptions struct {
	// BatchSamples bounds the samples and histograms of a batch. Default 2,000.
	BatchSamples int
	// BatchBytes bounds the message, estimated before compression. Default 4 MiB. A single series may exceed it.
	BatchBytes int
	// BatchDeadline is how long data wait for their batch to become full. Default 5 seconds; negative for none: each
	// Write becomes batches of its own.
	BatchDeadline time.Duration
	// KeepTogether keeps what a Write brings for one shard in one batch if it fits into one, such as a scrape; with
	// MaxShards 1 that is the whole request. Batches are less full then.
	KeepTogether bool

	// MinShards and MaxShards bound the number of requests that are on their way at the same time. Default 1 and 16;
	// MaxShards is at least MinShards. The number in between follows the load, see [Queue].
	MinShards, MaxShards int

	// MemoryBytes bounds the memory for waiting data, counted as it is taken from the heap. Default 64 MiB, at least
	// 64 KiB. The last Write before the bound may exceed it, as memory is taken in pieces: by up to some 256 KiB for each
	// shard that gets something of it. A request that does not fit into an empty queue fails with
	// [promwire.ErrTooLarge]. A sample of a series with ten labels takes some 700 bytes.
	MemoryBytes int
	// WhenFull says what happens beyond that bound. Default BlockWhenFull.
	WhenFull FullPolicy

	// MaxSampleAge drops samples and histograms whose timestamps are older when they are about to be sent. Default: no
	// limit.
	MaxSampleAge time.Duration

	// MinBackoff and MaxBackoff bound the pause before the same batch is sent again: it doubles each time, and varies by
	// up to 5 %. Default 30 ms and 5 seconds. A receiver that asks for another pause gets it, up to 5 minutes.
	MinBackoff, MaxBackoff time.Duration

	// WaitForDelivery makes Write return when the data are delivered or refused, with the counts and refusals of its own
	// series. Concurrent Writes still share batches; a short BatchDeadline keeps the wait short.
	WaitForDelivery bool

	// DeadLetters gets the series that the receiver refused for good. It is called once for each batch; what it does not
	// take is lost, and the Refused hook is told so. A [DeadLetterFile] gets the text of the batch's error as reason.
	DeadLetters promwire.Writer
	// Hooks are called when something happens.
	Hooks QueueHooks
}

// QueueHooks are functions that a [Queue] calls; each may be nil. They are called by several goroutines, without a
// lock, and what they are given is valid until they return. A hook that takes long holds up its shard; it must not
// call Write, Flush or Shutdown of the queue.
type QueueHooks struct {
	// Delivered is called with each batch that was written, what the writer says it has written, and the time it took.
	Delivered func(b QueueBatch, stats promwire.WriteStats, took time.Duration)
	// Retrying is called before the pause that precedes another attempt; attempt counts the failed ones, from 1.
	Retrying func(b QueueBatch, attempt int, pause time.Duration, err error)
	// Refused is called with what the writer refused for good: the items that its error names, or all of the batch if it
	// names none.
	Refused func(b QueueBatch, err error)
	// Dropped is called with what the queue gave up: [ErrQueueFull] for DropOldestWhenFull, [promwire.ErrTooOld] for
	// MaxSampleAge.
	Dropped func(b QueueBatch, reason error)
	// Resharded is called when the number of shards changes.
	Resharded func(from, to int)
}

// QueueBatch is data in a [Queue].
type QueueBatch struct {
	// Tenant is that of the context of Write, see [promwire.ContextWithTenant].
	Tenant  string
	Request *promwire.WriteRequest
}

// Errors of a [Queue]. Both wrap [promwire.ErrUnavailable].
var (
	ErrQueueFull   = fmt.Errorf("queue is full: %w", promwire.ErrUnavailable)
	ErrQueueClosed = fmt.Errorf("queue is shut down: %w", promwire.ErrUnavailable)
)

func (o QueueOptions) withDefaults() (QueueOptions, error) {
	if o.BatchSamples < 0 || o.BatchBytes < 0 || o.MinShards < 0 || o.MaxShards < 0 || o.MaxSampleAge < 0 ||
		o.MinBackoff < 0 || o.MaxBackoff < 0 {
		return o, errors.New("remote: NewQueue: an option is negative")
	}
	o.BatchSamples = orDefault(o.BatchSamples, DefaultBatchSamples)
	o.BatchBytes = orDefault(o.BatchBytes, DefaultBatchBytes)
	o.BatchDeadline = orDefault(o.BatchDeadline, DefaultBatchDeadline)
	o.MinShards = orDefault(o.MinShards, 1)
	o.MaxShards = orDefault(o.MaxShards, max(DefaultMaxShards, o.MinShards))
	o.MemoryBytes = orDefault(o.MemoryBytes, DefaultQueueMemory)
	o.MinBackoff = orDefault(o.MinBackoff, DefaultMinBackoff)
	o.MaxBackoff = orDefault(o.MaxBackoff, max(DefaultMaxBackoff, o.MinBackoff))
	switch {
	case o.MaxShards < o.MinShards:
		return o, fmt.Errorf("remote: NewQueue: MaxShards %d is less than MinShards %d", o.MaxShards, o.MinShards)
	case o.MaxBackoff < o.MinBackoff:
		return o, fmt.Errorf("remote: NewQueue: MaxBackoff %v is less than MinBackoff %v", o.MaxBackoff, o.MinBackoff)
	case o.MemoryBytes < minQueueMemory:
		return o, fmt.Errorf("remote: NewQueue: MemoryBytes %d is less than %d", o.MemoryBytes, minQueueMemory)
	case o.WhenFull < BlockWhenFull || o.WhenFull > FailWhenFull:
		return o, fmt.Errorf("remote: NewQueue: unknown policy %d", o.WhenFull)
	}
	return o, nil
}
