package metrics

import (
	"slices"

	"github.com/promwire/promwire"
)

// nativeTally counts the observations of each native bucket.
type nativeTally struct {
	steps     uint8 // by which the schema is below the finest one
	zeroCount uint64
	positive  buckets
	negative  buckets
}

// buckets are those that hold something, in ascending order.
type buckets []bucket

type bucket struct {
	index int32
	count uint64
}

// add counts one observation.
func (t *nativeTally) add(p place, n *native) {
	switch p.side {
	case zeroSide:
		t.zeroCount++
		return
	case positive:
		t.positive.add(coarser(p.index, t.steps), 1)
	case negative:
		t.negative.add(coarser(p.index, t.steps), 1)
	}
	t.limit(n)
}

// limit halves the resolution until there are no more buckets than allowed, or it can't get lower.
func (t *nativeTally) limit(n *native) {
	for n.max > 0 && len(t.positive)+len(t.negative) > n.max && n.schema-int32(t.steps) > promwire.MinSchema {
		t.reduce(t.steps + 1)
	}
}

// reduce lowers the resolution to that of steps, if it is higher.
func (t *nativeTally) reduce(steps uint8) {
	if by := int(steps) - int(t.steps); by > 0 {
		t.positive = t.positive.reduce(uint8(by))
		t.negative = t.negative.reduce(uint8(by))
		t.steps = steps
	}
}

// take moves all that o counts to t; o keeps its memory, and takes on the resolution of t.
func (t *nativeTally) take(o *nativeTally, n *native) {
	t.reduce(o.steps)
	o.reduce(t.steps)
	t.zeroCount += o.zeroCount
	for _, b := range o.positive {
		t.positive.add(b.index, b.count)
	}
	for _, b := range o.negative {
		t.negative.add(b.index, b.count)
	}
	t.limit(n)
	o.steps, o.zeroCount, o.positive, o.negative = t.steps, 0, o.positive[:0], o.negative[:0]
}

func (bs *buckets) add(index int32, count uint64) {
	s := *bs
	low, high := 0, len(s)
	for low < high {
		if mid := int(uint(low+high) / 2); s[mid].index < index {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low < len(s) && s[low].index == index {
		s[low].count += count
		return
	}
	s = append(s, bucket{})
	copy(s[low+1:], s[low:])
	s[low] = bucket{index, count}
	*bs = s
}

func (bs buckets) reduce(steps uint8) buckets {
	out := bs[:0]
	for _, b := range bs {
		b.index = coarser(b.index, steps)
		if n := len(out); n > 0 && out[n-1].index == b.index {
			out[n-1].count += b.count
		} else {
			out = append(out, b)
		}
	}
	return out
}

// maxGap is the largest number of empty buckets that are sent as such: a span of its own takes more bytes.
const maxGap = 2

// appendTo appends the buckets in the form of the wire and returns their sum, too.
func (bs buckets) appendTo(spans []promwire.BucketSpan, deltas []int64) ([]promwire.BucketSpan, []int64, uint64) {
	var total, last uint64
	next := int32(0)
	for i, b := range bs {
		gap := b.index - next
		if i == 0 || gap > maxGap {
			spans = append(spans, promwire.BucketSpan{Offset: gap})
			gap = 0
		}
		for range gap {
			deltas = append(deltas, -int64(last))
			last = 0
		}
		deltas = append(deltas, int64(b.count-last))
		spans[len(spans)-1].Length += uint32(gap) + 1
		last, next = b.count, b.index+1
		total += b.count
	}
	return spans, deltas, total
}

// nativeWire is the native series of a histogram as it is sent.
type nativeWire struct {
	labels     promwire.Labels
	histograms []promwire.Histogram // not delivered yet
}

// add makes a sample of what t counts.
func (w *nativeWire) add(at, start int64, t *tally, d *definition) {
	n := len(w.histograms)
	if n < cap(w.histograms) {
		w.histograms = w.histograms[:n+1] // with the slices of a former sample
	} else {
		w.histograms = append(w.histograms, promwire.Histogram{})
	}
	h := &w.histograms[n]
	h.CustomValues = nil // shared by all samples
	h.Reset()
	h.Timestamp, h.StartTimestamp, h.Sum = at, start, t.sum
	h.Schema, h.ZeroThreshold, h.ZeroCount = d.native.schema-int32(t.native.steps), d.native.zero, t.native.zeroCount
	if d.native.form == custom {
		h.Schema, h.CustomValues = promwire.CustomBucketsSchema, d.nativeBounds
	}
	var up, down uint64
	h.PositiveSpans, h.PositiveDeltas, up = t.native.positive.appendTo(h.PositiveSpans, h.PositiveDeltas)
	h.NegativeSpans, h.NegativeDeltas, down = t.native.negative.appendTo(h.NegativeSpans, h.NegativeDeltas)
	h.Count = h.ZeroCount + up + down
}

func (w *nativeWire) dropLast() { w.histograms = w.histograms[:len(w.histograms)-1] }

// maxKeptHistograms is the number of samples up to which the memory of dropped ones is kept.
const maxKeptHistograms = 32

// drop drops all samples but the newest keep.
func (w *nativeWire) drop(keep int) {
	hs := w.histograms
	for i, newest := range hs[len(hs)-keep:] {
		j := len(hs) - keep + i
		hs[i], hs[j] = newest, hs[i] // whose memory serves again
	}
	if w.histograms = hs[:keep]; cap(hs) > maxKeptHistograms {
		w.histograms = slices.Clone(w.histograms)
	}
}

func (w *nativeWire) appendTo(dst []promwire.TimeSeries, m *promwire.Metadata) []promwire.TimeSeries {
	if len(w.histograms) == 0 {
		return dst
	}
	return append(dst, promwire.TimeSeries{Labels: w.labels, Histograms: w.histograms, Metadata: *m})
}
