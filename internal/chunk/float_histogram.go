package chunk

import "github.com/promwire/promwire"

// floatHistograms is the state of a chunk of float histograms. All numbers but the times are floats, each with a
// window of its own.
type floatHistograms struct {
	histograms
	count, zeroCount xorFloat
	buckets          []xorFloat // positive ones, then negative ones
}

func (s *floatHistograms) next(r *bitReader, i int) error {
	if i == 0 {
		return s.first(r)
	}
	s.time.add(r.varbitInt())
	s.count.next(r)
	s.zeroCount.next(r)
	s.sum.next(r)
	if s.stale() {
		return nil
	}
	r.nextFloats(s.buckets)
	return nil
}

// first reads the layout and the first sample.
func (s *floatHistograms) first(r *bitReader) error {
	if err := s.read(r, 64); err != nil {
		return err
	}
	s.time = delta2{value: r.varbitInt()}
	s.count = newXORFloat(r.take(64))
	s.zeroCount = newXORFloat(r.take(64))
	s.sum = newXORFloat(r.take(64))
	s.buckets = s.buckets[:0]
	for range s.positives + s.negatives {
		s.buckets = append(s.buckets, newXORFloat(r.take(64)))
	}
	return nil
}

func (s *floatHistograms) fill(h *promwire.Histogram) {
	h.CountFloat = s.count.float()
	h.ZeroCountFloat = s.zeroCount.float()
	h.PositiveCounts = appendCounts(h.PositiveCounts, s.buckets[:s.positives])
	h.NegativeCounts = appendCounts(h.NegativeCounts, s.buckets[s.positives:])
}

func appendCounts(dst []float64, buckets []xorFloat) []float64 {
	for i := range buckets {
		dst = append(dst, buckets[i].float())
	}
	return dst
}
