package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
)

// lane is the memory for one query at a time.
type lane struct {
	chunks  chunker
	stream  streamer
	message sampleMessage
	stats   laneStats
}

// laneStats count what came of the storage, for queries that were read to their end.
type laneStats struct{ series, samples, chunks int }

// takeStats moves what lanes have counted to the statistics of the request.
func (s *readState) takeStats() {
	for i := range s.lanes {
		c := &s.lanes[i].stats
		s.stats.Series += c.series
		s.stats.Samples += c.samples
		s.stats.Chunks += c.chunks
		*c = laneStats{}
	}
}

// release lets go of what is not the lane's, and reports whether it is of usual size.
func (l *lane) release() (usual bool) {
	l.stream.release()
	l.chunks.release()
	l.message.release()
	return l.message.memory() <= maxReadPooled && cap(l.stream.buf) <= maxReadPooled
}

// lanes returns memory for n queries, side by side as far as there are free places; the first has the place of the
// request. The caller gives the others back.
func (h *readHandler) lanes(n int, s *readState) []lane {
	count := 1
	for count < min(n, h.config.limits.MaxParallelQueries) && h.gate.tryEnter() {
		count++
	}
	return s.lanesFor(count)
}

func (h *readHandler) leaveLanes(lanes []lane) {
	for range lanes[1:] {
		h.gate.leave()
	}
}

// crew works on the queries of a request side by side. The first failure ends all of it.
type crew struct {
	ctx    context.Context
	cancel context.CancelFunc
	logger *slog.Logger
	group  sync.WaitGroup

	mu       sync.Mutex
	next     int
	err      error
	panicked any
}

// errGoexit says that a storage has ended the goroutine that asked it.
var errGoexit = errors.New("the storage ended the goroutine that read from it")

// newCrew starts work on n queries, each in one of the lanes. ready is asked before each; it may wait.
func newCrew(ctx context.Context, lanes []lane, n int, logger *slog.Logger, ready func(ctx context.Context) error,
	work func(ctx context.Context, i int, l *lane) error,
) *crew {
	c := &crew{logger: logger}
	c.ctx, c.cancel = context.WithCancel(ctx)
	for k := range lanes {
		c.group.Go(func() { c.run(&lanes[k], n, ready, work) })
	}
	return c
}

func (c *crew) run(l *lane, n int, ready func(context.Context) error, work func(context.Context, int, *lane) error) {
	err := errGoexit
	defer func() {
		if p := recover(); p != nil {
			c.caught(p)
		}
		c.fail(err)
	}()
	for {
		if err = ready(c.ctx); err != nil {
			return
		}
		i := c.take()
		if i >= n {
			return
		}
		err = errGoexit
		if err = work(c.ctx, i, l); err != nil {
			return
		}
	}
}

// take returns the next query.
func (c *crew) take() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	return c.next - 1
}

// fail ends all work, unless err is nil. The first error counts.
func (c *crew) fail(err error) {
	if err == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
	c.cancel()
}

// caught keeps a panic of the storage for the goroutine of the request. Its stack would be lost there.
func (c *crew) caught(p any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.panicked != nil {
		return
	}
	c.panicked = p
	if p != any(http.ErrAbortHandler) {
		c.logger.Error("panic while reading from the storage", "panic", p, "stack", string(debug.Stack()))
	}
}

// wait returns the first failure once nobody works any more. A panic of the storage goes on here.
func (c *crew) wait() error {
	c.group.Wait()
	c.cancel()
	if c.panicked != nil {
		panic(c.panicked)
	}
	return c.err
}

// always is for work that need not wait.
func always(ctx context.Context) error { return ctx.Err() }
