package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// Outlet is one place where everything is written to.
type Outlet struct {
	// Name is for logs and metrics: it holds no password.
	Name string
	// Writer sends one request, once. Errors for which promwire.Retryable is true are tried again.
	Writer promwire.Writer
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
	figures() []OutletFigures
	// end sends what waits until ctx ends.
	end(ctx context.Context)
}

// watch tells in the log how writing to one place goes.
type watch struct {
	name     string
	logger   *slog.Logger
	refusals limiter
	failing  atomic.Bool // the last attempt failed and is going to be repeated
}

// outlet is an Outlet behind a queue in memory. It is a store.
type outlet struct {
	watch
	queue *remote.Queue
	front promwire.Writer // the queue, with what is before it
}

func newOutlet(o Outlet, c *Config) (*outlet, error) {
	out := &outlet{watch: watch{name: o.Name, logger: c.Logger.With("write", o.Name)}}
	options := o.Options
	options.BatchSamples, options.BatchDeadline = c.BatchSamples, c.BatchDeadline
	options.MinShards, options.MaxShards, options.KeepTogether = 1, 1, true // a scrape stays together, and series stay in order
	options.WhenFull = remote.DropOldestWhenFull
	options.Hooks = remote.QueueHooks{
		Delivered: func(remote.QueueBatch, promwire.WriteStats, time.Duration) { out.recovered() },
		Retrying:  func(_ remote.QueueBatch, _ int, _ time.Duration, err error) { out.retrying(err) },
		Refused:   func(b remote.QueueBatch, err error) { out.refused(b.Request.Stats(), err) },
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
		if n, ok := o.refusals.allow(); ok {
			o.logger.Error("scrape is not taken and lost", "samples", req.Stats().Samples, "error", err, "not_logged", n)
		}
	}
}

// retrying logs the first failure of several.
func (o *watch) retrying(err error) {
	if !o.failing.Swap(true) {
		o.logger.Warn("writing fails, and is tried again", "error", brief(err))
		return
	}
	o.logger.Debug("writing fails again", "error", brief(err))
}

func (o *watch) recovered() {
	if o.failing.Swap(false) {
		o.logger.Info("writing works again")
	}
}

// refused logs an answer as it came.
func (o *watch) refused(what promwire.WriteStats, err error) {
	n, ok := o.refusals.allow()
	if !ok {
		return
	}
	args := []any{"samples", points(what), "error", brief(err), "not_logged", n}
	var answer *promwire.HTTPError
	if errors.As(err, &answer) {
		args = append(args, "status", answer.StatusCode, "answer", answer.Body)
	}
	o.logger.Error("request is refused, what it names is dropped", args...)
}

// brief is the text of an error, cut: it may repeat the answer, which is logged on its own.
func brief(err error) string {
	const most = 400
	text := err.Error()
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}

func (o *outlet) dropped(b remote.QueueBatch, reason error) {
	if n, ok := o.refusals.allow(); ok {
		o.logger.Error("samples are dropped", "samples", b.Request.Stats().Samples, "error", reason, "not_logged", n)
	}
}

// end sends what waits, until ctx ends.
func (o *outlet) end(ctx context.Context) {
	if _, err := o.queue.Shutdown(ctx); err != nil {
		o.logger.Error("not everything could be written before the end", "error", err)
	}
}

// limiter allows a few log lines a minute.
type limiter struct {
	mu      sync.Mutex
	since   time.Time
	allowed int
	skipped int
}

// perMinute is how many log lines a limiter allows.
const perMinute = 10

// allow reports whether a line may be logged, and how many were not since the last one.
func (l *limiter) allow() (skipped int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.since) > time.Minute {
		l.since, l.allowed = now, 0
	}
	if l.allowed == perMinute {
		l.skipped++
		return 0, false
	}
	l.allowed++
	skipped, l.skipped = l.skipped, 0
	return skipped, true
}
