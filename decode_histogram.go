package promwire

import (
	"math"
	"slices"

	"github.com/promwire/promwire/internal/pb"
)

// addHistogram appends an empty histogram for the field at s[i:], with the memory of one that was there before.
func (ts *TimeSeries) addHistogram(s string, i int) *Histogram {
	n := len(ts.Histograms)
	if n == cap(ts.Histograms) {
		ts.Histograms = slices.Grow(ts.Histograms, countRun(s, i))
	}
	ts.Histograms = ts.Histograms[:n+1]
	ts.Histograms[n].Reset()
	return &ts.Histograms[n]
}

// readHistogram reads a Histogram. v2 says that it may have a start timestamp.
func readHistogram(h *Histogram, s string, v2 bool) bool {
	for i := 0; i < len(s); {
		tag, body, next := pb.Field(s, i)
		if next < 0 {
			return false
		}
		switch tag & 7 {
		case pb.Varint:
			i = readHistogramVarint(h, s, next, tag, v2)
		case pb.Fixed64:
			i = readHistogramDouble(h, s, next, tag, v2)
		case pb.Bytes:
			if !readHistogramList(h, s[i:], body, tag, v2) {
				return false
			}
			i = next
		default:
			i = skipHistogramField(s, next, tag, v2)
		}
		if i < 0 {
			return false
		}
	}
	return true
}

func skipHistogramField(s string, i int, tag uint64, v2 bool) int {
	known := uint64(1<<17 - 2)
	if v2 {
		known |= 1 << 17
	}
	return skipUnknown(s, i, tag, known)
}

// readHistogramVarint reads a varint field. Of the members of a oneof the last one counts, so each clears the other.
func readHistogramVarint(h *Histogram, s string, i int, tag uint64, v2 bool) int {
	v, next := pb.Uvarint(s, i)
	switch tag {
	case 0x08:
		h.Count, h.CountFloat, h.IsFloat = v, 0, false
	case 0x20:
		h.Schema = pb.Int32(v)
	case 0x30:
		h.ZeroCount, h.ZeroCountFloat = v, 0
	case 0x48:
		h.NegativeDeltas = append(h.NegativeDeltas, pb.Int64(v))
	case 0x60:
		h.PositiveDeltas = append(h.PositiveDeltas, pb.Int64(v))
	case 0x70:
		h.ResetHint = ResetHint(v)
	case 0x78:
		h.Timestamp = int64(v)
	default:
		if !v2 || tag != 0x88 {
			return skipHistogramField(s, i, tag, v2)
		}
		h.StartTimestamp = int64(v)
	}
	return next
}

func readHistogramDouble(h *Histogram, s string, i int, tag uint64, v2 bool) int {
	v, next := readDouble(s, i)
	switch tag {
	case 0x11:
		h.CountFloat, h.Count, h.IsFloat = v, 0, true
	case 0x19:
		h.Sum = v
	case 0x29:
		h.ZeroThreshold = v
	case 0x39:
		h.ZeroCountFloat, h.ZeroCount = v, 0
	case 0x51:
		h.NegativeCounts = append(h.NegativeCounts, v)
	case 0x69:
		h.PositiveCounts = append(h.PositiveCounts, v)
	case 0x81:
		h.CustomValues = append(h.CustomValues, v)
	default:
		return skipHistogramField(s, i, tag, v2)
	}
	return next
}

// readHistogramList reads spans and packed lists. list is in the field that s begins with.
func readHistogramList(h *Histogram, s, list string, tag uint64, v2 bool) (ok bool) {
	switch tag {
	case 0x42:
		h.NegativeSpans, ok = appendSpan(h.NegativeSpans, s, list)
	case 0x4a:
		h.NegativeDeltas, ok = appendDeltas(h.NegativeDeltas, list)
	case 0x52:
		h.NegativeCounts, ok = appendDoubles(h.NegativeCounts, list)
	case 0x5a:
		h.PositiveSpans, ok = appendSpan(h.PositiveSpans, s, list)
	case 0x62:
		h.PositiveDeltas, ok = appendDeltas(h.PositiveDeltas, list)
	case 0x6a:
		h.PositiveCounts, ok = appendDoubles(h.PositiveCounts, list)
	case 0x82:
		h.CustomValues, ok = appendDoubles(h.CustomValues, list)
	default:
		ok = skipHistogramField(list, 0, tag, v2) >= 0
	}
	return ok
}

// appendSpan appends the span s, which is in the field that run begins with.
func appendSpan(spans []BucketSpan, run, s string) ([]BucketSpan, bool) {
	if len(spans) == cap(spans) {
		spans = slices.Grow(spans, countRun(run, 0))
	}
	if len(s) == 4 && s[0] == 0x08 && s[1] < 0x80 && s[2] == 0x10 && s[3] < 0x80 {
		return append(spans, BucketSpan{pb.Int32(uint64(s[1])), uint32(s[3])}), true
	}
	var span BucketSpan
	for i := 0; i < len(s); {
		tag, _, next := pb.Field(s, i)
		if next < 0 {
			return spans, false
		}
		var v uint64
		switch tag {
		case 0x08:
			v, next = pb.Uvarint(s, next)
			span.Offset = pb.Int32(v)
		case 0x10:
			v, next = pb.Uvarint(s, next)
			span.Length = uint32(v)
		default:
			next = skipUnknown(s, next, tag, 1<<1|1<<2)
		}
		if i = next; i < 0 {
			return spans, false
		}
	}
	return append(spans, span), true
}

// appendDeltas appends packed deltas, most of which have one or two bytes.
func appendDeltas(vs []int64, s string) ([]int64, bool) {
	vs = slices.Grow(vs, pb.CountVarints(s)+8) // eight more, since they are written in groups
	out := vs[len(vs):cap(vs)]
	n, i := 0, 0
	for len(s)-i >= 8 && len(out)-n >= 8 {
		x := pb.Uint64(s, i)
		if x&0x8080808080808080 != 0 {
			count, size := shortDeltas(out[n:n+4], x)
			if count < 4 { // the next one is longer
				v, next := pb.Uvarint(s, i+size)
				if next < 0 {
					return vs, false
				}
				out[n+count] = pb.Int64(v)
				count, size = count+1, next-i
			}
			n, i = n+count, i+size
			continue
		}
		group := out[n : n+8]
		for k := range group {
			group[k] = pb.Int64(x & 0x7f)
			x >>= 8
		}
		n, i = n+8, i+8
	}
	for ; i < len(s) && n < len(out); n++ {
		v, next := pb.Uvarint(s, i)
		if next < 0 {
			return vs, false
		}
		out[n], i = pb.Int64(v), next
	}
	return vs[:len(vs)+n], true
}

// shortDeltas decodes up to four deltas of one or two bytes from x; it stops before a longer one. It does so without
// a branch on the length, since nothing tells it before.
func shortDeltas(out []int64, x uint64) (n, size int) {
	for n = range out {
		more := x >> 7 & 1
		if x>>15&more != 0 {
			return n, size
		}
		out[n] = pb.Int64(x&0x7f | x>>1&(0x3f80*more))
		size += 1 + int(more)
		x >>= (8 + 8*more) & 63
	}
	return len(out), size
}

func appendDoubles(vs []float64, s string) ([]float64, bool) {
	if len(s)%8 != 0 {
		return vs, false
	}
	vs = slices.Grow(vs, len(s)/8)
	for ; len(s) > 0; s = s[8:] {
		vs = append(vs, math.Float64frombits(pb.Uint64(s, 0)))
	}
	return vs, true
}
