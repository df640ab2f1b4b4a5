package metrics

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/promwire/promwire"
)

// Pusher sends what a [Registry] recorded. It is safe for concurrent use; pushes of one registry take turns, so that
// each series stays in order of time.
type Pusher struct {
	reg *Registry
	w   promwire.Writer
}

// NewPusher makes a Pusher that sends r's changes to w, such as a remote-write client.
func NewPusher(r *Registry, w promwire.Writer) *Pusher { return &Pusher{r, w} }

// Push sends what was recorded since the last push that succeeded, in one request; if that is nothing, it sends
// nothing. Metrics are in the order in which they were made, and so are the series of each; a histogram's are its
// buckets by ascending bound, count and sum. Recording goes on meanwhile.
//
// Errors of the Writer decide what the next Push sends besides new recordings:
//   - a [*promwire.PartialWriteError]: nothing, the refused samples will never be accepted;
//   - a [*promwire.HTTPError] with status 400, 409 or 422, by which receivers refuse data for good, maybe after they
//     have stored some: the values that have no time of their own, as of that push;
//   - any other error, a partial one with another status too: everything.
//
// An error that is [ErrInvalidValue] tells of recordings left out since the last push; if it is nothing else, the
// request succeeded.
func (p *Pusher) Push(ctx context.Context) error {
	b := &p.reg.batch
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return fmt.Errorf("metrics: waiting for another push: %w", ctx.Err())
	}
	b.gather(p.reg)
	left := p.reg.refused.take()
	if len(b.req.Timeseries) == 0 {
		return left
	}
	_, err := p.w.Write(ctx, &b.req)
	o := settled
	if err != nil {
		o = judge(err)
	}
	if o != unknown {
		for _, s := range b.sending {
			s.settle(o)
		}
	}
	if left != nil {
		return errors.Join(err, left)
	}
	return err
}

// outcome is what became of the samples of a push.
type outcome int

const (
	unknown outcome = iota // all must be sent again
	settled                // accepted, or refused for good
	refused                // at least one refused for good, and nobody knows which
)

// judge is the one place that tells whether samples are sent again after an error.
func judge(err error) outcome {
	var partial *promwire.PartialWriteError
	var answer *promwire.HTTPError
	isPartial, isAnswer := errors.As(err, &partial), errors.As(err, &answer)
	switch {
	case isAnswer && answer.StatusCode != http.StatusBadRequest && answer.StatusCode != http.StatusConflict &&
		answer.StatusCode != http.StatusUnprocessableEntity:
		// The receiver did not judge the data, or wants them again.
		return unknown
	case isPartial:
		return settled
	case isAnswer:
		// Sent again, the same samples would be refused again, and take all later pushes with them.
		return refused
	default:
		return unknown
	}
}

// batch is what a push sends. Its memory serves the next one too.
type batch struct {
	turn     chan struct{} // holds an element while a push uses the batch
	families []*family
	sending  []collector
	req      promwire.WriteRequest
}

func (b *batch) gather(r *Registry) {
	now := r.now().UnixMilli()
	r.mu.Lock()
	b.families = append(b.families[:0], r.families...)
	r.mu.Unlock()
	b.sending, b.req.Timeseries = b.sending[:0], b.req.Timeseries[:0]
	for _, f := range b.families {
		f.mu.RLock()
		series := f.series // only ever appended to
		f.mu.RUnlock()
		for _, s := range series {
			before := len(b.req.Timeseries)
			b.req.Timeseries = s.collect(b.req.Timeseries, now)
			if len(b.req.Timeseries) > before {
				b.sending = append(b.sending, s)
			}
		}
	}
}
