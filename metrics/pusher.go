package metrics

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/promwire/promwire"
)

// Pusher sends what a [Registry] recorded. It is safe for concurrent use; pushes of one registry take turns, so that
// each series stays in order of time.
type Pusher struct {
	reg    *Registry
	w      promwire.Writer
	limits limits

	// Of Run.
	ttl, lastPush time.Duration
	onError       func(error)
}

// PusherOption is an option of [NewPusher].
type PusherOption func(*Pusher)

// DefaultMaxSamples is the number of samples from which on a push takes more than one request.
const DefaultMaxSamples = 10_000

// WithMaxSamples bounds the samples of one request, native histograms included; the default is [DefaultMaxSamples]. A
// push of more takes several requests. The series of one histogram stay together, so that a request holds at least one
// sample of each of them. It panics if n is not positive.
func WithMaxSamples(n int) PusherOption {
	if n <= 0 {
		panic("metrics: WithMaxSamples: not positive")
	}
	return func(p *Pusher) { p.limits.samples = n }
}

// WithMaxSeries bounds the series of one request, as [WithMaxSamples] does the samples; there is no bound by default.
// It panics if n is not positive.
func WithMaxSeries(n int) PusherOption {
	if n <= 0 {
		panic("metrics: WithMaxSeries: not positive")
	}
	return func(p *Pusher) { p.limits.series = n }
}

// NewPusher makes a Pusher that sends r's changes to w, such as a remote-write client.
func NewPusher(r *Registry, w promwire.Writer, opts ...PusherOption) *Pusher {
	p := &Pusher{reg: r, w: w, limits: limits{series: math.MaxInt, samples: DefaultMaxSamples}, lastPush: DefaultLastPush}
	for _, o := range opts {
		o(p)
	}
	return p
}

// Push sends what was recorded since the last push that succeeded, in one request or as few as [WithMaxSamples] and
// [WithMaxSeries] allow; if that is nothing, it sends nothing. Metrics are in the order in which they were made, and so are the series of each; a histogram's are its
// native form, its buckets by ascending bound, count and sum. Recording goes on meanwhile.
//
// Errors of the Writer decide what the next Push sends besides new recordings:
//   - a [*promwire.PartialWriteError], or a [*promwire.HTTPError] with status 400, 409 or 422, by which receivers refuse
//     samples for good, maybe after they have stored some: the values that have no time of their own, as of that push;
//     if the error names what was refused, only those of series of which the newest sample was, unless the reason is
//     about the series, such as its labels, and not about the sample's time;
//   - any other error, a partial one with another status too: everything.
//
// That holds for each request of a push on its own; after an error of the last kind, no more are sent. Errors of
// several requests are joined; the indexes in a PartialWriteError are those in its request.
//
// With a [State], values that are to be sent again are kept for later runs too; the error then also is [ErrKept].
//
// An error that is [ErrInvalidValue] tells of recordings left out since the last push; if it is nothing else, the
// request succeeded.
func (p *Pusher) Push(ctx context.Context) error { return p.push(ctx, nil) }

// push is Push; prepare, if given, sees each series first.
func (p *Pusher) push(ctx context.Context, prepare func(s collector, now int64)) error {
	b := &p.reg.batch
	if err := b.take(ctx); err != nil {
		return err
	}
	defer b.release()
	b.gather(p.reg, prepare)
	left := p.reg.refused.take()
	if len(b.groups) == 0 {
		return left
	}
	err := p.deliver(ctx, b)
	if left != nil {
		return errors.Join(err, left)
	}
	return err
}

func (p *Pusher) deliver(ctx context.Context, b *batch) error {
	if err := p.reg.state.intend(b); err != nil {
		return err
	}
	err := p.reg.state.note(b, p.send(ctx, b))
	b.settle()
	return err
}
