package difftest

import (
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/prompb"

	"github.com/promwire/promwire"
)

// fromProto converts the library's histogram message.
func fromProto(p *prompb.Histogram) promwire.Histogram {
	h := promwire.Histogram{
		Timestamp:      p.Timestamp,
		Schema:         p.Schema,
		ResetHint:      promwire.ResetHint(p.ResetHint),
		IsFloat:        p.IsFloatHistogram(),
		Sum:            p.Sum,
		ZeroThreshold:  p.ZeroThreshold,
		Count:          p.GetCountInt(),
		ZeroCount:      p.GetZeroCountInt(),
		PositiveDeltas: p.PositiveDeltas,
		NegativeDeltas: p.NegativeDeltas,
		CountFloat:     p.GetCountFloat(),
		ZeroCountFloat: p.GetZeroCountFloat(),
		PositiveCounts: p.PositiveCounts,
		NegativeCounts: p.NegativeCounts,
		CustomValues:   p.CustomValues,
	}
	for _, s := range p.PositiveSpans {
		h.PositiveSpans = append(h.PositiveSpans, promwire.BucketSpan(toSpan(s)))
	}
	for _, s := range p.NegativeSpans {
		h.NegativeSpans = append(h.NegativeSpans, promwire.BucketSpan(toSpan(s)))
	}
	return h
}

func toSpan(s prompb.BucketSpan) histogram.Span {
	return histogram.Span{Offset: s.Offset, Length: s.Length}
}

// toInt converts an integer histogram to the library's. They share no memory, since the library changes what it is
// given.
func toInt(h *promwire.Histogram) *histogram.Histogram {
	c := h.Clone()
	return &histogram.Histogram{
		CounterResetHint: histogram.CounterResetHint(h.ResetHint),
		Schema:           h.Schema,
		ZeroThreshold:    h.ZeroThreshold,
		ZeroCount:        h.ZeroCount,
		Count:            h.Count,
		Sum:              h.Sum,
		PositiveSpans:    toSpans(h.PositiveSpans),
		NegativeSpans:    toSpans(h.NegativeSpans),
		PositiveBuckets:  c.PositiveDeltas,
		NegativeBuckets:  c.NegativeDeltas,
		CustomValues:     c.CustomValues,
	}
}

// toFloat is toInt for float histograms.
func toFloat(h *promwire.Histogram) *histogram.FloatHistogram {
	c := h.Clone()
	return &histogram.FloatHistogram{
		CounterResetHint: histogram.CounterResetHint(h.ResetHint),
		Schema:           h.Schema,
		ZeroThreshold:    h.ZeroThreshold,
		ZeroCount:        h.ZeroCountFloat,
		Count:            h.CountFloat,
		Sum:              h.Sum,
		PositiveSpans:    toSpans(h.PositiveSpans),
		NegativeSpans:    toSpans(h.NegativeSpans),
		PositiveBuckets:  c.PositiveCounts,
		NegativeBuckets:  c.NegativeCounts,
		CustomValues:     c.CustomValues,
	}
}

func toSpans(spans []promwire.BucketSpan) []histogram.Span {
	var out []histogram.Span
	for _, s := range spans {
		out = append(out, histogram.Span(s))
	}
	return out
}
