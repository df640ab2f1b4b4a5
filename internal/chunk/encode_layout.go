package chunk

import (
	"math"

	"github.com/promwire/promwire"
)

// writeLayout writes the layout of a histogram, which is empty for a stale marker.
func writeLayout(w *bitWriter, h *promwire.Histogram) {
	if promwire.IsStaleNaN(h.Sum) {
		h = &promwire.Histogram{}
	}
	writeZeroThreshold(w, h.ZeroThreshold)
	w.varbitInt(int64(h.Schema))
	writeSpans(w, h.PositiveSpans)
	writeSpans(w, h.NegativeSpans)
	if h.Schema == promwire.CustomBucketsSchema {
		w.varbitUint(uint64(len(h.CustomValues)))
		for _, v := range h.CustomValues {
			writeBound(w, v)
		}
	}
}

// writeZeroThreshold writes one byte for zero and for powers of two from 2^-243 to 2^10, nine for others.
func writeZeroThreshold(w *bitWriter, v float64) {
	b := math.Float64bits(v)
	if b == 0 {
		w.put(0, 8)
		return
	}
	exponent := b >> 52
	if b<<12 == 0 && exponent > thresholdBias && exponent < thresholdBias+255 {
		w.put(exponent-thresholdBias, 8)
		return
	}
	w.put(255, 8)
	w.put64(b, 64)
}

func writeSpans(w *bitWriter, spans []promwire.BucketSpan) {
	w.varbitUint(uint64(len(spans)))
	for _, s := range spans {
		w.varbitUint(uint64(s.Length))
		w.varbitInt(int64(s.Offset))
	}
}

// maxThousandths is the largest bound, in thousandths, that is not written as a float.
const maxThousandths = 1<<25 - 2

// writeBound writes thousandths plus one if they give the same bits when read, or else a zero bit and a float.
func writeBound(w *bitWriter, v float64) {
	if t := math.Round(v * 1000); t >= 0 && t <= maxThousandths {
		n := uint64(t)
		if math.Float64bits(float64(n)/1000) == math.Float64bits(v) {
			w.varbitUint(n + 1)
			return
		}
	}
	w.put(0, 1)
	w.put64(math.Float64bits(v), 64)
}

// agreeing returns h, or a copy without surplus spans and buckets if they do not agree in number. A chunk with other
// numbers could not be decoded.
func agreeing(h *promwire.Histogram) *promwire.Histogram {
	positives, negatives := len(h.PositiveDeltas), len(h.NegativeDeltas)
	if h.IsFloat {
		positives, negatives = len(h.PositiveCounts), len(h.NegativeCounts)
	}
	if covers(h.PositiveSpans, positives) && covers(h.NegativeSpans, negatives) {
		return h
	}
	c := *h
	c.PositiveSpans, positives = cut(h.PositiveSpans, positives)
	c.NegativeSpans, negatives = cut(h.NegativeSpans, negatives)
	if h.IsFloat {
		c.PositiveCounts, c.NegativeCounts = h.PositiveCounts[:positives], h.NegativeCounts[:negatives]
	} else {
		c.PositiveDeltas, c.NegativeDeltas = h.PositiveDeltas[:positives], h.NegativeDeltas[:negatives]
	}
	return &c
}

// covers reports whether the spans have n buckets.
func covers(spans []promwire.BucketSpan, n int) bool {
	total := uint64(0)
	for _, s := range spans {
		total += uint64(s.Length)
	}
	return total == uint64(n)
}

// cut returns the spans without the buckets beyond n, and how many buckets they have.
func cut(spans []promwire.BucketSpan, n int) ([]promwire.BucketSpan, int) {
	var out []promwire.BucketSpan
	total := 0
	for _, s := range spans {
		s.Length = uint32(min(uint64(s.Length), uint64(n-total)))
		total += int(s.Length)
		out = append(out, s)
	}
	return out, total
}
