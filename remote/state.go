package remote

import (
	"maps"
	"sync"

	"github.com/promwire/promwire"
)

// WriteState is what a [WriteClient] has found out about its endpoint, and what it has done since it was made.
type WriteState struct {
	// MessageType is what the next Write tries first.
	MessageType promwire.MessageType
	// ContentEncoding is how the next Write compresses.
	ContentEncoding string
	// NoV2, NoV1 and NoEncoding say since when, why and until when the client does without 2.0, without 1.0 and without
	// the compression of [WithCompression].
	NoV2, NoV1, NoEncoding Fallback
	// Requests counts what was sent, Retries those of them that repeated a failed one, Fallbacks those that sent the same
	// data as another message or in another encoding.
	Requests, Retries, Fallbacks int64
	// Statuses counts the answers by status; those that did not come have 0.
	Statuses map[int]int64
}

// State returns what the client knows and what it has done.
func (c *WriteClient) State() WriteState {
	s := c.counts.snapshot()
	now := c.now()
	s.MessageType = c.MessageType()
	s.ContentEncoding = c.choice.compression(now, c.compression).ContentEncoding()
	c.choice.mu.Lock()
	defer c.choice.mu.Unlock()
	keep(&s.NoV1, &c.choice.noV1, c)
	keep(&s.NoV2, &c.choice.noV2, c)
	keep(&s.NoEncoding, &c.choice.noEncoding, c)
	return s
}

func keep(dst, f *Fallback, c *WriteClient) {
	if f.holds(c.now()) {
		*dst = *f
	}
}

// writeCounts counts what a client did. It is safe for concurrent use.
type writeCounts struct {
	mu                           sync.Mutex
	requests, retries, fallbacks int64
	statuses                     map[int]int64 // at most 1,000: net/http takes statuses of three digits
}

func (c *writeCounts) answered(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests++
	if c.statuses == nil {
		c.statuses = map[int]int64{}
	}
	c.statuses[status]++
}

func (c *writeCounts) retried() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.retries++
}

func (c *writeCounts) fellBack() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fallbacks++
}

func (c *writeCounts) snapshot() WriteState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return WriteState{
		Requests: c.requests, Retries: c.retries, Fallbacks: c.fallbacks, Statuses: maps.Clone(c.statuses),
	}
}
