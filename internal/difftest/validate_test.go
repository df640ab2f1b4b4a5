package difftest

import (
	"math"
	"testing"

	"github.com/prometheus/prometheus/model/histogram"

	"github.com/promwire/promwire"
)

// anyHistogram generates histograms of all sorts, about half of them valid.
func (s *source) anyHistogram() promwire.Histogram {
	h := s.histogram(s.one(2))
	for !s.one(3) && !s.done() {
		s.spoil(&h)
	}
	if h.Schema == promwire.CustomBucketsSchema {
		return h
	}
	if s.one(2) {
		h.Schema = int32(s.intn(64)) - 6
	}
	return h
}

// spoil changes one thing.
func (s *source) spoil(h *promwire.Histogram) {
	switch s.intn(12) {
	case 0:
		h.Count = uint64(s.intn(16))
	case 1:
		h.Sum = s.float()
	case 2:
		h.ZeroCount, h.ZeroCountFloat = uint64(s.intn(4)), s.float()
	case 3:
		h.ZeroThreshold = s.float()
	case 4:
		h.PositiveSpans = append(h.PositiveSpans, promwire.BucketSpan{Offset: int32(s.intn(8)) - 2, Length: uint32(s.intn(2))})
	case 5:
		h.NegativeSpans = append(h.NegativeSpans, promwire.BucketSpan{Offset: int32(s.intn(8)) - 2, Length: uint32(s.intn(2))})
	case 6:
		h.PositiveDeltas = append(h.PositiveDeltas, int64(s.intn(8))-4)
		h.PositiveCounts = append(h.PositiveCounts, s.float())
	case 7:
		h.NegativeDeltas = append(h.NegativeDeltas, int64(s.intn(8))-4)
		h.NegativeCounts = append(h.NegativeCounts, s.float())
	case 8:
		h.CustomValues = append(h.CustomValues, s.float())
	case 9:
		h.CountFloat = s.float()
	case 10:
		h.Schema = promwire.CustomBucketsSchema
	case 11:
		h.CustomValues = nil
	}
}

// libraryPrepare does what the library's receiver does before it stores a histogram, but judges one of a reserved
// schema before the reduction too: that may hide a bucket with a negative count in another one.
func libraryPrepare(h *promwire.Histogram) (promwire.Histogram, error) {
	reserved := h.Schema > promwire.MaxSchema && h.Schema <= histogram.ExponentialSchemaMaxReserved
	if reserved {
		coarse := h.Clone()
		coarse.Schema = promwire.MaxSchema
		if _, err := libraryPrepare(&coarse); err != nil {
			return *h, err
		}
	}
	if h.IsFloat {
		f := toFloat(h)
		f.CustomValues = nilIfEmpty(f.CustomValues)
		if reserved {
			if err := f.ReduceResolution(promwire.MaxSchema); err != nil {
				return *h, err
			}
		}
		return fromFloat(f), f.Validate()
	}
	i := toInt(h)
	i.CustomValues = nilIfEmpty(i.CustomValues)
	if reserved {
		if err := i.ReduceResolution(promwire.MaxSchema); err != nil {
			return *h, err
		}
	}
	return fromInt(i), i.Validate()
}

func nilIfEmpty(values []float64) []float64 {
	if len(values) == 0 {
		return nil // as a decoder leaves it, and the library tests for nil
	}
	return values
}

func fromInt(i *histogram.Histogram) promwire.Histogram {
	return promwire.Histogram{
		Schema: i.Schema, ResetHint: promwire.ResetHint(i.CounterResetHint), Sum: i.Sum, ZeroThreshold: i.ZeroThreshold,
		Count: i.Count, ZeroCount: i.ZeroCount, PositiveDeltas: i.PositiveBuckets, NegativeDeltas: i.NegativeBuckets,
		PositiveSpans: fromSpans(i.PositiveSpans), NegativeSpans: fromSpans(i.NegativeSpans), CustomValues: i.CustomValues,
	}
}

func fromFloat(f *histogram.FloatHistogram) promwire.Histogram {
	return promwire.Histogram{
		IsFloat: true,
		Schema:  f.Schema, ResetHint: promwire.ResetHint(f.CounterResetHint), Sum: f.Sum, ZeroThreshold: f.ZeroThreshold,
		CountFloat: f.Count, ZeroCountFloat: f.ZeroCount, PositiveCounts: f.PositiveBuckets, NegativeCounts: f.NegativeBuckets,
		PositiveSpans: fromSpans(f.PositiveSpans), NegativeSpans: fromSpans(f.NegativeSpans), CustomValues: f.CustomValues,
	}
}

func fromSpans(spans []histogram.Span) []promwire.BucketSpan {
	var out []promwire.BucketSpan
	for _, s := range spans {
		out = append(out, promwire.BucketSpan(s))
	}
	return out
}

// checkHistogram demands the library's verdict and, for reserved schemas, its result.
func checkHistogram(t *testing.T, s *source) {
	t.Helper()
	h := s.anyHistogram()
	if promwire.IsStaleNaN(h.Sum) {
		return // always valid here; the library looks at what is ignored
	}
	if !h.IsFloat && observations(&h) >= 1<<62 {
		return // the library adds up with wraparound
	}
	h.Timestamp, h.StartTimestamp = 0, 0
	want, wantErr := libraryPrepare(&h)
	if wantErr == nil && len(h.CustomValues) > 0 && math.IsInf(h.CustomValues[0], -1) {
		wantErr = histogram.ErrHistogramCustomBucketsInfinite // bounds are finite; the library lets this one pass
	}
	ts := promwire.TimeSeries{Labels: promwire.LabelsFromStrings(promwire.MetricName, "h")}
	ts.Histograms = []promwire.Histogram{h.Clone()}
	refused, keep := promwire.Rules{}.Apply(nil, 0, &ts)
	if keep != (wantErr == nil) {
		t.Fatalf("%+v\nrefused: %v\nthe library says %v", h, refused, wantErr)
	}
	if !keep || h.Schema <= promwire.MaxSchema {
		return
	}
	got := ts.Histograms[0]
	if h.IsFloat { // not looked at, and so not reduced
		got.Count, got.ZeroCount, got.PositiveDeltas, got.NegativeDeltas = 0, 0, nil, nil
	} else {
		got.CountFloat, got.ZeroCountFloat, got.PositiveCounts, got.NegativeCounts = 0, 0, nil, nil
	}
	if !sameHistogram(got, want) {
		t.Fatalf("%+v\nreduced to %+v\nthe library to %+v", h, got, want)
	}
}

// observations adds up the buckets of an integer histogram, roughly.
func observations(h *promwire.Histogram) float64 {
	total := float64(h.ZeroCount)
	for _, deltas := range [][]int64{h.PositiveDeltas, h.NegativeDeltas} {
		count := 0.0
		for _, d := range deltas {
			count += float64(d)
			total += math.Abs(count)
		}
	}
	return max(total, float64(h.Count))
}

func TestHistogramRules(t *testing.T) { eachSource(t, 20_000, checkHistogram) }

func FuzzHistogramRules(f *testing.F) {
	f.Add([]byte{1, 2, 3})
	f.Fuzz(func(t *testing.T, data []byte) { checkHistogram(t, &source{data}) })
}
