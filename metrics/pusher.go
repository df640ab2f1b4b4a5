package metrics

import (
	"context"
	"errors"
	"fmt"

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
// If the error is, as by errors.As, a [*promwire.PartialWriteError], the refused samples will never be accepted: they
// are not sent again. After any other error of the Writer the next Push sends everything again. An error that
// is [ErrInvalidValue] tells of recordings left out since the last push; if it is nothing else, the request succeeded.
func (p *Pusher) Push(ctx context.Context) error {
	b := &p.reg.batch
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return fmt.Errorf("metrics: waiting for another push: %w", ctx.Err())
	}
	b.gather(p.reg)
	refused := p.reg.refused.take()
	if len(b.req.Timeseries) == 0 {
		return refused
	}
	_, err := p.w.Write(ctx, &b.req)
	var partial *promwire.PartialWriteError
	if err == nil || errors.As(err, &partial) {
		b.delivered()
	}
	if refused != nil {
		return errors.Join(err, refused)
	}
	return err
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

func (b *batch) delivered() {
	for _, s := range b.sending {
		s.delivered()
	}
}
