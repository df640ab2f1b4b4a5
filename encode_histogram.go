package promwire

import (
	"math"

	"github.com/promwire/promwire/internal/pb"
)

// estimateHistogram estimates a histograms field.
func estimateHistogram(h *Histogram) estimate {
	const scalars = maxHeader + 3*9 + 4*11 + 6 + 12 + 5*maxHeader // with the headers of the packed lists
	spans := len(h.NegativeSpans) + len(h.PositiveSpans)
	doubles, deltas := len(h.CustomValues), 0
	if h.IsFloat {
		doubles += len(h.NegativeCounts) + len(h.PositiveCounts)
	} else {
		deltas += len(h.NegativeDeltas) + len(h.PositiveDeltas)
	}
	return estimate{
		likely: 40 + 6*spans + 8*doubles + deltas*3/2,
		most:   scalars + 14*uint64(spans) + 8*uint64(doubles) + 10*uint64(deltas),
	}
}

// putHistogram writes a histograms field, the fields of the message in ascending order of their numbers. Both
// versions have the same message but for the start timestamp of 2.0; start is passed as 0 for 1.0.
func putHistogram(b []byte, i int, tag byte, h *Histogram, start int64) int {
	open := i
	begin := pb.OpenMessage(b, i, tag, estimateHistogram(h).likely)
	i = putHistogramCounts(b, begin, h)
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
	return pb.CloseMessage(b, open, begin, i)
}

// putHistogramCounts writes the fields 1 to 7. The members of both oneofs are written even when zero: their presence
// tells the form.
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

// putSpans writes spans fields; a span takes twelve bytes at most, and so one byte of length.
func putSpans(b []byte, i int, tag byte, spans []BucketSpan) int {
	for k := range spans {
		open := i
		b[open] = tag
		i = pb.PutUint(b, i+2, 0x08, pb.Zigzag(int64(spans[k].Offset)))
		i = pb.PutUint(b, i, 0x10, uint64(spans[k].Length))
		b[open+1] = byte(i - open - 2)
	}
	return i
}

// putDeltas writes packed sint64, or nothing if there are none.
func putDeltas(b []byte, i int, tag byte, deltas []int64) int {
	if len(deltas) == 0 {
		return i
	}
	open := i
	begin := pb.OpenMessage(b, i, tag, len(deltas)*3/2)
	i = begin
	for _, d := range deltas {
		i = pb.PutVarint(b, i, pb.Zigzag(d))
	}
	return pb.CloseMessage(b, open, begin, i)
}

// putDoubles writes packed doubles, or nothing if there are none.
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
