package promwire

import (
	"math"

	"github.com/promwire/promwire/internal/pb"
)

// sizeHistogram returns the size of a Histogram message, which is the same in both versions but for the start
// timestamp of 2.0; start is passed as 0 for 1.0.
func sizeHistogram(h *Histogram, start int64) uint64 {
	n := sizeHistogramScalars(h)
	n += sizeSpans(h.NegativeSpans) + sizeSpans(h.PositiveSpans)
	if h.IsFloat {
		n += pb.SizeBytes(8*len(h.NegativeCounts)) + pb.SizeBytes(8*len(h.PositiveCounts))
	} else {
		n += pb.SizeBytes(sizeDeltas(h.NegativeDeltas)) + pb.SizeBytes(sizeDeltas(h.PositiveDeltas))
	}
	if len(h.CustomValues) != 0 {
		n += 1 + pb.SizeBytes(8*len(h.CustomValues))
	}
	if start != 0 {
		n += 1 + pb.SizeUint(uint64(start))
	}
	return n
}

func sizeHistogramScalars(h *Histogram) uint64 {
	// The members of both oneofs are written even when zero: their presence tells the form.
	n := uint64(2 * 9)
	if !h.IsFloat {
		n = uint64(2 + pb.SizeVarint(h.Count) + pb.SizeVarint(h.ZeroCount))
	}
	if math.Float64bits(h.Sum) != 0 {
		n += 9
	}
	if math.Float64bits(h.ZeroThreshold) != 0 {
		n += 9
	}
	return n + pb.SizeUint(pb.Zigzag(int64(h.Schema))) + pb.SizeUint(uint64(h.ResetHint)) + pb.SizeUint(uint64(h.Timestamp))
}

// putHistogram writes a Histogram message in ascending order of field numbers.
func putHistogram(b []byte, i int, h *Histogram, start int64) int {
	i = putHistogramCounts(b, i, h)
	i = putSpans(b, i, 0x42, h.NegativeSpans)
	if h.IsFloat {
		i = putDoubles(b, i, 0x52, h.NegativeCounts)
		i = putSpans(b, i, 0x5a, h.PositiveSpans)
		i = putDoubles(b, i, 0x6a, h.PositiveCounts)
	} else {
		i = putDeltas(b, i, 0x4a, h.NegativeDeltas)
		i = putSpans(b, i, 0x5a, h.PositiveSpans)
		i = putDeltas(b, i, 0x62, h.PositiveDeltas)
	}
	i = pb.PutUint(b, i, 0x70, uint64(h.ResetHint))
	i = pb.PutUint(b, i, 0x78, uint64(h.Timestamp))
	if len(h.CustomValues) != 0 {
		b[i] = 0x82 // the tag of field 16 takes two bytes: 82 01
		i = putDoubles(b, i+1, 0x01, h.CustomValues)
	}
	if start != 0 {
		b[i] = 0x88 // field 17: 88 01
		i = pb.PutUint(b, i+1, 0x01, uint64(start))
	}
	return i
}

// putHistogramCounts writes the fields 1 to 7.
func putHistogramCounts(b []byte, i int, h *Histogram) int {
	if h.IsFloat {
		b[i] = 0x11
		i = pb.PutFixed64(b, i+1, math.Float64bits(h.CountFloat))
	} else {
		b[i] = 0x08
		i = pb.PutVarint(b, i+1, h.Count)
	}
	i = pb.PutDouble(b, i, 0x19, math.Float64bits(h.Sum))
	i = pb.PutUint(b, i, 0x20, pb.Zigzag(int64(h.Schema)))
	i = pb.PutDouble(b, i, 0x29, math.Float64bits(h.ZeroThreshold))
	if h.IsFloat {
		b[i] = 0x39
		return pb.PutFixed64(b, i+1, math.Float64bits(h.ZeroCountFloat))
	}
	b[i] = 0x30
	return pb.PutVarint(b, i+1, h.ZeroCount)
}

func sizeSpan(s *BucketSpan) uint64 {
	return pb.SizeUint(pb.Zigzag(int64(s.Offset))) + pb.SizeUint(uint64(s.Length))
}

func sizeSpans(spans []BucketSpan) uint64 {
	n := uint64(0)
	for i := range spans {
		n += 2 + sizeSpan(&spans[i]) // never more than 12 bytes, so one byte of length
	}
	return n
}

func putSpans(b []byte, i int, tag byte, spans []BucketSpan) int {
	for k := range spans {
		s := &spans[k]
		i = pb.PutHeader(b, i, tag, sizeSpan(s))
		i = pb.PutUint(b, i, 0x08, pb.Zigzag(int64(s.Offset)))
		i = pb.PutUint(b, i, 0x10, uint64(s.Length))
	}
	return i
}

// sizeDeltas returns the size of the packed deltas, without tag and length.
func sizeDeltas(deltas []int64) int {
	n := 0
	for _, d := range deltas {
		n += pb.SizeVarint(pb.Zigzag(d))
	}
	return n
}

func putDeltas(b []byte, i int, tag byte, deltas []int64) int {
	if len(deltas) == 0 {
		return i
	}
	i = pb.PutHeader(b, i, tag, uint64(sizeDeltas(deltas)))
	for _, d := range deltas {
		i = pb.PutVarint(b, i, pb.Zigzag(d))
	}
	return i
}

func putDoubles(b []byte, i int, tag byte, values []float64) int {
	if len(values) == 0 {
		return i
	}
	i = pb.PutHeader(b, i, tag, uint64(8*len(values)))
	for _, v := range values {
		i = pb.PutFixed64(b, i, math.Float64bits(v))
	}
	return i
}
