package server

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/promwire/promwire"
)

// budget bounds the time that a request spends in the storage. While it sends to its client, the clock stands still.
type budget struct {
	limit, left time.Duration
	since       time.Time
	timer       *time.Timer // nil for no limit
}

// newBudget returns a context that ends when the time is over. The caller cancels it when the request is done.
func newBudget(ctx context.Context, limit time.Duration) (*budget, context.Context, context.CancelFunc) {
	b := &budget{limit: limit, left: limit, since: time.Now()}
	if limit == math.MaxInt64 {
		ctx, cancel := context.WithCancel(ctx)
		return b, ctx, cancel
	}
	ctx, cancel := context.WithCancelCause(ctx)
	b.timer = time.AfterFunc(limit, func() { cancel(b) })
	return b, ctx, func() { b.timer.Stop(); cancel(nil) }
}

// Error implements error: b is the cause for which its context ends.
func (b *budget) Error() string {
	return fmt.Sprintf("reading took more than %v; ask for fewer series or less time", b.limit)
}

// Unwrap makes it a failure that may pass.
func (b *budget) Unwrap() error { return promwire.ErrUnavailable }

// stop lets the clock stand still until start.
func (b *budget) stop() {
	if b != nil && b.timer != nil && b.timer.Stop() {
		b.left -= time.Since(b.since)
	}
}

func (b *budget) start() {
	if b != nil && b.timer != nil {
		b.since = time.Now()
		b.timer.Reset(max(b.left, 0))
	}
}

// explain returns the reason for which reading failed with err: the storage may have said so in its own words.
func (b *budget) explain(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), b) {
		return b
	}
	return err
}
