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

// appendRun appends points that are in order of time, and returns the reference to use from now on.
func (b *batch) appendRun(i int, ref storage.SeriesRef, ls labels.Labels, ts *promwire.TimeSeries, points []point) (storage.SeriesRef, error) {
	r := pointRun{ref: ref, labels: ls, waiting: noTime}
	if ref != 0 {
		r.waiting = b.newest.get(ref)
	}
	for k := range points {
		p := &points[k]
		refusal, err := b.appendPoint(&r, p)
		switch {
		case err != nil:
			return r.ref, err
		case refusal != nil:
			b.refuse(i, ts, p.t, refusal)
		case p.h != nil || p.fh != nil:
			b.stats.Histograms++
		default:
			b.stats.Samples++
		}
	}
	if r.prev != nil {
		b.newest.set(r.ref, r.prev.t)
	}
	return r.ref, nil
}

// pointRun is where the points of a series go.
type pointRun struct {
	ref     storage.SeriesRef
	labels  labels.Labels
	waiting int64  // the newest time of the series that waits in the appender, or noTime
	prev    *point // the last point that was accepted
}

// appendPoint appends a point, or says why it is refused.
func (b *batch) appendPoint(r *pointRun, p *point) (refusal, failure error) {
	switch {
	case r.prev != nil && r.prev.t == p.t:
		if !r.prev.same(p) {
			return fmt.Errorf("%w: the request holds two", promwire.ErrDuplicateTimestamp), nil
		}
		return nil, nil
	case p.t > b.limit:
		return fmt.Errorf("%w: more than %s", promwire.ErrTooFarInFuture, b.store.opts.Load().FutureWindow), nil
	case p.t < minTimestamp:
		return promwire.ErrOutOfBounds, nil
	case p.t < b.oldest: // the TSDB would take it, and delete it with its first block
		return fmt.Errorf("%w: it keeps samples for %s", promwire.ErrOutOfBounds, b.store.opts.Load().Retention), nil
	case p.t <= r.waiting:
		if err := b.flush(); err != nil {
			return nil, err
		}
		r.waiting = noTime
	}
	ref, err := b.appender().Append(r.ref, r.labels, p.st, p.t, p.v, p.h, p.fh, storage.AOptions{})
	if err != nil {
		return refusalOf(err)
	}
	r.ref, r.prev, r.waiting = ref, p, p.t
	return nil, nil
}
