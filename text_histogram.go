package promwire

import (
	"math"
	"strconv"
)

func appendHistogramText(dst []byte, h *Histogram) []byte {
	if IsStaleNaN(h.Sum) {
		return append(dst, "stale"...)
	}
	dst = append(dst, "{count:"...)
	if h.IsFloat {
		dst = appendTextFloat(dst, h.CountFloat)
	} else {
		dst = strconv.AppendUint(dst, h.Count, 10)
	}
	dst = appendTextFloat(append(dst, ", sum:"...), h.Sum)
	negative := h.textBuckets(h.NegativeSpans, h.NegativeDeltas, h.NegativeCounts)
	for i := len(negative) - 1; i >= 0; i-- {
		dst = h.appendBucket(dst, negative[i], true)
	}
	if zero := h.zeroCount(); zero != 0 {
		dst = appendRange(append(dst, ", "...), '[', -h.ZeroThreshold, h.ZeroThreshold, ']')
		dst = appendTextFloat(append(dst, ':'), zero)
	}
	for _, b := range h.textBuckets(h.PositiveSpans, h.PositiveDeltas, h.PositiveCounts) {
		dst = h.appendBucket(dst, b, false)
	}
	return append(dst, '}')
}

func (h *Histogram) zeroCount() float64 {
	if h.IsFloat {
		return h.ZeroCountFloat
	}
	return float64(h.ZeroCount)
}

type textBucket struct {
	index int64
	count float64
}

// textBuckets returns the buckets that are not empty. Its work is bounded by the lengths of the slices, whatever the
// spans claim.
func (h *Histogram) textBuckets(spans []BucketSpan, deltas []int64, counts []float64) []textBucket {
	var out []textBucket
	index, at, count := int64(0), 0, int64(0)
	for _, span := range spans {
		index += int64(span.Offset)
		for range span.Length {
			b := textBucket{index: index}
			switch {
			case h.IsFloat && at < len(counts):
				b.count = counts[at]
			case !h.IsFloat && at < len(deltas):
				count += deltas[at]
				b.count = float64(count)
			default:
				return out
			}
			if b.count != 0 {
				out = append(out, b)
			}
			index++
			at++
		}
	}
	return out
}

func (h *Histogram) appendBucket(dst []byte, b textBucket, negative bool) []byte {
	dst = append(dst, ", "...)
	lower, upper, ok := h.bucketBounds(b.index)
	switch {
	case !ok:
		if negative {
			dst = append(dst, '-')
		}
		dst = strconv.AppendInt(append(dst, '#'), b.index, 10)
	case negative:
		dst = appendRange(dst, '[', -upper, -lower, ')')
	default:
		dst = appendRange(dst, '(', lower, upper, ']')
	}
	return appendTextFloat(append(dst, ':'), b.count)
}

func appendRange(dst []byte, open byte, lower, upper float64, end byte) []byte {
	dst = appendTextFloat(append(dst, open), lower)
	dst = appendTextFloat(append(dst, ','), upper)
	return append(dst, end)
}

// bucketBounds returns the bounds of the positive bucket with this index; false if the schema defines none.
func (h *Histogram) bucketBounds(index int64) (lower, upper float64, ok bool) {
	switch {
	case h.Schema >= -4 && h.Schema <= 8:
		width := math.Exp2(-float64(h.Schema))
		return math.Exp2(float64(index-1) * width), math.Exp2(float64(index) * width), true
	case h.Schema == CustomBucketsSchema && index >= 0 && index <= int64(len(h.CustomValues)):
		lower, upper = math.Inf(-1), math.Inf(1)
		if index > 0 {
			lower = h.CustomValues[index-1]
		}
		if index < int64(len(h.CustomValues)) {
			upper = h.CustomValues[index]
		}
		return lower, upper, true
	default:
		return 0, 0, false
	}
}
