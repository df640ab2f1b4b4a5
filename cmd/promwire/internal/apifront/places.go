package apifront

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// Places bounds how many queries run at the same time. It is also the query tracker of Prometheus' engine.
type Places struct {
	taken            chan struct{}
	waiting, refused atomic.Int64
}

// NewPlaces returns n places, at least one.
func NewPlaces(n int) *Places { return &Places{taken: make(chan struct{}, max(n, 1))} }

// GetMaxConcurrent returns how many places there are.
func (p *Places) GetMaxConcurrent() int { return cap(p.taken) }

// Running is how many are taken, Waiting how many wait for one, and Refused how many got none in their time.
func (p *Places) Running() int   { return len(p.taken) }
func (p *Places) Waiting() int64 { return p.waiting.Load() }
func (p *Places) Refused() int64 { return p.refused.Load() }

// Insert waits for a place, as long as ctx does. What it returns besides the error means nothing; whoever has got a place
// calls Delete.
func (p *Places) Insert(ctx context.Context, _ string) (int, error) {
	if ctx.Err() == nil {
		select {
		case p.taken <- struct{}{}:
			return 0, nil
		default:
		}
		p.waiting.Add(1)
		defer p.waiting.Add(-1)
		select {
		case p.taken <- struct{}{}:
			return 0, nil
		case <-ctx.Done():
		}
	}
	p.refused.Add(1)
	if err := ctx.Err(); !errors.Is(err, context.DeadlineExceeded) {
		return 0, err
	}
	return 0, fmt.Errorf("query timed out in query queue: %d queries run already, as many as --query.max-concurrency lets: %w", cap(p.taken), ctx.Err())
}

// Delete gives a place back.
func (p *Places) Delete(int) { <-p.taken }

// Close makes Places a query tracker.
func (*Places) Close() error { return nil }
