package chunk

import (
	"math"

	"github.com/promwire/promwire"
)

// intWriter writes integer histograms, as intHistograms reads them.
type intWriter struct {
	time, count, zeroCount delta2
	sum                    xorWriter
	buckets                []delta2 // positive ones, then negative ones
}

func (s *intWriter) first(w *bitWriter, h *promwire.Histogram) {
	writeLayout(w, h)
	s.time = delta2{value: h.Timestamp}
	s.count = delta2{value: int64(h.Count)}
	s.zeroCount = delta2{value: int64(h.ZeroCount)}
	s.sum = newXORWriter(math.Float64bits(h.Sum))
	s.buckets = s.buckets[:0]
	w.varbitInt(h.Timestamp)
	if promwire.IsStaleNaN(h.Sum) {
		w.put(0, 2)
		w.put64(s.sum.bits, 64)
		return
	}
	w.varbitUint(h.Count)
	w.varbitUint(h.ZeroCount)
	w.put64(s.sum.bits, 64)
	s.firstBuckets(w, h.PositiveDeltas)
	s.firstBuckets(w, h.NegativeDeltas)
}

func (s *intWriter) firstBuckets(w *bitWriter, deltas []int64) {
	for _, v := range deltas {
		w.varbitInt(v)
		s.buckets = append(s.buckets, delta2{value: v})
	}
}

func (s *intWriter) next(w *bitWriter, h *promwire.Histogram) {
	w.varbitInt(s.time.change(h.Timestamp))
	if promwire.IsStaleNaN(h.Sum) {
		w.put(0, 2)
		s.sum.put(w, promwire.StaleNaNBits)
		return
	}
	w.varbitInt(s.count.change(int64(h.Count)))
	w.varbitInt(s.zeroCount.change(int64(h.ZeroCount)))
	s.sum.put(w, math.Float64bits(h.Sum))
	positives := len(h.PositiveDeltas)
	for i, v := range h.PositiveDeltas {
		w.varbitInt(s.buckets[i].change(v))
	}
	for i, v := range h.NegativeDeltas {
		w.varbitInt(s.buckets[positives+i].change(v))
	}
}
