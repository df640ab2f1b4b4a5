package chunk

import "github.com/promwire/promwire"

// intHistograms is the state of a chunk of integer histograms. All numbers but the sum are stored as changes of
// their changes.
type intHistograms struct {
	histograms
	count, zeroCount delta2
	buckets          []delta2 // positive ones, then negative ones
}

func (s *intHistograms) next(r *bitReader, i int) error {
	if i == 0 {
		return s.first(r)
	}
	s.time.add(r.varbitInt())
	s.count.add(r.varbitInt())
	s.zeroCount.add(r.varbitInt())
	s.sum.next(r)
	if s.stale() {
		return nil
	}
	r.addChanges(s.buckets)
	return nil
}

// first reads the layout and the first sample.
func (s *intHistograms) first(r *bitReader) error {
	if err := s.read(r, 1); err != nil {
		return err
	}
	s.time = delta2{value: r.varbitInt()}
	s.count = delta2{value: int64(r.varbitUint())}
	s.zeroCount = delta2{value: int64(r.varbitUint())}
	s.sum = newXORFloat(r.take(64))
	s.buckets = s.buckets[:0]
	for range s.positives + s.negatives {
		s.buckets = append(s.buckets, delta2{value: r.varbitInt()})
	}
	return nil
}

func (s *intHistograms) fill(h *promwire.Histogram) {
	h.Count = uint64(s.count.value)
	h.ZeroCount = uint64(s.zeroCount.value)
	h.PositiveDeltas = appendDeltas(h.PositiveDeltas, s.buckets[:s.positives])
	h.NegativeDeltas = appendDeltas(h.NegativeDeltas, s.buckets[s.positives:])
}

func appendDeltas(dst []int64, buckets []delta2) []int64 {
	for i := range buckets {
		dst = append(dst, buckets[i].value)
	}
	return dst
}
