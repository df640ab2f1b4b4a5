package metrics

import (
	"fmt"
	"math"
	"slices"

	"github.com/promwire/promwire"
)

// restore goes on from the values of an earlier run, which fit the definition.
func (h *Histogram) restore() {
	var series []promwire.Labels
	if h.native != nil {
		series = append(series, h.native.labels)
	}
	for i := range h.wires {
		series = append(series, h.wires[i].labels)
	}
	in := h.fam.inherit(&h.tl, series...)
	if in == nil {
		return
	}
	if h.native != nil {
		newest := &in[0].newest.Histograms[0]
		h.native.histograms = in[0].pending.Histograms
		h.sampled.native.restore(newest, &h.fam.native)
		h.sampled.sum = newest.Sum
		in = in[1:]
	}
	below := uint64(0)
	for i := range h.wires {
		h.wires[i].samples = in[i].pending.Samples
		if i < len(h.sampled.counts) {
			count := uint64(in[i].value())
			h.sampled.counts[i], below = count-below, count
		} else {
			h.sampled.sum = in[i].value() // of _count first, of _sum last
		}
	}
}

// restore takes the counts of a valid histogram of integers.
func (t *nativeTally) restore(h *promwire.Histogram, n *native) {
	if n.form == exponential {
		t.steps = uint8(n.schema - h.Schema)
	}
	t.zeroCount = h.ZeroCount
	t.positive = restoreBuckets(h.PositiveSpans, h.PositiveDeltas)
	t.negative = restoreBuckets(h.NegativeSpans, h.NegativeDeltas)
}

func restoreBuckets(spans []promwire.BucketSpan, deltas []int64) buckets {
	var out buckets
	index, count := int32(0), int64(0)
	for _, s := range spans {
		index += s.Offset
		for range s.Length {
			count += deltas[0]
			deltas = deltas[1:]
			if count > 0 {
				out = append(out, bucket{index, uint64(count)})
			}
			index++
		}
	}
	return out
}

// storedHistogram is what a state holds of a histogram.
type storedHistogram struct {
	buckets            map[string]float64
	count, sum, native *entry
}

func sortIn(all map[string]*storedHistogram, e *entry, suffix string) {
	var key []byte
	for _, l := range e.ts.Labels {
		if l.Name != promwire.MetricName && l.Name != "le" {
			key = appendLabelsKey(key, promwire.Labels{l})
		}
	}
	h := all[string(key)]
	if h == nil {
		h = &storedHistogram{buckets: map[string]float64{}}
		all[string(key)] = h
	}
	switch {
	case len(e.ts.Histograms) > 0:
		h.native = e
	case suffix == suffixBucket:
		h.buckets[e.ts.Labels.Get("le")] = e.value()
	case suffix == suffixCount:
		h.count = e
	case suffix == suffixSum:
		h.sum = e
	}
}

// check fails if the histogram has not the form and the buckets of d.
func (h *storedHistogram) check(d *definition) error {
	hasClassic := h.count != nil || h.sum != nil || len(h.buckets) > 0
	if hasClassic != d.classic || (h.native != nil) != (d.native.form != noNative) {
		return fmt.Errorf("%w: in the state, the histogram has another form, classic or native", ErrConflict)
	}
	if h.native != nil {
		if err := h.native.fits(d); err != nil {
			return err
		}
	}
	if !hasClassic {
		return nil
	}
	return h.checkClassic(d.bounds)
}

// fits fails if a native histogram can't be continued by one of d.
func (e *entry) fits(d *definition) error {
	for i := range e.ts.Histograms {
		h := &e.ts.Histograms[i]
		fits := h.Schema <= d.native.schema && h.Schema >= promwire.MinSchema && h.ZeroThreshold == d.native.zero
		if d.native.form == custom {
			fits = h.Schema == promwire.CustomBucketsSchema && slices.Equal(h.CustomValues, d.nativeBounds)
		}
		if !fits || h.IsFloat {
			return fmt.Errorf("%w: in the state, %v has schema %d and zero threshold %v; bounds can't change", ErrConflict,
				e.ts.Labels, h.Schema, h.ZeroThreshold)
		}
		if err := h.Validate(); err != nil {
			return fmt.Errorf("%w: in the state, %v: %w", ErrConflict, e.ts.Labels, err)
		}
	}
	return nil
}

// checkClassic fails if the buckets are not those of the bounds, or contradict each other.
func (h *storedHistogram) checkClassic(bounds []float64) error {
	if h.count == nil || h.sum == nil || len(h.buckets) != len(bounds)+1 {
		return fmt.Errorf("%w: in the state, the histogram has %d buckets, not %d; bounds can't change",
			ErrConflict, len(h.buckets), len(bounds)+1)
	}
	below := 0.0
	for i := range len(bounds) + 1 {
		bound := math.Inf(1)
		if i < len(bounds) {
			bound = bounds[i]
		}
		v, found := h.buckets[promwire.FormatLe(bound)]
		switch {
		case !found:
			return fmt.Errorf("%w: in the state, the histogram has no bound %v; bounds can't change", ErrConflict, bound)
		case v < below, v != math.Trunc(v), v >= 1<<63:
			return fmt.Errorf("%w: in the state, the histogram counts %v up to %v, and %v before", ErrConflict, v, bound, below)
		}
		below = v
	}
	if v := h.count.value(); v != below {
		return fmt.Errorf("%w: in the state, the histogram's buckets count %v, and itself %v", ErrConflict, below, v)
	}
	return nil
}
