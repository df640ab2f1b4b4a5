package server

import (
	"cmp"
	"fmt"
	"math"

	"github.com/promwire/promwire"
)

// order remembers the labels of the series before, whose memory is gone, to tell a further part of it from the next
// series and from one that breaks the contract of [promwire.Reader].
type order struct {
	any   bool   // see [WithAnyOrder]
	max   int    // see [ReadLimits.MaxSeries]
	count int    // of series
	text  []byte // names and values one after the other
	ends  []int  // where each of them ends in text
}

// reset begins a query and keeps the memory.
func (o *order) reset(c *readConfig) { o.any, o.max, o.count = c.anyOrder, c.limits.MaxSeries, 0 }

// next takes the labels of the next part and reports whether they are those of the part before. A series that should
// have come before is the storage's failure; one too many the request's.
func (o *order) next(ls promwire.Labels) (same bool, err error) {
	c := 1
	if o.count > 0 {
		c = o.compare(ls)
	}
	if c == 0 {
		return true, nil
	}
	if c < 0 && !o.any {
		return false, &storageError{fmt.Errorf("the storage yields series out of label order: %.300s came too late (see WithSort)", ls)}
	}
	if o.count++; o.count > o.max {
		return false, fmt.Errorf("%w: exceeded series limit (%d); ask for fewer series", errBadRequest, o.max)
	}
	o.keep(ls)
	return false, nil
}

// compare is [promwire.Labels.Compare] of ls and the labels kept.
func (o *order) compare(ls promwire.Labels) int {
	start, kept := 0, len(o.ends)/2
	for i := 0; i < len(ls) && i < kept; i++ {
		nameEnd, valueEnd := o.ends[2*i], o.ends[2*i+1]
		if c := cmp.Compare(ls[i].Name, string(o.text[start:nameEnd])); c != 0 {
			return c
		}
		if c := cmp.Compare(ls[i].Value, string(o.text[nameEnd:valueEnd])); c != 0 {
			return c
		}
		start = valueEnd
	}
	return cmp.Compare(len(ls), kept)
}

func (o *order) keep(ls promwire.Labels) {
	o.text, o.ends = o.text[:0], o.ends[:0]
	for i := range ls {
		o.text = append(o.text, ls[i].Name...)
		o.ends = append(o.ends, len(o.text))
		o.text = append(o.text, ls[i].Value...)
		o.ends = append(o.ends, len(o.text))
	}
}

// timeOrder remembers the last times of a series, to tell samples that break the contract of [promwire.Reader]. What
// is at the same time as the one before passes.
type timeOrder struct{ sample, histogram int64 }

// reset forgets the series.
func (o *timeOrder) reset() { *o = timeOrder{math.MinInt64, math.MinInt64} }

// next takes the next part of the series. Samples that should have come before are the storage's failure.
func (o *timeOrder) next(ts *promwire.TimeSeries) error {
	last := o.sample
	for i := range ts.Samples {
		t := ts.Samples[i].Timestamp
		if t < last {
			return lateSample(ts.Labels, t, last)
		}
		last = t
	}
	o.sample, last = last, o.histogram
	for i := range ts.Histograms {
		t := ts.Histograms[i].Timestamp
		if t < last {
			return lateSample(ts.Labels, t, last)
		}
		last = t
	}
	o.histogram = last
	return nil
}

func lateSample(ls promwire.Labels, t, last int64) error {
	return &storageError{fmt.Errorf("the storage yields samples out of time order: %.300s at %d ms came after %d ms", ls, t, last)}
}
