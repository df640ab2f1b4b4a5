package promwire

import (
	"fmt"
	"math"
)

// The schemas of exponential native histograms. Those above MaxSchema, up to maxReservedSchema, are reserved for
// finer buckets: valid, but to be reduced before use (see [Histogram.ReduceResolution]).
const (
	MinSchema = -4
	MaxSchema = 8

	maxReservedSchema = 52
)

// Validate checks that h is consistent: known schema, spans that fit the buckets, counts that fit each other, and for
// [CustomBucketsSchema] proper bounds (native histograms, "Data model"). The error wraps [ErrInvalidHistogram].
//
// Only the fields of h's own form are looked at, integer or float. A stale histogram is valid whatever else it holds.
// Exponential schemas 9 to 52 are valid here. Bucket counts of NaN are, too, as everywhere in float histograms.
// Work is proportional to the buckets present, never to what spans announce; a valid h costs no allocation.
func (h *Histogram) Validate() error {
	if IsStaleNaN(h.Sum) {
		return nil
	}
	switch {
	case h.Schema == CustomBucketsSchema:
		if err := h.validateCustom(); err != nil {
			return err
		}
	case h.Schema < MinSchema || h.Schema > maxReservedSchema:
		return badHistogram("schema %d, want %d to %d or %d", h.Schema, MinSchema, MaxSchema, CustomBucketsSchema)
	case len(h.CustomValues) > 0:
		return badHistogram("schema %d has custom values", h.Schema)
	}
	positive, negative := len(h.PositiveDeltas), len(h.NegativeDeltas)
	if h.IsFloat {
		positive, negative = len(h.PositiveCounts), len(h.NegativeCounts)
	}
	if err := validateSpans("positive", h.PositiveSpans, positive); err != nil {
		return err
	}
	if err := validateSpans("negative", h.NegativeSpans, negative); err != nil {
		return err
	}
	if h.IsFloat {
		return h.validateFloat()
	}
	return h.validateInteger()
}

func badHistogram(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalidHistogram, fmt.Sprintf(format, args...))
}

// validateSpans checks offsets, lengths and the range of bucket indexes.
func validateSpans(side string, spans []BucketSpan, buckets int) error {
	var total uint64
	var index int64 // of the bucket behind the span
	for i, s := range spans {
		if i > 0 && s.Offset < 0 {
			return badHistogram("%s span %d has offset %d; only the first may be negative", side, i, s.Offset)
		}
		index += int64(s.Offset) + int64(s.Length)
		if index > math.MaxInt32 {
			return badHistogram("%s span %d reaches bucket index %d, beyond the 32-bit range", side, i, index)
		}
		total += uint64(s.Length)
	}
	if total != uint64(buckets) {
		return badHistogram("%s spans cover %d buckets, there are %d", side, total, buckets)
	}
	return nil
}

// validateInteger checks buckets, and the count against their sum.
func (h *Histogram) validateInteger() error {
	total := h.ZeroCount
	for _, side := range [...]struct {
		name   string
		deltas []int64
	}{{"positive", h.PositiveDeltas}, {"negative", h.NegativeDeltas}} {
		var count int64
		for i, d := range side.deltas {
			// An overflow of a count that is not negative shows as a negative one.
			if count += d; count < 0 {
				return badHistogram("%s bucket %d has a negative count or overflows", side.name, i)
			}
			if total += uint64(count); total < uint64(count) {
				return badHistogram("the sum of all buckets overflows")
			}
		}
	}
	if math.IsNaN(h.Sum) && total < h.Count {
		return nil // observations of NaN are counted, but are in no bucket
	}
	if total != h.Count {
		return badHistogram("count is %d, buckets hold %d", h.Count, total)
	}
	return nil
}

// validateFloat checks signs only: float counts are rounded, so that their sum proves nothing.
func (h *Histogram) validateFloat() error {
	if h.CountFloat < 0 {
		return badHistogram("count is %g", h.CountFloat)
	}
	if h.ZeroCountFloat < 0 {
		return badHistogram("zero count is %g", h.ZeroCountFloat)
	}
	for i, c := range h.PositiveCounts {
		if c < 0 {
			return badHistogram("positive bucket %d has count %g", i, c)
		}
	}
	for i, c := range h.NegativeCounts {
		if c < 0 {
			return badHistogram("negative bucket %d has count %g", i, c)
		}
	}
	return nil
}

// validateCustom checks what custom buckets demand on top of the rest.
func (h *Histogram) validateCustom() error {
	for i, v := range h.CustomValues {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return badHistogram("custom value %d is %g; bounds are finite, +Inf is implied", i, v)
		}
		if i > 0 && v <= h.CustomValues[i-1] {
			return badHistogram("custom value %d is %g after %g; bounds increase", i, v, h.CustomValues[i-1])
		}
	}
	zero := h.ZeroCount == 0
	if h.IsFloat {
		zero = h.ZeroCountFloat == 0
	}
	if !zero || h.ZeroThreshold != 0 {
		return badHistogram("custom buckets have no zero bucket")
	}
	if len(h.NegativeSpans) > 0 || h.IsFloat && len(h.NegativeCounts) > 0 || !h.IsFloat && len(h.NegativeDeltas) > 0 {
		return badHistogram("custom buckets have no negative side")
	}
	var end int64
	for _, s := range h.PositiveSpans {
		if s.Offset < 0 {
			return badHistogram("custom buckets start at index %d", s.Offset)
		}
		end += int64(s.Offset) + int64(s.Length)
		if end > int64(len(h.CustomValues))+1 {
			return badHistogram("spans reach bucket %d of %d", end, len(h.CustomValues)+1)
		}
	}
	return nil
}
