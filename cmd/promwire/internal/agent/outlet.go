package agent

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/outlets"
	"github.com/promwire/promwire/remote"
)

// Outlet is one place where everything is written to.
type Outlet struct {
	// Name is for logs and metrics: it holds no password.
	Name string
	// Writer sends one request, once. Errors for which promwire.Retryable is true are tried again.
	Writer promwire.Writer
	// Preflight is the one in Writer, nil for none: for the figures.
	Preflight *outlets.Preflight
	// Before is put in front of what waits, to change or drop series. nil changes nothing.
	Before func(promwire.Writer) promwire.Writer
	// Options are those of the queue, or of the delivery if there is a spool. Hooks are the agent's. BatchSamples is no more
	// than MaxBatchSamples; it and BatchDeadline are those of the agent if they are 0.
	Options remote.QueueOptions
}

// Failing is a writer for a place that nothing can be written to. Whatever comes counts as refused.
func Failing(err error) promwire.Writer {
	if promwire.Retryable(err) {
		err = fmt.Errorf("%w: %w", promwire.ErrUnsupported, err)
	}
	return failing{err}
}

type failing struct{ err error }

func (f failing) Write(context.Context, *promwire.WriteRequest) (promwire.WriteStats, error) {
	return promwire.WriteStats{}, f.err
}

// store keeps what is to be written until it is.
type store interface {
	// limit bounds the samples of a request.
	limit() int
	// take keeps a request, or says in the log that it can't.
	take(req *promwire.WriteRequest)
	figures() []outlets.Figures
	// end sends what waits until ctx ends.
	end(ctx context.Context)
}

// outlet is an Outlet behind a queue in memory. It is a store.
type outlet struct {
	outlets.Watch

	mu      sync.Mutex // guards what follows
	now     *stage
	older   []*stage        // which are emptied before the present one
	past    outlets.Figures // of those that are empty
	ending  sync.WaitGroup
	endCtx  context.Context // bounds the time of older ones
	endSoon context.CancelFunc
}

// stage is a queue, with what is before and behind it.
type stage struct {
	Outlet
	limits limits
	queue  *remote.Queue
	front  promwire.Writer // the queue, with what is before it
	road   *road
}

// limits are the settings with which a queue is made.
type limits struct {
	samples, memory                   int
	deadline, age, minPause, maxPause time.Duration
}

func limitsOf(o *Outlet, c *Config) limits {
	return limits{
		samples: min(cmp.Or(o.Options.BatchSamples, c.BatchSamples), MaxBatchSamples), memory: o.Options.MemoryBytes,
		deadline: cmp.Or(o.Options.BatchDeadline, c.BatchDeadline), age: o.Options.MaxSampleAge,
		minPause: o.Options.MinBackoff, maxPause: o.Options.MaxBackoff,
	}
}

// road is what a queue writes to: a writer that may be replaced, once what is older is gone.
type road struct {
	after <-chan struct{}
	next  atomic.Pointer[promwire.Writer]
}

// Write implements promwire.Writer.
func (r *road) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	select {
	case <-r.after:
	case <-ctx.Done():
		return promwire.WriteStats{}, ctx.Err()
	}
	return (*r.next.Load()).Write(ctx, req)
}

func newOutlet(o Outlet, c *Config) (*outlet, error) {
	out := &outlet{Watch: outlets.Watch{Name: o.Name, Logger: c.Logger.With("write", o.Name)}}
	out.endCtx, out.endSoon = context.WithCancel(context.Background())
	first := make(chan struct{})
	close(first)
	var err error
	out.now, err = out.newStage(o, c, first)
	return out, err
}

// newStage makes a stage that sends when after is closed.
func (o *outlet) newStage(of Outlet, c *Config, after <-chan struct{}) (*stage, error) {
	s := &stage{limits: limitsOf(&of, c), road: &road{after: after}}
	options := of.Options
	options.BatchSamples, options.BatchDeadline = s.limits.samples, s.limits.deadline
	options.MinShards, options.MaxShards, options.KeepTogether = 1, 1, true // a scrape stays together, and series stay in order
	options.WhenFull = remote.DropOldestWhenFull
	options.Hooks = remote.QueueHooks{
		Delivered: func(remote.QueueBatch, promwire.WriteStats, time.Duration) { o.Recovered() },
		Retrying:  func(_ remote.QueueBatch, _ int, _ time.Duration, err error) { o.Retrying(err) },
		Refused:   func(b remote.QueueBatch, err error) { o.Refused(b.Request.Stats(), err) },
		Dropped:   o.dropped,
	}
	var err error
	if s.queue, err = remote.NewQueue(s.road, options); err != nil {
		return nil, fmt.Errorf("%s: %w", of.Name, err)
	}
	s.set(of)
	return s, nil
}

// set gives a stage what is before and behind its queue.
func (s *stage) set(o Outlet) {
	s.Outlet = o
	s.road.next.Store(&o.Writer)
	s.front = s.queue
	if o.Before != nil {
		s.front = o.Before(s.queue)
	}
}

// reload prepares to go on with other settings: commit goes on with them, or with the old ones if it is given false.
// Where the queue has to be another one, it sends when the old one is empty, or has had flushTime for it.
func (o *outlet) reload(to Outlet, c *Config) (commit func(bool), err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if limitsOf(&to, c) == o.now.limits {
		return func(ok bool) {
			o.mu.Lock()
			defer o.mu.Unlock()
			if ok {
				o.now.set(to)
			}
		}, nil
	}
	empty := make(chan struct{})
	next, err := o.newStage(to, c, empty)
	if err != nil {
		return nil, err
	}
	return func(ok bool) {
		if !ok {
			_, _ = next.queue.Shutdown(context.Background()) // nothing is in it
			return
		}
		o.replace(next, to, empty)
	}, nil
}

// flushTime bounds the time in which the queues of the past, and of places that are no more, are emptied.
const flushTime = time.Minute

func (o *outlet) replace(next *stage, to Outlet, empty chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	old := o.now
	old.road.next.Store(&to.Writer)
	o.now, o.older = next, append(o.older, old)
	o.ending.Go(func() {
		defer close(empty)
		ctx, cancel := context.WithTimeout(o.endCtx, flushTime)
		defer cancel()
		o.shutdown(ctx, old)
		o.mu.Lock()
		defer o.mu.Unlock()
		o.past.Add(old.figures())
		o.older = slices.DeleteFunc(o.older, func(s *stage) bool { return s == old })
	})
}

func (o *outlet) limit() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now.limits.samples
}

// take puts a request into the queue. It does not wait.
func (o *outlet) take(req *promwire.WriteRequest) {
	o.mu.Lock()
	_, err := o.now.front.Write(context.Background(), req)
	o.mu.Unlock()
	if err != nil {
		if n, ok := o.Refusals.Allow(); ok {
			o.Logger.Error("scrape is not taken and lost", "samples", req.Stats().Samples, "error", err, "not_logged", n)
		}
	}
}

func (o *outlet) dropped(b remote.QueueBatch, reason error) {
	if n, ok := o.Refusals.Allow(); ok {
		o.Logger.Error("samples are dropped", "samples", b.Request.Stats().Samples, "error", reason, "not_logged", n)
	}
}

// end sends what waits, until ctx ends.
func (o *outlet) end(ctx context.Context) {
	defer context.AfterFunc(ctx, o.endSoon)()
	o.mu.Lock()
	now := o.now
	o.mu.Unlock()
	o.shutdown(ctx, now)
	o.endSoon()
	o.ending.Wait()
}

func (o *outlet) shutdown(ctx context.Context, s *stage) {
	if _, err := s.queue.Shutdown(ctx); err != nil {
		o.Logger.Error("not everything could be written before the end", "error", err)
	}
}
