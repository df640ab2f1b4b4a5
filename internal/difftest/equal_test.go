package difftest

import (
	"fmt"
	"math"
	"slices"

	"github.com/promwire/promwire"
)

// sameFloats compares bit by bit.
func sameFloats(a, b []float64) bool {
	return slices.EqualFunc(a, b, sameFloat)
}

func sameFloat(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }

func sameSample(a, b promwire.Sample) bool {
	return a.Timestamp == b.Timestamp && a.StartTimestamp == b.StartTimestamp && sameFloat(a.Value, b.Value)
}

func sameHistogram(a, b promwire.Histogram) bool {
	return a.Timestamp == b.Timestamp && a.StartTimestamp == b.StartTimestamp && a.Schema == b.Schema &&
		a.ResetHint == b.ResetHint && a.IsFloat == b.IsFloat && sameFloat(a.Sum, b.Sum) &&
		sameFloat(a.ZeroThreshold, b.ZeroThreshold) && a.Count == b.Count && a.ZeroCount == b.ZeroCount &&
		slices.Equal(a.PositiveDeltas, b.PositiveDeltas) && slices.Equal(a.NegativeDeltas, b.NegativeDeltas) &&
		sameFloat(a.CountFloat, b.CountFloat) && sameFloat(a.ZeroCountFloat, b.ZeroCountFloat) &&
		sameFloats(a.PositiveCounts, b.PositiveCounts) && sameFloats(a.NegativeCounts, b.NegativeCounts) &&
		slices.Equal(a.PositiveSpans, b.PositiveSpans) && slices.Equal(a.NegativeSpans, b.NegativeSpans) &&
		sameFloats(a.CustomValues, b.CustomValues)
}

// diffSeries says how samples and histograms of two series differ, or "".
func diffSeries(got, want *promwire.TimeSeries) string {
	if len(got.Samples) != len(want.Samples) || len(got.Histograms) != len(want.Histograms) {
		return fmt.Sprintf("got %d samples and %d histograms, want %d and %d",
			len(got.Samples), len(got.Histograms), len(want.Samples), len(want.Histograms))
	}
	for i := range got.Samples {
		if !sameSample(got.Samples[i], want.Samples[i]) {
			return fmt.Sprintf("sample %d: got %+v, want %+v", i, got.Samples[i], want.Samples[i])
		}
	}
	for i := range got.Histograms {
		if !sameHistogram(got.Histograms[i], want.Histograms[i]) {
			return fmt.Sprintf("histogram %d:\ngot  %+v\nwant %+v", i, got.Histograms[i], want.Histograms[i])
		}
	}
	return ""
}

// ownForm returns h without the fields of the other form, which mean nothing and are not sent.
func ownForm(h promwire.Histogram) promwire.Histogram {
	if h.IsFloat {
		h.Count, h.ZeroCount, h.PositiveDeltas, h.NegativeDeltas = 0, 0, nil, nil
	} else {
		h.CountFloat, h.ZeroCountFloat, h.PositiveCounts, h.NegativeCounts = 0, 0, nil, nil
	}
	return h
}

func sameExemplar(a, b promwire.Exemplar) bool {
	return slices.Equal(a.Labels, b.Labels) && sameFloat(a.Value, b.Value) && a.Timestamp == b.Timestamp
}

// diffTimeSeries says how two series differ, or "".
func diffTimeSeries(got, want *promwire.TimeSeries) string {
	if !slices.Equal(got.Labels, want.Labels) || got.Metadata != want.Metadata {
		return fmt.Sprintf("got %s %+v, want %s %+v", got.Labels, got.Metadata, want.Labels, want.Metadata)
	}
	if !slices.EqualFunc(got.Exemplars, want.Exemplars, sameExemplar) {
		return fmt.Sprintf("got exemplars %+v, want %+v", got.Exemplars, want.Exemplars)
	}
	g, w := *got, *want
	g.Histograms, w.Histograms = nil, nil
	for i := range got.Histograms {
		g.Histograms = append(g.Histograms, ownForm(got.Histograms[i]))
	}
	for i := range want.Histograms {
		w.Histograms = append(w.Histograms, ownForm(want.Histograms[i]))
	}
	return diffSeries(&g, &w)
}

func diffAllSeries(got, want []promwire.TimeSeries) string {
	if len(got) != len(want) {
		return fmt.Sprintf("got %d series, want %d", len(got), len(want))
	}
	for i := range got {
		if diff := diffTimeSeries(&got[i], &want[i]); diff != "" {
			return fmt.Sprintf("series %d: %s", i, diff)
		}
	}
	return ""
}

// diffRequest says how two requests differ, or "".
func diffRequest(got, want *promwire.WriteRequest) string {
	if !slices.Equal(got.Metadata, want.Metadata) {
		return fmt.Sprintf("got metadata %+v, want %+v", got.Metadata, want.Metadata)
	}
	return diffAllSeries(got.Timeseries, want.Timeseries)
}
