package metrics

import (
	"encoding/binary"

	"github.com/promwire/promwire"
)

// entry is what a state holds of one series.
type entry struct {
	ts      promwire.TimeSeries // its points in order of time: the newest one, and before it those not delivered
	status  status
	claimed bool // an instrument continues it
	reach
}

// status tells what is delivered of an entry.
type status int

const (
	delivered status = iota // all: the entry has one point
	waiting                 // nothing
	afloat                  // nothing, and the newest point gets the time of the push that delivers it
	statuses                // the number of them
)

// set copies the points of ts; the memory of ts is that of a registry.
func (e *entry) set(ts *promwire.TimeSeries) {
	e.ts.Metadata = ts.Metadata
	e.ts.Samples = append(reuse(e.ts.Samples), ts.Samples...)
	e.ts.Histograms = reuse(e.ts.Histograms)
	for i := range ts.Histograms {
		e.ts.Histograms = append(e.ts.Histograms, ts.Histograms[i].Clone())
	}
}

// settle drops what need not be sent again.
func (e *entry) settle(v verdict) {
	e.take(v)
	if v.held > 0 {
		e.keep(v.held)
		return
	}
	if e.status != afloat || !v.again() {
		e.status = delivered
	}
	e.keep(1)
}

// keep drops all but the newest n points.
func (e *entry) keep(n int) {
	e.ts.Samples = newest(e.ts.Samples, n)
	e.ts.Histograms = newest(e.ts.Histograms, n)
}

func newest[T any](s []T, n int) []T { return append(s[:0], s[max(0, len(s)-n):]...) }

func (e *entry) points() int { return len(e.ts.Samples) + len(e.ts.Histograms) }

// last returns time and start of the newest point.
func (e *entry) last() (t, start int64) {
	if n := len(e.ts.Histograms); n > 0 {
		return e.ts.Histograms[n-1].Timestamp, e.ts.Histograms[n-1].StartTimestamp
	}
	s := e.ts.Samples[len(e.ts.Samples)-1]
	return s.Timestamp, s.StartTimestamp
}

// value returns the newest value of a series of floats.
func (e *entry) value() float64 { return e.ts.Samples[len(e.ts.Samples)-1].Value }

// entry returns the entry of a series, a new one if there is none. The caller holds s.mu.
func (s *State) entry(ls promwire.Labels) *entry {
	s.key = appendLabelsKey(s.key[:0], ls)
	e := s.entries[string(s.key)]
	if e == nil {
		e = &entry{ts: promwire.TimeSeries{Labels: ls.Clone()}, claimed: true}
		s.entries[string(s.key)] = e
		s.order = append(s.order, e)
	}
	return e
}

// add takes an entry of a former run; false if there is one of the same series.
func (s *State) add(e *entry) bool {
	key := string(appendLabelsKey(nil, e.ts.Labels))
	if s.entries[key] != nil {
		return false
	}
	s.entries[key] = e
	s.order = append(s.order, e)
	if e.status != delivered {
		s.orphans = append(s.orphans, newOrphan(s, e))
	}
	return true
}

func appendLabelsKey(dst []byte, ls promwire.Labels) []byte {
	for _, l := range ls {
		dst = append(binary.AppendUvarint(dst, uint64(len(l.Name))), l.Name...)
		dst = append(binary.AppendUvarint(dst, uint64(len(l.Value))), l.Value...)
	}
	return dst
}

// inheritance is what an instrument takes over of one series.
type inheritance struct {
	newest  promwire.TimeSeries // has one point
	pending promwire.TimeSeries // has the points that are not delivered
}

func (i *inheritance) value() float64 { return i.newest.Samples[0].Value }

// inherit lets the series of a new instrument continue those of the state; it returns nil if the state lacks one of
// them. The series of one instrument were saved together, and only what they have delivered can differ: then they send
// their newest values again, as of the next push.
func (f *family) inherit(tl *timeline, series ...promwire.Labels) []inheritance {
	s := f.reg.state
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	entries := make([]*entry, 0, len(series))
	for _, ls := range series {
		s.key = appendLabelsKey(s.key[:0], ls)
		e := s.entries[string(s.key)]
		if e == nil {
			return nil
		}
		entries = append(entries, e)
	}
	agree(entries)
	all := make([]inheritance, len(entries))
	for i, e := range entries {
		e.claimed = true
		tl.inherit(e)
		if e.status != delivered {
			all[i].pending = e.ts.Clone()
		}
		last := *e
		last.ts = e.ts.Clone()
		last.keep(1)
		all[i].newest = last.ts
	}
	return all
}

// adopt lets a series send what a former run has not delivered of it, with the times it has, and goes on after that. It
// does not go on from the value.
func (f *family) adopt(tl *timeline, w *wire) {
	if in := f.inherit(tl, w.labels); in != nil {
		w.samples = in[0].pending.Samples
		tl.floating, tl.foreign = false, true
	}
}

// agree makes series of one instrument equal in status and number of points.
func agree(entries []*entry) {
	first, equal := entries[0], true
	for _, e := range entries {
		equal = equal && e.status == first.status && e.points() == first.points()
	}
	if equal {
		return
	}
	for _, e := range entries {
		e.status = afloat
		e.keep(1)
	}
}

// inherit goes on after what the entry holds.
func (tl *timeline) inherit(e *entry) {
	t, start := e.last()
	if !tl.begun || t > tl.last {
		tl.last, tl.reach = t, e.reach
	}
	tl.begun, tl.start = true, start
	tl.floating = e.status == afloat
}
