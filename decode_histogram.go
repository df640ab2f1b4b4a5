package promwire

import (
	"math"

	"github.com/promwire/promwire/internal/pb"
)

// appendHistogram appends the Histogram whose length is at s[i:]. v2 says that it may have a start timestamp.
func appendHistogram(ts *TimeSeries, s string, i int, v2 bool) int {
	start, end := pb.Length(s, i)
	if end < 0 {
		return -1
	}
	if !readHistogram(growHistograms(ts), s[start:end], v2) {
		return -1
	}
	return end
}

// growHistograms appends an empty histogram, with the memory of one that was there before.
func growHistograms(ts *TimeSeries) *Histogram {
	n := len(ts.Histograms)
	if n < cap(ts.Histograms) {
		ts.Histograms = ts.Histograms[:n+1]
		ts.Histograms[n].Reset()
	} else {
		ts.Histograms = append(ts.Histograms, Histogram{})
	}
	return &ts.Histograms[n]
}

func readHistogram(h *Histogram, s string, v2 bool) bool {
	for i := 0; i < len(s); {
		tag, j := readTag(s, i)
		if j < 0 {
			return false
		}
		switch tag & 7 {
		case pb.Varint:
			i = readHistogramVarint(h, s, j, tag, v2)
		case pb.Fixed64:
			i = readHistogramDouble(h, s, j, tag, v2)
		case pb.Bytes:
			i = readHistogramList(h, s, j, tag, v2)
		default:
			i = skipHistogramField(s, j, tag, v2)
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

// readHistogramList reads spans and packed lists.
func readHistogramList(h *Histogram, s string, i int, tag uint64, v2 bool) int {
	start, end := pb.Length(s, i)
	if end < 0 {
		return -1
	}
	list, ok := s[start:end], true
	switch tag {
	case 0x42:
		h.NegativeSpans, ok = appendSpan(h.NegativeSpans, list)
	case 0x4a:
		h.NegativeDeltas, ok = appendDeltas(h.NegativeDeltas, list)
	case 0x52:
		h.NegativeCounts, ok = appendDoubles(h.NegativeCounts, list)
	case 0x5a:
		h.PositiveSpans, ok = appendSpan(h.PositiveSpans, list)
	case 0x62:
		h.PositiveDeltas, ok = appendDeltas(h.PositiveDeltas, list)
	case 0x6a:
		h.PositiveCounts, ok = appendDoubles(h.PositiveCounts, list)
	case 0x82:
		h.CustomValues, ok = appendDoubles(h.CustomValues, list)
	default:
		return skipHistogramField(s, i, tag, v2)
	}
	if !ok {
		return -1
	}
	return end
}

func appendSpan(spans []BucketSpan, s string) ([]BucketSpan, bool) {
	var span BucketSpan
	for i := 0; i < len(s); {
		tag, j := readTag(s, i)
		if j < 0 {
			return spans, false
		}
		var v uint64
		switch tag {
		case 0x08:
			v, i = pb.Uvarint(s, j)
			span.Offset = pb.Int32(v)
		case 0x10:
			v, i = pb.Uvarint(s, j)
			span.Length = uint32(v)
		default:
			i = skipUnknown(s, j, tag, 1<<1|1<<2)
		}
		if i < 0 {
			return spans, false
		}
	}
	return append(spans, span), true
}

func appendDeltas(vs []int64, s string) ([]int64, bool) {
	for i := 0; i < len(s); {
		v, next := pb.Uvarint(s, i)
		if next < 0 {
			return vs, false
		}
		vs = append(vs, pb.Int64(v))
		i = next
	}
	return vs, true
}

func appendDoubles(vs []float64, s string) ([]float64, bool) {
	if len(s)%8 != 0 {
		return vs, false
	}
	for ; len(s) > 0; s = s[8:] {
		vs = append(vs, math.Float64frombits(pb.Uint64(s, 0)))
	}
	return vs, true
}
