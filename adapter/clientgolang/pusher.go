package clientgolang

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/snapshot"
)

// lastPush bounds the last push of [Pusher.Run], for which its context has no time left.
const lastPush = 10 * time.Second

// Pusher sends what a registry holds. It is safe for concurrent use; pushes take turns. It has no goroutine of its own.
type Pusher struct {
	gatherer  prometheus.Gatherer
	writer    promwire.Writer
	converter *Converter
	turn      chan struct{} // holds an element while a push uses what is below
	req       promwire.WriteRequest
	tracker   snapshot.Tracker
	last      int64 // time of the latest push
}

// NewPusher makes a Pusher that sends what g gathers to w, such as a remote-write client.
func NewPusher(g prometheus.Gatherer, w promwire.Writer, opts ...Option) *Pusher {
	return &Pusher{gatherer: g, writer: w, converter: NewConverter(opts...), turn: make(chan struct{}, 1)}
}

// Push gathers and sends everything in one request, and nothing if there is nothing. Besides the values of now, a request
// holds exemplars that are newer than those of the last push that succeeded, and a stale marker for each series that was
// sent before and is gone. Series whose metrics have a time of their own get no marker, as in a scrape; nor does any
// series while Gather reports an error, since what is missing then may only have failed.
//
// A push that failed loses nothing but the values of its moment: the next one sends the values of its own, and the
// exemplars and markers again. Errors by which receivers refuse data for good (a [*promwire.PartialWriteError], a
// [*promwire.HTTPError] with status 400, 409 or 422) are no reason to send anything again.
//
// The error may hold an [*IncompleteError], for what is missing from the request, and what the Writer returned. Besides
// what Gather allocates, and apart from new series, a push allocates nothing in steady state.
func (p *Pusher) Push(ctx context.Context) error {
	if err := p.lock(ctx); err != nil {
		return err
	}
	defer p.unlock()
	families, gatherErr := p.gatherer.Gather()
	now := p.begin()
	incomplete := p.converter.append(&p.req, families, now, gatherErr)
	if repeated := p.tracker.Observe(&p.req, now, nil); len(repeated) > 0 {
		incomplete = addSkipped(incomplete, repeated)
	}
	if gatherErr == nil {
		p.mark(now)
	}
	return join(incomplete, p.send(ctx))
}

// Close ends all series that were pushed with stale markers, so that queries don't go on seeing them after a program has
// ended on purpose. With [WithoutStaleMarkers] it does nothing. After an error it may be called again, and a Push after
// it begins the series anew.
func (p *Pusher) Close(ctx context.Context) error {
	if err := p.lock(ctx); err != nil {
		return err
	}
	defer p.unlock()
	now := p.begin()
	p.tracker.End()
	p.mark(now)
	return p.send(ctx)
}

// Run pushes at once and then each interval, which must be positive, until ctx is done; then it pushes a last time,
// within ten seconds, and returns that push's error. Errors of the pushes before go to [WithErrorHandler]. A push that
// takes longer than the interval delays the next one. Run sends no stale markers for what is still there: call
// [Pusher.Close] if the program ends for good.
func (p *Pusher) Run(ctx context.Context, interval time.Duration) error {
	if interval <= 0 {
		return fmt.Errorf("clientgolang: interval %v is not positive", interval)
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		if err := p.Push(ctx); err != nil && ctx.Err() == nil {
			p.handle(err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastPush)
	defer cancel()
	return p.Push(last)
}

func (p *Pusher) handle(err error) {
	if f := p.converter.config.onError; f != nil {
		f(err)
		return
	}
	slog.Default().Error("push failed", "error", err)
}

func (p *Pusher) lock(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("clientgolang: waiting for another push: %w", ctx.Err())
	}
}

func (p *Pusher) unlock() { <-p.turn }

// begin empties the request and returns its time. If the clock went back, that is a millisecond after the last one:
// earlier samples would be refused.
func (p *Pusher) begin() int64 {
	p.req.Reset()
	p.last = max(p.converter.config.now().UnixMilli(), p.last+1)
	return p.last
}

// mark ends the series that went away.
func (p *Pusher) mark(now int64) {
	if p.converter.config.noMarkers {
		p.tracker.Forget()
		return
	}
	p.tracker.AppendMarkers(&p.req, now)
}

func (p *Pusher) send(ctx context.Context) error {
	if len(p.req.Timeseries) == 0 {
		p.tracker.Settle()
		return nil
	}
	_, err := p.writer.Write(ctx, &p.req)
	if snapshot.Final(err) {
		p.tracker.Settle()
	}
	return err
}

func join(a, b error) error {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	return errors.Join(a, b)
}
