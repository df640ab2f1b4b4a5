package metrics

import (
	"context"
	"fmt"

	"github.com/promwire/promwire"
)

// batch is what a push sends. Its memory serves the next one too.
type batch struct {
	turn     chan struct{} // holds an element while a push uses the batch
	families []*family
	groups   []group
	req      promwire.WriteRequest
	part     promwire.WriteRequest // what is written at once: some series of req, or long
	long     []promwire.TimeSeries // a stretch of time of a few series of req
}

// group is what a batch holds of one collector.
type group struct {
	from    collector
	lo, hi  int     // its series in the request
	points  int     // samples of each of them
	weight  int     // samples of all of them
	sent    int     // points that a receiver has judged
	verdict verdict // on these
	limit   int64   // time before which points were stored by the request at hand
	afloat  bool    // the newest point has no time of its own
}

// take waits until no other push uses the batch. A turn that is free is taken even if ctx has ended: what follows may
// be worth doing all the same.
func (b *batch) take(ctx context.Context) error {
	select {
	case b.turn <- struct{}{}:
		return nil
	default:
	}
	select {
	case b.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("metrics: waiting for another push: %w", ctx.Err())
	}
}

func (b *batch) release() { <-b.turn }

// gather collects all there is to send; prepare, if given, sees each series first.
func (b *batch) gather(r *Registry, prepare func(s collector, now int64)) {
	now := r.now().UnixMilli()
	r.mu.Lock()
	b.families = append(b.families[:0], r.families...)
	r.mu.Unlock()
	b.groups, b.req.Timeseries = b.groups[:0], b.req.Timeseries[:0]
	for _, f := range b.families {
		f.mu.RLock()
		series := f.series // only ever appended to
		f.mu.RUnlock()
		for _, s := range series {
			if prepare != nil {
				prepare(s, now)
			}
			b.collect(s, now)
		}
	}
	r.state.collectOrphans(b, now)
}

func (b *batch) collect(s collector, now int64) {
	g := group{from: s, lo: len(b.req.Timeseries)}
	b.req.Timeseries = s.collect(b.req.Timeseries, now)
	g.hi = len(b.req.Timeseries)
	if g.lo == g.hi {
		return
	}
	for i := g.lo; i < g.hi; i++ {
		ts := &b.req.Timeseries[i]
		n := len(ts.Samples) + len(ts.Histograms)
		g.points, g.weight = max(g.points, n), g.weight+n
	}
	g.afloat = s.line().floating
	b.groups = append(b.groups, g)
}

// settle tells the collectors what became of their samples.
func (b *batch) settle() {
	for i := range b.groups {
		if g := &b.groups[i]; g.sent > 0 {
			g.from.settle(g.verdict)
		}
	}
}
