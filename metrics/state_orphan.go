package metrics

import "github.com/promwire/promwire"

// orphan sends what a former run did not deliver of a series, as long as no instrument continues it.
type orphan struct {
	state *State
	entry *entry
	tl    timeline
	ts    promwire.TimeSeries
}

func newOrphan(s *State, e *entry) *orphan {
	o := &orphan{state: s, entry: e, ts: e.ts.Clone(), tl: timeline{ahead: DefaultMaxAhead.Milliseconds()}}
	o.tl.inherit(e)
	return o
}

// collectOrphans adds to the batch what no instrument sends.
func (s *State) collectOrphans(b *batch, now int64) {
	if s == nil {
		return
	}
	s.mu.Lock()
	if len(s.orphans) > 0 {
		s.claimSent(b)
	}
	left := s.orphans[:0]
	for _, o := range s.orphans {
		if !o.entry.claimed && o.entry.status != delivered {
			left = append(left, o)
		}
	}
	clear(s.orphans[len(left):])
	s.orphans = left
	s.mu.Unlock()
	for _, o := range left {
		b.collect(o, now)
	}
}

// claimSent makes sure that no series is in the batch twice: what an instrument sends is the newer truth, whether it
// has taken over what the state holds or not. The caller holds s.mu.
func (s *State) claimSent(b *batch) {
	for i := range b.req.Timeseries {
		s.key = appendLabelsKey(s.key[:0], b.req.Timeseries[i].Labels)
		if e := s.entries[string(s.key)]; e != nil {
			e.claimed = true
		}
	}
}

func (o *orphan) collect(dst []promwire.TimeSeries, now int64) []promwire.TimeSeries {
	o.tl.drain(now, false, o)
	if len(o.ts.Samples)+len(o.ts.Histograms) == 0 {
		return dst
	}
	return append(dst, o.ts)
}

func (o *orphan) settle(v verdict) {
	keep := o.tl.settle(v)
	o.ts.Samples, o.ts.Histograms = newest(o.ts.Samples, keep), newest(o.ts.Histograms, keep)
}

func (o *orphan) line() *timeline { return &o.tl }

// emit gives the newest point, which floats, another time. It may be before the start if the clock was ahead then.
func (o *orphan) emit(t int64) {
	if n := len(o.ts.Samples); n > 0 {
		x := &o.ts.Samples[n-1]
		x.Timestamp, x.StartTimestamp = t, min(x.StartTimestamp, t-1)
	}
	if n := len(o.ts.Histograms); n > 0 {
		h := &o.ts.Histograms[n-1]
		h.Timestamp, h.StartTimestamp = t, min(h.StartTimestamp, t-1)
	}
}

func (o *orphan) apply(float64) {}
func (o *orphan) applyUntimed() {}
func (o *orphan) dropLast()     {}
