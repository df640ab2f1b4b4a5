package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// clock ends a request that makes no progress for a while.
type clock struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer // nil for none
	limit  time.Duration
}

var errStalled = errors.New("the engine sent nothing")

// watch returns a context that ends when limit passes without a tick; 0 is no limit.
func watch(ctx context.Context, limit time.Duration) (context.Context, *clock) {
	c := &clock{limit: limit}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	if limit > 0 {
		c.timer = time.AfterFunc(limit, func() { c.cancel(fmt.Errorf("%w for %v", errStalled, limit)) })
	}
	return c.ctx, c
}

func (c *clock) tick() {
	if c.timer != nil {
		c.timer.Reset(c.limit)
	}
}

func (c *clock) stop() {
	if c.timer != nil {
		c.timer.Stop()
	}
	c.cancel(nil)
}

// explain returns why the request was ended, if it was, in place of what came of that.
func (c *clock) explain(err error) error {
	if cause := context.Cause(c.ctx); err != nil && errors.Is(cause, errStalled) {
		return cause
	}
	return err
}

// watched is the body of an answer.
type watched struct {
	io.ReadCloser
	clock *clock
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if n > 0 {
		w.clock.tick()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = w.clock.explain(err)
	}
	return n, err
}

// Close implements io.Closer.
func (w *watched) Close() error {
	w.clock.stop()
	return w.ReadCloser.Close()
}
