package metrics

import (
	"context"
	"errors"

	"github.com/promwire/promwire"
)

// limits bound one request.
type limits struct{ series, samples int }

// send writes the batch in as many requests as the limits demand, and notes the outcome in each group. An error that
// leaves open what became of a request ends it: the receiver is down, or wants a pause.
func (p *Pusher) send(ctx context.Context, b *batch) error {
	var errs error
	for i := 0; i < len(b.groups); {
		n := p.limits.fit(b.groups[i:])
		errs = join(errs, p.sendGroups(ctx, b, b.groups[i:i+n]))
		i += n
		if last := &b.groups[i-1]; last.sent < last.points {
			break
		}
	}
	return errs
}

// fit returns how many of the groups go into one request: at least one, if need be on its own and too large.
func (l limits) fit(groups []group) int {
	series, samples := 0, 0
	for i := range groups {
		series, samples = series+groups[i].hi-groups[i].lo, samples+groups[i].weight
		if i > 0 && (series > l.series || samples > l.samples) {
			return i
		}
	}
	return len(groups)
}

func (p *Pusher) sendGroups(ctx context.Context, b *batch, groups []group) error {
	lo, hi := groups[0].lo, groups[len(groups)-1].hi
	if len(groups) == 1 && groups[0].weight > p.limits.samples {
		return p.sendLong(ctx, b, groups)
	}
	b.part.Timeseries = b.req.Timeseries[lo:hi]
	_, err := p.w.Write(ctx, &b.part)
	b.note(groups, 0, err)
	return err
}

// sendLong sends one group that is too large for one request, a stretch of time after the other: the series of a
// histogram are to agree at any time.
func (p *Pusher) sendLong(ctx context.Context, b *batch, groups []group) error {
	var errs error
	g := &groups[0]
	step := max(1, p.limits.samples/(g.hi-g.lo))
	for g.sent < g.points {
		end := min(g.sent+step, g.points)
		b.long = b.long[:0]
		for i := g.lo; i < g.hi; i++ {
			b.long = append(b.long, stretch(&b.req.Timeseries[i], g.sent, end, end == g.points))
		}
		b.part.Timeseries = b.long
		_, err := p.w.Write(ctx, &b.part)
		errs = join(errs, err)
		if b.note(groups, end, err) == unknown {
			break
		}
	}
	return errs
}

// stretch returns the points of ts from lo to hi, with the exemplars if they are the last ones.
func stretch(ts *promwire.TimeSeries, lo, hi int, last bool) promwire.TimeSeries {
	out := *ts
	out.Samples = ts.Samples[min(lo, len(ts.Samples)):min(hi, len(ts.Samples))]
	out.Histograms = ts.Histograms[min(lo, len(ts.Histograms)):min(hi, len(ts.Histograms))]
	if !last {
		out.Exemplars = nil
	}
	return out
}

// join is errors.Join, but an error on its own stays as it is.
func join(errs, err error) error {
	switch {
	case errs == nil:
		return err
	case err == nil:
		return errs
	default:
		return errors.Join(errs, err)
	}
}
