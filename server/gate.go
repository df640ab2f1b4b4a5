package server

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/promwire/promwire"
)

// gate bounds how many requests are in work at the same time. The nil gate lets all pass.
type gate chan struct{}

func newGate(size int) gate {
	if size == math.MaxInt {
		return nil
	}
	return make(gate, size)
}

// enter waits for a slot for as long as ctx allows. The caller leaves when it is done.
func (g gate) enter(ctx context.Context) error {
	if g == nil {
		return nil
	}
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: gave up waiting for one of %d slots: %w", promwire.ErrUnavailable, cap(g), ctx.Err())
	}
}

// enterWithin waits for a slot, d at most.
func (g gate) enterWithin(ctx context.Context, d time.Duration) error {
	if g.tryEnter() {
		return nil
	}
	limited, cancel := context.WithTimeoutCause(ctx, d, errBusy)
	defer cancel()
	err := g.enter(limited)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: no place within %v", errBusy, d)
	}
	return err
}

// tryEnter takes a slot if one is free.
func (g gate) tryEnter() bool {
	if g == nil {
		return true
	}
	select {
	case g <- struct{}{}:
		return true
	default:
		return false
	}
}

func (g gate) leave() {
	if g != nil {
		<-g
	}
}
