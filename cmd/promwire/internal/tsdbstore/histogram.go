package tsdbstore

import (
	"fmt"
	"slices"

	"github.com/prometheus/prometheus/model/histogram"

	"github.com/promwire/promwire"
)

// newHistogram converts h to the TSDB's form, one of both results. The result shares no memory with h, for the TSDB
// keeps the newest histogram of every series.
func newHistogram(h *promwire.Histogram) (*histogram.Histogram, *histogram.FloatHistogram, error) {
	if h.IsFloat {
		fh, err := newFloatHistogram(h)
		return nil, fh, err
	}
	ih, err := newIntHistogram(h)
	return ih, nil, err
}

func newIntHistogram(h *promwire.Histogram) (*histogram.Histogram, error) {
	if promwire.IsStaleNaN(h.Sum) {
		return &histogram.Histogram{Sum: h.Sum}, nil
	}
	out := &histogram.Histogram{
		CounterResetHint: resetHint(h.ResetHint),
		Schema:           h.Schema,
		ZeroThreshold:    h.ZeroThreshold,
		ZeroCount:        h.ZeroCount,
		Count:            h.Count,
		Sum:              h.Sum,
		PositiveSpans:    newSpans(h.PositiveSpans),
		NegativeSpans:    newSpans(h.NegativeSpans),
		PositiveBuckets:  slices.Clone(h.PositiveDeltas),
		NegativeBuckets:  slices.Clone(h.NegativeDeltas),
		CustomValues:     newBounds(h.CustomValues),
	}
	if finer(out.Schema) {
		if err := out.ReduceResolution(histogram.ExponentialSchemaMax); err != nil {
			return nil, invalidHistogram(err)
		}
	}
	return out, nil
}

func newFloatHistogram(h *promwire.Histogram) (*histogram.FloatHistogram, error) {
	if promwire.IsStaleNaN(h.Sum) {
		return &histogram.FloatHistogram{Sum: h.Sum}, nil
	}
	out := &histogram.FloatHistogram{
		CounterResetHint: resetHint(h.ResetHint),
		Schema:           h.Schema,
		ZeroThreshold:    h.ZeroThreshold,
		ZeroCount:        h.ZeroCountFloat,
		Count:            h.CountFloat,
		Sum:              h.Sum,
		PositiveSpans:    newSpans(h.PositiveSpans),
		NegativeSpans:    newSpans(h.NegativeSpans),
		PositiveBuckets:  slices.Clone(h.PositiveCounts),
		NegativeBuckets:  slices.Clone(h.NegativeCounts),
		CustomValues:     newBounds(h.CustomValues),
	}
	if finer(out.Schema) {
		if err := out.ReduceResolution(histogram.ExponentialSchemaMax); err != nil {
			return nil, invalidHistogram(err)
		}
	}
	return out, nil
}

// finer reports whether a schema is valid but finer than what the TSDB stores.
func finer(schema int32) bool {
	return schema > histogram.ExponentialSchemaMax && schema <= histogram.ExponentialSchemaMaxReserved
}

func invalidHistogram(err error) error {
	return fmt.Errorf("%w: %w", promwire.ErrInvalidHistogram, err)
}

// resetHint takes unknown numbers for "unknown"; the known ones are the same on both sides.
func resetHint(h promwire.ResetHint) histogram.CounterResetHint {
	if h < promwire.ResetUnknown || h > promwire.ResetGauge {
		return histogram.UnknownCounterReset
	}
	return histogram.CounterResetHint(h)
}

func newSpans(spans []promwire.BucketSpan) []histogram.Span {
	if len(spans) == 0 {
		return nil
	}
	out := make([]histogram.Span, len(spans))
	for i, s := range spans {
		out[i] = histogram.Span(s)
	}
	return out
}

// newBounds gives nil for no bounds, which the TSDB demands of exponential schemas.
func newBounds(bounds []float64) []float64 {
	if len(bounds) == 0 {
		return nil
	}
	return slices.Clone(bounds)
}
