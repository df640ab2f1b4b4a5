package remote

import (
	"cmp"
	"errors"
	"slices"

	"github.com/promwire/promwire"
)

// ticket is a Write that waits for the delivery of its data. The queue's lock guards it until done is closed.
type ticket struct {
	batches int           // that hold its data and are not finished
	done    chan struct{} // closed with the last of them
	stats   promwire.WriteStats
	refused []promwire.Refusal
	err     error // of a batch as a whole
}

// origin says where a series of a batch came from.
type origin struct {
	ticket *ticket
	index  int // in the request of the Write
}

// attach notes that the last series of b is one of t's.
func (b *batch) attach(t *ticket, index int) {
	b.origins = append(b.origins, origin{t, index})
	b.hold(t)
}

// hold makes t wait for b.
func (b *batch) hold(t *ticket) {
	if n := len(b.tickets); n == 0 || b.tickets[n-1] != t {
		b.tickets = append(b.tickets, t)
		t.batches++
	}
}

// refuse tells the writer of a series that something of it was refused.
func (b *batch) refuse(r promwire.Refusal) {
	if r.Series < 0 || r.Series >= len(b.origins) {
		return
	}
	o := b.origins[r.Series]
	r.Series, r.Labels = o.index, r.Labels.Clone()
	o.ticket.refused = append(o.ticket.refused, r)
}

// settle tells all writers how b ended: what it still holds was written if err is nil, and otherwise what err does not
// name. The caller holds the lock.
func (b *batch) settle(err error) {
	if len(b.tickets) == 0 {
		return
	}
	var partial *promwire.PartialWriteError
	switch named := errors.As(err, &partial) && len(partial.Refused) > 0; {
	case err == nil || named:
		b.settleSeries(partial)
	default:
		for _, t := range b.tickets {
			t.err = err
		}
	}
	for _, t := range b.tickets {
		if t.batches--; t.batches == 0 {
			close(t.done)
		}
	}
}

// settleSeries counts the series of b as written, but for what partial names.
func (b *batch) settleSeries(partial *promwire.PartialWriteError) {
	for i, o := range b.origins {
		o.ticket.stats = o.ticket.stats.Add(b.req.Timeseries[i].Stats())
	}
	if partial == nil {
		return
	}
	for _, r := range partial.Refused {
		if r.Series >= 0 && r.Series < len(b.origins) {
			t := b.origins[r.Series].ticket
			t.stats = without(t.stats, statsAt(&b.req.Timeseries[r.Series], r.Timestamp))
		}
		b.refuse(r)
	}
}

// result is what the Write returns.
func (t *ticket) result() (promwire.WriteStats, error) {
	switch {
	case t.err == nil && len(t.refused) == 0:
		return t.stats, nil
	case t.stats == promwire.WriteStats{} && len(t.refused) == 0:
		return t.stats, t.err
	default:
		slices.SortStableFunc(t.refused, func(a, b promwire.Refusal) int { return cmp.Compare(a.Series, b.Series) })
		return t.stats, &promwire.PartialWriteError{Written: t.stats, Refused: t.refused, Err: t.err}
	}
}

// statsAt counts what a refusal at this time means: all of the series for 0, else one item.
func statsAt(ts *promwire.TimeSeries, timestamp int64) promwire.WriteStats {
	if timestamp == 0 {
		return ts.Stats()
	}
	only := itemsAt(ts, timestamp)
	switch {
	case len(only.Samples) > 0:
		return promwire.WriteStats{Samples: 1}
	case len(only.Histograms) > 0:
		return promwire.WriteStats{Histograms: 1}
	case len(only.Exemplars) > 0:
		return promwire.WriteStats{Exemplars: 1}
	default:
		return promwire.WriteStats{}
	}
}

// itemsAt returns the series with what it has at this time.
func itemsAt(ts *promwire.TimeSeries, timestamp int64) promwire.TimeSeries {
	out := promwire.TimeSeries{Labels: ts.Labels, Metadata: ts.Metadata}
	for _, s := range ts.Samples {
		if s.Timestamp == timestamp {
			out.Samples = append(out.Samples, s)
		}
	}
	for i := range ts.Histograms {
		if ts.Histograms[i].Timestamp == timestamp {
			out.Histograms = append(out.Histograms, ts.Histograms[i])
		}
	}
	for _, e := range ts.Exemplars {
		if e.Timestamp == timestamp {
			out.Exemplars = append(out.Exemplars, e)
		}
	}
	return out
}

// without returns a less b, not below 0.
func without(a, b promwire.WriteStats) promwire.WriteStats {
	return promwire.WriteStats{
		Samples:    max(0, a.Samples-b.Samples),
		Histograms: max(0, a.Histograms-b.Histograms),
		Exemplars:  max(0, a.Exemplars-b.Exemplars),
	}
}

// refusedPart returns what err names of req, or all of it.
func refusedPart(req *promwire.WriteRequest, err error) *promwire.WriteRequest {
	var partial *promwire.PartialWriteError
	if !errors.As(err, &partial) || len(partial.Refused) == 0 {
		return req
	}
	out, whole := &promwire.WriteRequest{}, map[int]bool{}
	for _, r := range partial.Refused {
		if r.Series < 0 || r.Series >= len(req.Timeseries) || whole[r.Series] {
			continue
		}
		ts := &req.Timeseries[r.Series]
		if r.Timestamp == 0 {
			whole[r.Series] = true
			out.Timeseries = append(out.Timeseries, *ts)
		} else {
			out.Timeseries = append(out.Timeseries, itemsAt(ts, r.Timestamp))
		}
	}
	return out
}
