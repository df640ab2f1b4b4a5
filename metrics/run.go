package metrics

import (
	"context"
	"fmt"
	"time"

	"github.com/promwire/promwire"
)

// DefaultLastPush is how long the last push of [Pusher.Run] may take.
const DefaultLastPush = 10 * time.Second

// WithLastPush bounds the last push of [Pusher.Run], which goes on after its context has ended; [DefaultLastPush] by
// default. With 0 or less there is no time for it: what was not delivered stays in the registry, and in the state if
// there is one.
func WithLastPush(d time.Duration) PusherOption { return func(p *Pusher) { p.lastPush = d } }

// WithTTL sets how long after its last recording [Pusher.Run] goes on sending the value of a series. The default is 0:
// as long as Run runs, as if it were scraped. A counter that comes back after that time goes on from its value.
func WithTTL(d time.Duration) PusherOption { return func(p *Pusher) { p.ttl = d } }

// WithErrorHandler has [Pusher.Run] call f with the error of each push but the last one, whose error it returns. By
// default they are dropped: the next push carries what a failed one did not deliver. Run waits for f.
func WithErrorHandler(f func(error)) PusherOption { return func(p *Pusher) { p.onError = f } }

// Run pushes at each interval, the first time after one, until ctx ends; then it pushes what is left, within the time
// of [WithLastPush], and returns the error of that. An interval that passes during a push is left out.
//
// Its pushes send unchanged values too, until their TTL ([WithTTL]), since Prometheus loses sight of a series five
// minutes after its newest sample: choose an interval well below that. Series in which anything was recorded with a
// time of its own are never repeated, since the caller's next time may be earlier than now.
func (p *Pusher) Run(ctx context.Context, interval time.Duration) error {
	if interval <= 0 {
		return fmt.Errorf("metrics: Run: the interval %v is not positive", interval)
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.lastPush)
			defer cancel()
			return p.Push(last)
		case <-ticker.C:
			if err := p.push(ctx, p.repeat); err != nil && p.onError != nil && ctx.Err() == nil {
				p.onError(err)
			}
		}
	}
}

// repeat has a series send its value again, if it is not too old.
func (p *Pusher) repeat(s collector, now int64) {
	tl := s.line()
	tl.again = tl.begun && (p.ttl <= 0 || now-tl.recorded < p.ttl.Milliseconds())
}

// Close pushes what is left and then, if that succeeds, marks the series as ended, so that queries lose sight of them at
// once and not five minutes later. Series in which anything was recorded with a time of its own are not marked, and
// none is if the registry has a [State]: a later run continues them.
//
// Record nothing in the meantime. What is recorded and pushed afterwards brings a series back.
func (p *Pusher) Close(ctx context.Context) error {
	if err := p.Push(ctx); err != nil || p.reg.state != nil {
		return err
	}
	b := &p.reg.batch
	if err := b.take(ctx); err != nil {
		return err
	}
	defer b.release()
	b.gather(p.reg, func(s collector, _ int64) { s.line().again = s.line().begun })
	for i := range b.groups {
		if g := &b.groups[i]; g.from.line().repeated {
			b.markStale(g)
		}
	}
	return p.deliver(ctx, b)
}

// markStale turns the newest samples of a group into stale markers.
func (b *batch) markStale(g *group) {
	for i := g.lo; i < g.hi; i++ {
		ts := &b.req.Timeseries[i]
		ts.Exemplars = nil
		if n := len(ts.Samples); n > 0 {
			ts.Samples[n-1] = promwire.Sample{Timestamp: ts.Samples[n-1].Timestamp, Value: promwire.StaleNaN()}
		}
		if n := len(ts.Histograms); n > 0 {
			ts.Histograms[n-1] = promwire.Histogram{Timestamp: ts.Histograms[n-1].Timestamp, Sum: promwire.StaleNaN()}
		}
	}
}
