package tsdbstore

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/promwire/promwire"
)

// point is a float sample or a native histogram.
type point struct {
	st, t int64
	v     float64
	h     *histogram.Histogram
	fh    *histogram.FloatHistogram
}

// same reports whether both are the same value.
func (p *point) same(o *point) bool {
	switch {
	case p.h != nil && o.h != nil:
		return p.h.Equals(o.h)
	case p.fh != nil && o.fh != nil:
		return p.fh.Equals(o.fh)
	default:
		return p.h == nil && o.h == nil && p.fh == nil && o.fh == nil &&
			math.Float64bits(p.v) == math.Float64bits(o.v)
	}
}

func pointsByTime(x, y point) int { return cmp.Compare(x.t, y.t) }

// pointBuffer holds the points of one series in order of time.
type pointBuffer struct{ points []point }

func (b *pointBuffer) release() {
	clear(b.points[:cap(b.points)])
	b.points = b.points[:0]
}

// appendPoints appends the samples and histograms of ts in order of time.
func (b *batch) appendPoints(i int, ref storage.SeriesRef, ls labels.Labels, ts *promwire.TimeSeries) (storage.SeriesRef, error) {
	points := b.points.points[:0]
	for k := range ts.Samples {
		s := &ts.Samples[k]
		points = append(points, point{st: s.StartTimestamp, t: s.Timestamp, v: s.Value})
	}
	for k := range ts.Histograms {
		h := &ts.Histograms[k]
		ih, fh, err := newHistogram(h)
		if err != nil {
			b.refuse(i, ts, h.Timestamp, err)
			continue
		}
		points = append(points, point{st: h.StartTimestamp, t: h.Timestamp, h: ih, fh: fh})
	}
	b.points.points = points
	if !slices.IsSortedFunc(points, pointsByTime) {
		slices.SortStableFunc(points, pointsByTime)
	}
	return b.appendRun(i, ref, ls, ts, points)
}

// appendRun appends points that are in order of time.
func (b *batch) appendRun(i int, ref storage.SeriesRef, ls labels.Labels, ts *promwire.TimeSeries, points []point) (storage.SeriesRef, error) {
	var prev *point // the last one that was accepted
	waiting := int64(noTime)
	if ref != 0 {
		waiting = b.newest.get(ref)
	}
	for k := range points {
		p := &points[k]
		var refusal error
		switch {
		case prev != nil && prev.t == p.t:
			if !prev.same(p) {
				refusal = fmt.Errorf("%w: the request holds two", promwire.ErrDuplicateTimestamp)
			}
		case p.t > b.limit:
			refusal = fmt.Errorf("%w: more than %s", promwire.ErrTooFarInFuture, b.store.opts.FutureWindow)
		case p.t < minTimestamp:
			refusal = promwire.ErrOutOfBounds
		default:
			if p.t <= waiting {
				if err := b.flush(); err != nil {
					return ref, err
				}
				waiting = noTime
			}
			newRef, err := b.appender().Append(ref, ls, p.st, p.t, p.v, p.h, p.fh, storage.AOptions{})
			if refusal, err = refusalOf(err); err != nil {
				return ref, err
			}
			if refusal == nil {
				ref, prev, waiting = newRef, p, p.t
			}
		}
		if refusal != nil {
			b.refuse(i, ts, p.t, refusal)
			continue
		}
		b.count(p)
	}
	if prev != nil {
		b.newest.set(ref, prev.t)
	}
	return ref, nil
}

func (b *batch) count(p *point) {
	if p.h != nil || p.fh != nil {
		b.stats.Histograms++
	} else {
		b.stats.Samples++
	}
}
