package agent

import (
	"context"
	"fmt"
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
	// Options are those of the queue. Batches, deadline and hooks are the agent's.
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
	// take keeps a request, or says in the log that it can't.
	take(req *promwire.WriteRequest)
	figures() []outlets.Figures
	// end sends what waits until ctx ends.
	end(ctx context.Context)
}

// outlet is an Outlet behind a queue in memory. It is a store.
type outlet struct {
	outlets.Watch
	preflight *outlets.Preflight
	queue     *remote.Queue
	front     promwire.Writer // the queue, with what is before it
}

func newOutlet(o Outlet, c *Config) (*outlet, error) {
	out := &outlet{Watch: outlets.Watch{Name: o.Name, Logger: c.Logger.With("write", o.Name)}, preflight: o.Preflight}
	options := o.Options
	options.BatchSamples, options.BatchDeadline = c.BatchSamples, c.BatchDeadline
	options.MinShards, options.MaxShards, options.KeepTogether = 1, 1, true // a scrape stays together, and series stay in order
	options.WhenFull = remote.DropOldestWhenFull
	options.Hooks = remote.QueueHooks{
		Delivered: func(remote.QueueBatch, promwire.WriteStats, time.Duration) { out.Recovered() },
		Retrying:  func(_ remote.QueueBatch, _ int, _ time.Duration, err error) { out.Retrying(err) },
		Refused:   func(b remote.QueueBatch, err error) { out.Refused(b.Request.Stats(), err) },
		Dropped:   out.dropped,
	}
	var err error
	if out.queue, err = remote.NewQueue(o.Writer, options); err != nil {
		return nil, fmt.Errorf("%s: %w", o.Name, err)
	}
	out.front = out.queue
	if o.Before != nil {
		out.front = o.Before(out.queue)
	}
	return out, nil
}

// take puts a request into the queue. It does not wait.
func (o *outlet) take(req *promwire.WriteRequest) {
	if _, err := o.front.Write(context.Background(), req); err != nil {
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
	if _, err := o.queue.Shutdown(ctx); err != nil {
		o.Logger.Error("not everything could be written before the end", "error", err)
	}
}
