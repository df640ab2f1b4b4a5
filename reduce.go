package promwire

import "math"

// ReduceResolution brings an exponential histogram to a coarser schema, in place and without allocation: each step
// joins pairs of adjacent buckets. It is how the reserved schemas 9 to 52 become usable: receivers and read clients
// reduce them to [MaxSchema].
//
// h must be valid ([Histogram.Validate]) and its schema an exponential one above the target; anything else is an
// error that wraps [ErrInvalidHistogram], and h is as it was. A stale histogram only gets the new schema.
func (h *Histogram) ReduceResolution(schema int32) error {
	if h.Schema == CustomBucketsSchema || schema < MinSchema || schema >= h.Schema {
		return badHistogram("schema %d cannot be reduced to %d", h.Schema, schema)
	}
	if err := h.Validate(); err != nil {
		return err
	}
	if !h.IsFloat && h.Count > math.MaxInt64 {
		return badHistogram("count %d is too large to join buckets", h.Count)
	}
	if !IsStaleNaN(h.Sum) {
		steps := uint(h.Schema - schema)
		if h.IsFloat {
			h.PositiveSpans, h.PositiveCounts = reduceCounts(h.PositiveSpans, h.PositiveCounts, steps)
			h.NegativeSpans, h.NegativeCounts = reduceCounts(h.NegativeSpans, h.NegativeCounts, steps)
		} else {
			h.PositiveSpans, h.PositiveDeltas = reduceDeltas(h.PositiveSpans, h.PositiveDeltas, steps)
			h.NegativeSpans, h.NegativeDeltas = reduceDeltas(h.NegativeSpans, h.NegativeDeltas, steps)
		}
	}
	h.Schema = schema
	return nil
}

// reduceDeltas joins integer buckets, which it turns into counts and back.
func reduceDeltas(spans []BucketSpan, deltas []int64, steps uint) ([]BucketSpan, []int64) {
	for i := 1; i < len(deltas); i++ {
		deltas[i] += deltas[i-1]
	}
	spans, counts := reduceCounts(spans, deltas, steps)
	for i := len(counts) - 1; i > 0; i-- {
		counts[i] -= counts[i-1]
	}
	return spans, counts
}

// reduceCounts joins absolute counts. Writing never overtakes reading: every coarse bucket comes from at least one
// fine bucket, and every coarse span from at least one fine span.
func reduceCounts[T int64 | float64](spans []BucketSpan, counts []T, steps uint) ([]BucketSpan, []T) {
	outSpans, outCounts := spans[:0], counts[:0]
	var index, last int64 // of the fine bucket; of the last coarse one
	read := 0
	for _, s := range spans {
		index += int64(s.Offset)
		for range s.Length {
			// Bucket i ends at base^i, so that i-1 is what halves evenly.
			coarse := (index-1)>>steps + 1
			switch {
			case len(outSpans) == 0:
				outSpans = append(outSpans, BucketSpan{int32(coarse), 1})
				outCounts = append(outCounts, counts[read])
			case coarse == last:
				outCounts[len(outCounts)-1] += counts[read]
			case coarse == last+1:
				outSpans[len(outSpans)-1].Length++
				outCounts = append(outCounts, counts[read])
			default:
				outSpans = append(outSpans, BucketSpan{int32(coarse - last - 1), 1})
				outCounts = append(outCounts, counts[read])
			}
			last = coarse
			index++
			read++
		}
	}
	return outSpans, outCounts
}
