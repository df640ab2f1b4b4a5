// Package same compares what was written with what is read back, as what it means: values bit by bit, histograms by
// their buckets, whatever the layout.
package same

import (
	"fmt"
	"math"

	"github.com/promwire/promwire"
)

// Float reports whether a and b have the same bits.
func Float(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }

// Series says what differs between two series; "" if nothing does. Labels, times, values and histograms count; start
// timestamps, exemplars and metadata do not, as Remote Read carries none.
func Series(got, want *promwire.TimeSeries) string {
	switch {
	case !got.Labels.Equal(want.Labels):
		return fmt.Sprintf("labels are %s, want %s", got.Labels, want.Labels)
	case len(got.Samples) != len(want.Samples):
		return fmt.Sprintf("%s has %d samples, want %d", want.Labels, len(got.Samples), len(want.Samples))
	case len(got.Histograms) != len(want.Histograms):
		return fmt.Sprintf("%s has %d histograms, want %d", want.Labels, len(got.Histograms), len(want.Histograms))
	}
	for i, w := range want.Samples {
		if g := got.Samples[i]; g.Timestamp != w.Timestamp || !Float(g.Value, w.Value) {
			return fmt.Sprintf("%s, sample %d is %v at %d (bits %016x), want %v at %d (bits %016x)", want.Labels, i,
				g.Value, g.Timestamp, math.Float64bits(g.Value), w.Value, w.Timestamp, math.Float64bits(w.Value))
		}
	}
	for i := range want.Histograms {
		if diff := Histogram(&got.Histograms[i], &want.Histograms[i]); diff != "" {
			return fmt.Sprintf("%s, histogram %d: %s", want.Labels, i, diff)
		}
	}
	return ""
}

// All says what differs first between two lists of series; "" if nothing does.
func All(got, want []promwire.TimeSeries) string {
	for i := range want {
		if i >= len(got) {
			return fmt.Sprintf("%d series, want %d: %s is missing", len(got), len(want), want[i].Labels)
		}
		if diff := Series(&got[i], &want[i]); diff != "" {
			return diff
		}
	}
	if len(got) > len(want) {
		return fmt.Sprintf("%d series, want %d: %s is one too many", len(got), len(want), got[len(want)].Labels)
	}
	return ""
}

// Histogram says what differs between two histograms; "" if nothing does. Of a stale histogram, time and mark count.
// Of reset hints only that of a gauge does: the others are for whoever stores to find out.
func Histogram(got, want *promwire.Histogram) string {
	switch {
	case got.Timestamp != want.Timestamp:
		return fmt.Sprintf("time is %d, want %d", got.Timestamp, want.Timestamp)
	case !Float(got.Sum, want.Sum):
		return fmt.Sprintf("sum is %v (bits %016x), want %v (bits %016x)", got.Sum, math.Float64bits(got.Sum),
			want.Sum, math.Float64bits(want.Sum))
	case promwire.IsStaleNaN(want.Sum):
		return ""
	case got.IsFloat != want.IsFloat:
		return fmt.Sprintf("float is %v, want %v", got.IsFloat, want.IsFloat)
	case got.Schema != want.Schema:
		return fmt.Sprintf("schema is %d, want %d", got.Schema, want.Schema)
	case (got.ResetHint == promwire.ResetGauge) != (want.ResetHint == promwire.ResetGauge):
		return fmt.Sprintf("reset hint is %d, want %d", got.ResetHint, want.ResetHint)
	}
	return firstOf(
		number("zero threshold", got.ZeroThreshold, want.ZeroThreshold),
		number("count", count(got), count(want)),
		number("zero count", zeroCount(got), zeroCount(want)),
		bounds(got.CustomValues, want.CustomValues),
		buckets("positive", got.PositiveSpans, got.PositiveDeltas, got.PositiveCounts, want.PositiveSpans, want.PositiveDeltas, want.PositiveCounts),
		buckets("negative", got.NegativeSpans, got.NegativeDeltas, got.NegativeCounts, want.NegativeSpans, want.NegativeDeltas, want.NegativeCounts),
	)
}

func firstOf(diffs ...string) string {
	for _, d := range diffs {
		if d != "" {
			return d
		}
	}
	return ""
}

func number(what string, got, want float64) string {
	if got == want || Float(got, want) {
		return ""
	}
	return fmt.Sprintf("%s is %v, want %v", what, got, want)
}

func count(h *promwire.Histogram) float64 {
	if h.IsFloat {
		return h.CountFloat
	}
	return float64(h.Count)
}

func zeroCount(h *promwire.Histogram) float64 {
	if h.IsFloat {
		return h.ZeroCountFloat
	}
	return float64(h.ZeroCount)
}

func bounds(got, want []float64) string {
	if len(got) != len(want) {
		return fmt.Sprintf("custom bounds are %v, want %v", got, want)
	}
	for i := range want {
		if !Float(got[i], want[i]) {
			return fmt.Sprintf("custom bounds are %v, want %v", got, want)
		}
	}
	return ""
}

func buckets(side string, gotSpans []promwire.BucketSpan, gotDeltas []int64, gotCounts []float64,
	wantSpans []promwire.BucketSpan, wantDeltas []int64, wantCounts []float64,
) string {
	got, want := filled(gotSpans, gotDeltas, gotCounts), filled(wantSpans, wantDeltas, wantCounts)
	for index, n := range want {
		if got[index] != n {
			return fmt.Sprintf("%s bucket %d has %v, want %v", side, index, got[index], n)
		}
	}
	for index, n := range got {
		if _, known := want[index]; !known {
			return fmt.Sprintf("%s bucket %d has %v, want 0", side, index, n)
		}
	}
	return ""
}

// filled returns the buckets that are not empty, by their index. Its work is bounded by the lengths of the slices,
// whatever the spans claim.
func filled(spans []promwire.BucketSpan, deltas []int64, counts []float64) map[int64]float64 {
	out := map[int64]float64{}
	index, i, sum := int64(0), 0, int64(0)
	for _, span := range spans {
		index += int64(span.Offset)
		for range span.Length {
			n := 0.0
			switch {
			case i < len(deltas):
				sum += deltas[i]
				n = float64(sum)
			case i < len(counts):
				n = counts[i]
			default:
				return out
			}
			if n != 0 {
				out[index] = n
			}
			i++
			index++
		}
	}
	return out
}
