package remote

import (
	"context"
	"errors"
	"net/http"

	"github.com/promwire/promwire"
)

// Split halves requests that the writer behind it calls too large (status 413 or [promwire.ErrTooLarge]), down to
// single samples; it is a [promwire.Writer]. It is safe for concurrent use if that writer is.
//
// The parts go out one after the other, so that the order within a series holds. A request that fits costs nothing.
type Split struct{ w promwire.Writer }

var _ promwire.Writer = (*Split)(nil)

// NewSplit makes a Split in front of w.
func NewSplit(w promwire.Writer) *Split { return &Split{w: w} }

// Write implements [promwire.Writer]. What stays too large alone, or belongs to a part that w refused for good, is
// refused in a [*promwire.PartialWriteError] with the indices of req; the other parts are written. An error that may
// pass ([promwire.Retryable]) ends Write: the counts say what was written until then, and a caller that writes req
// again repeats it.
func (s *Split) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	stats, err := s.w.Write(ctx, req)
	if !tooLarge(err) {
		return stats, err
	}
	p := splitting{w: s.w}
	if err := p.halve(ctx, req, 0, err); err != nil {
		return p.written, err
	}
	if p.err == nil {
		return p.written, nil
	}
	return p.written, &promwire.PartialWriteError{Written: p.written, Refused: p.refused, Err: p.err}
}

func tooLarge(err error) bool {
	var answer *promwire.HTTPError
	return errors.Is(err, promwire.ErrTooLarge) || errors.As(err, &answer) && answer.StatusCode == http.StatusRequestEntityTooLarge
}

// splitting is one request on its way in parts.
type splitting struct {
	w       promwire.Writer
	written promwire.WriteStats
	refused []promwire.Refusal
	err     error // the last answer that refused something
}

// write sends a part whose first series has index from in the whole request. It fails only if that may pass.
func (p *splitting) write(ctx context.Context, part *promwire.WriteRequest, from int) error {
	stats, err := p.w.Write(ctx, part)
	var partial *promwire.PartialWriteError
	switch {
	case err == nil:
		p.written = p.written.Add(stats)
	case tooLarge(err):
		return p.halve(ctx, part, from, err)
	case promwire.Retryable(err):
		p.written = p.written.Add(stats)
		return err
	case errors.As(err, &partial):
		p.written = p.written.Add(partial.Written)
		for _, r := range partial.Refused {
			r.Series += from
			p.refused = append(p.refused, r)
		}
		p.err = err
	default:
		p.refuse(part, from, err)
	}
	return nil
}

// halve sends what was too large in two parts.
func (p *splitting) halve(ctx context.Context, req *promwire.WriteRequest, from int, err error) error {
	a, b, second, ok := halves(req)
	if !ok {
		p.refuse(req, from, err)
		return nil
	}
	if err := p.write(ctx, &a, from); err != nil {
		return err
	}
	return p.write(ctx, &b, from+second)
}

// refuse notes that nothing of part was written.
func (p *splitting) refuse(part *promwire.WriteRequest, from int, err error) {
	p.err = err
	for i := range part.Timeseries {
		ts := &part.Timeseries[i]
		r := promwire.Refusal{Series: from + i, Labels: ts.Labels.Clone(), Reason: err}
		if len(ts.Samples) == 0 && len(ts.Histograms) == 0 && len(ts.Exemplars) == 0 {
			p.refused = append(p.refused, r)
		}
		for _, s := range ts.Samples {
			r.Timestamp = s.Timestamp
			p.refused = append(p.refused, r)
		}
		for j := range ts.Histograms {
			r.Timestamp = ts.Histograms[j].Timestamp
			p.refused = append(p.refused, r)
		}
		for _, e := range ts.Exemplars {
			r.Timestamp = e.Timestamp
			p.refused = append(p.refused, r)
		}
	}
}

// halves cuts req without changing it: metadata from series, then by series, then by the items of a series. second is
// the index of b's first series in req. It is not ok if req is a single item.
func halves(req *promwire.WriteRequest) (a, b promwire.WriteRequest, second int, ok bool) {
	n, m := len(req.Timeseries), len(req.Metadata)
	switch {
	case n > 0 && m > 0:
		a.Timeseries, b.Metadata = req.Timeseries, req.Metadata
	case n > 1:
		second = n / 2
		a.Timeseries, b.Timeseries = req.Timeseries[:second:second], req.Timeseries[second:]
	case m > 1:
		a.Metadata, b.Metadata = req.Metadata[:m/2:m/2], req.Metadata[m/2:]
	case n == 1:
		first, rest, cut := halfSeries(req.Timeseries[0])
		a.Timeseries, b.Timeseries = []promwire.TimeSeries{first}, []promwire.TimeSeries{rest}
		return a, b, 0, cut
	default:
		return a, b, 0, false
	}
	return a, b, second, true
}

// halfSeries cuts ts: exemplars from the rest, histograms from samples, then in the middle.
func halfSeries(ts promwire.TimeSeries) (a, b promwire.TimeSeries, ok bool) {
	a, b = ts, ts
	n, m, e := len(ts.Samples), len(ts.Histograms), len(ts.Exemplars)
	switch {
	case n+m > 0 && e > 0:
		a.Exemplars, b.Samples, b.Histograms = nil, nil, nil
	case n > 0 && m > 0:
		a.Histograms, b.Samples = nil, nil
	case n > 1:
		a.Samples, b.Samples = ts.Samples[:n/2:n/2], ts.Samples[n/2:]
	case m > 1:
		a.Histograms, b.Histograms = ts.Histograms[:m/2:m/2], ts.Histograms[m/2:]
	case e > 1:
		a.Exemplars, b.Exemplars = ts.Exemplars[:e/2:e/2], ts.Exemplars[e/2:]
	default:
		return a, b, false
	}
	return a, b, true
}
