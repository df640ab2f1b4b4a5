package exposition

import (
	"github.com/prometheus/prometheus/model/histogram"

	"github.com/promwire/promwire"
)

// newHistogram takes over h, slices and all.
func newHistogram(h *histogram.Histogram) *promwire.Histogram {
	return &promwire.Histogram{
		Schema: h.Schema, ResetHint: promwire.ResetHint(h.CounterResetHint), Sum: h.Sum,
		ZeroThreshold: h.ZeroThreshold, Count: h.Count, ZeroCount: h.ZeroCount,
		PositiveDeltas: h.PositiveBuckets, NegativeDeltas: h.NegativeBuckets,
		PositiveSpans: newSpans(h.PositiveSpans), NegativeSpans: newSpans(h.NegativeSpans), CustomValues: h.CustomValues,
	}
}

// newFloatHistogram takes over h, slices and all.
func newFloatHistogram(h *histogram.FloatHistogram) *promwire.Histogram {
	return &promwire.Histogram{
		Schema: h.Schema, ResetHint: promwire.ResetHint(h.CounterResetHint), IsFloat: true, Sum: h.Sum,
		ZeroThreshold: h.ZeroThreshold, CountFloat: h.Count, ZeroCountFloat: h.ZeroCount,
		PositiveCounts: h.PositiveBuckets, NegativeCounts: h.NegativeBuckets,
		PositiveSpans: newSpans(h.PositiveSpans), NegativeSpans: newSpans(h.NegativeSpans), CustomValues: h.CustomValues,
	}
}

func newSpans(spans []histogram.Span) []promwire.BucketSpan {
	if len(spans) == 0 {
		return nil
	}
	out := make([]promwire.BucketSpan, len(spans))
	for i, s := range spans {
		out[i] = promwire.BucketSpan(s)
	}
	return out
}
