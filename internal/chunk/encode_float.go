package chunk

import (
	"math"

	"github.com/promwire/promwire"
)

// floatWriter writes float histograms, as floatHistograms reads them.
type floatWriter struct {
	time                  delta2
	count, zeroCount, sum xorWriter
	buckets               []xorWriter // positive ones, then negative ones
}

func (s *floatWriter) first(w *bitWriter, h *promwire.Histogram) {
	writeLayout(w, h)
	s.time = delta2{value: h.Timestamp}
	s.buckets = s.buckets[:0]
	w.varbitInt(h.Timestamp)
	stale := promwire.IsStaleNaN(h.Sum)
	count, zeroCount := h.CountFloat, h.ZeroCountFloat
	if stale {
		count, zeroCount = 0, 0
	}
	s.count = firstFloat(w, count)
	s.zeroCount = firstFloat(w, zeroCount)
	s.sum = firstFloat(w, h.Sum)
	if stale {
		return
	}
	for _, v := range h.PositiveCounts {
		s.buckets = append(s.buckets, firstFloat(w, v))
	}
	for _, v := range h.NegativeCounts {
		s.buckets = append(s.buckets, firstFloat(w, v))
	}
}

func firstFloat(w *bitWriter, v float64) xorWriter {
	b := math.Float64bits(v)
	w.put64(b, 64)
	return newXORWriter(b)
}

func (s *floatWriter) next(w *bitWriter, h *promwire.Histogram) {
	w.varbitInt(s.time.change(h.Timestamp))
	if promwire.IsStaleNaN(h.Sum) {
		w.put(0, 2)
		s.sum.put(w, promwire.StaleNaNBits)
		return
	}
	s.count.put(w, math.Float64bits(h.CountFloat))
	s.zeroCount.put(w, math.Float64bits(h.ZeroCountFloat))
	s.sum.put(w, math.Float64bits(h.Sum))
	positives := len(h.PositiveCounts)
	for i, v := range h.PositiveCounts {
		s.buckets[i].put(w, math.Float64bits(v))
	}
	for i, v := range h.NegativeCounts {
		s.buckets[positives+i].put(w, math.Float64bits(v))
	}
}
