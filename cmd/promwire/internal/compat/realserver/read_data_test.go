package realserver

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"

	"github.com/promwire/promwire"
)

// history makes series of many chunks, with every kind of value, of about half an hour up to end. Series are in label
// order.
func history(end int64, k kind) []promwire.TimeSeries {
	random := rand.New(rand.NewPCG(1, 2))
	var out []promwire.TimeSeries
	add := func(samples []promwire.Sample, histograms []promwire.Histogram, labels ...string) {
		out = append(out, promwire.TimeSeries{Labels: promwire.LabelsFromStrings(labels...), Samples: samples, Histograms: histograms})
	}
	values := func(n int, value func(i int) float64) []promwire.Sample {
		var samples []promwire.Sample
		for i := range n {
			at := end - int64(n-i)*4_001 + random.Int64N(1_500)
			samples = append(samples, promwire.Sample{Timestamp: at, Value: value(i)})
		}
		return samples
	}
	for i := range 20 {
		add(values(300, func(i int) float64 { return float64(i) * random.ExpFloat64() }), nil,
			"__name__", "compat_float", "instance", fmt.Sprintf("host-%d:9100", i), "zone", []string{"", "a", "b"}[i%3])
	}
	add(values(250, func(i int) float64 { return float64(i / 7) }), nil, "__name__", "compat_steps")
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), promwire.StaleNaN(), 5e-324, -1}
	add(values(130, func(i int) float64 { return odd[i%len(odd)] }), nil, "__name__", "compat_steps", "value", "odd")
	add(values(3, func(int) float64 { return 1 }), nil, "__name__", "compat_steps", "value", "Zürich 🏔 \"q\" \\ \n")
	if k.utf8Names {
		add(values(3, func(int) float64 { return 1 }), nil, "__name__", "compat.température °C", "capteur.numéro", "1")
	}
	natives := func(form string, n int64, histogram func(t, n int64) promwire.Histogram) {
		var hs []promwire.Histogram
		for i := range n {
			// It grows, but for a reset after two thirds.
			h := histogram(end-(n-i)*7_003, 1+i%(n*2/3))
			hs = append(hs, h)
		}
		add(nil, hs, "__name__", "compat_native", "form", form)
	}
	natives("int", 250, intHistogram)
	natives("wide", 150, wideHistogram)
	natives("float", 150, func(t, n int64) promwire.Histogram { return floatHistogram(t, float64(n)*1.0625) })
	if k.gaugeChunks {
		natives("gauge", 60, func(t, n int64) promwire.Histogram { return gaugeHistogram(t, 1+n*7919%31) })
	}
	natives("stale", 3, func(t, n int64) promwire.Histogram {
		if n == 1 {
			return intHistogram(t, 1)
		}
		return promwire.Histogram{Timestamp: t, Sum: promwire.StaleNaN()}
	})
	if k.customBuckets {
		natives("custom int", 130, customHistogram)
		natives("custom float", 130, func(t, n int64) promwire.Histogram { return asFloat(customHistogram(t, n)) })
	}
	slices.SortFunc(out, func(a, b promwire.TimeSeries) int { return a.Labels.Compare(b.Labels) })
	return out
}

// wideHistogram gets more buckets as it grows, so that stores have to make room for them.
func wideHistogram(t, n int64) promwire.Histogram {
	h := promwire.Histogram{Timestamp: t, Schema: 1, Sum: float64(n), ZeroThreshold: math.Exp2(-128)}
	previous := int64(0)
	for i := range min(n, 60) {
		h.PositiveDeltas = append(h.PositiveDeltas, n-i-previous)
		h.Count += uint64(n - i)
		previous = n - i
	}
	h.PositiveSpans = []promwire.BucketSpan{{Offset: -10, Length: uint32(len(h.PositiveDeltas))}}
	return h
}

// mixed is a series that changes from floats to native histograms and back.
func mixed(end int64) []promwire.TimeSeries {
	labels := promwire.LabelsFromStrings("__name__", "compat_mixed")
	at := func(i int64) int64 { return end - (6-i)*1000 }
	return []promwire.TimeSeries{
		{Labels: labels, Samples: []promwire.Sample{{Timestamp: at(0), Value: 1}, {Timestamp: at(1), Value: 2}}},
		{Labels: labels, Histograms: []promwire.Histogram{intHistogram(at(2), 1), intHistogram(at(3), 2)}},
		{Labels: labels, Histograms: []promwire.Histogram{floatHistogram(at(4), 1)}},
		{Labels: labels, Samples: []promwire.Sample{{Timestamp: at(5), Value: 3}}},
	}
}

// writeAll writes series, some at a time.
func writeAll(t *testing.T, w promwire.Writer, all []promwire.TimeSeries) {
	t.Helper()
	for some := range slices.Chunk(all, 10) {
		mustWrite(t, w, &promwire.WriteRequest{Timeseries: some})
	}
}

// selected returns what of all a query selects.
func selected(t *testing.T, all []promwire.TimeSeries, q promwire.Query) []promwire.TimeSeries {
	t.Helper()
	lo, hi := q.Range()
	if err := promwire.CompileMatchers(q.Matchers); err != nil {
		t.Fatal(err)
	}
	var out []promwire.TimeSeries
	for _, ts := range all {
		if !promwire.MatchAll(ts.Labels, q.Matchers) {
			continue
		}
		cut := promwire.TimeSeries{Labels: ts.Labels}
		for _, s := range ts.Samples {
			if s.Timestamp >= lo && s.Timestamp <= hi {
				cut.Samples = append(cut.Samples, s)
			}
		}
		for _, h := range ts.Histograms {
			if h.Timestamp >= lo && h.Timestamp <= hi {
				cut.Histograms = append(cut.Histograms, h)
			}
		}
		if len(cut.Samples)+len(cut.Histograms) > 0 {
			out = append(out, cut)
		}
	}
	return out
}

// collect reads all series of a query, the parts of each joined.
func collect(t *testing.T, r promwire.Reader, q promwire.Query) []promwire.TimeSeries {
	t.Helper()
	return gather(t, promwire.JoinSeries(r.Read(t.Context(), q)))
}

func gather(t *testing.T, all iter.Seq2[promwire.TimeSeries, error]) []promwire.TimeSeries {
	t.Helper()
	var out []promwire.TimeSeries
	for ts, err := range all {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, ts.Clone())
	}
	return out
}

// checkEqual compares series with what is to be there, value by value.
func checkEqual(t *testing.T, what string, got, want []promwire.TimeSeries) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: got %d series, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		checkSeries(t, what, got[i], want[i])
	}
}

func checkSeries(t *testing.T, what string, got, want promwire.TimeSeries) {
	t.Helper()
	if !got.Labels.Equal(want.Labels) || len(got.Samples) != len(want.Samples) || len(got.Histograms) != len(want.Histograms) {
		t.Errorf("%s: got %s with %d samples and %d histograms, want %s with %d and %d", what, got.Labels, len(got.Samples),
			len(got.Histograms), want.Labels, len(want.Samples), len(want.Histograms))
		return
	}
	for j, s := range got.Samples {
		w := want.Samples[j]
		if s.Timestamp != w.Timestamp || math.Float64bits(s.Value) != math.Float64bits(w.Value) || s.StartTimestamp != w.StartTimestamp {
			t.Errorf("%s: %s: got %+v, want %+v", what, got.Labels, s, w)
			return
		}
	}
	for j := range got.Histograms {
		if !sameHistogram(got.Histograms[j], want.Histograms[j]) {
			t.Errorf("%s: %s: got %+v, want %+v", what, got.Labels, got.Histograms[j], want.Histograms[j])
			return
		}
		if j > 0 && got.Histograms[j].ResetHint == promwire.ResetNo && count(want.Histograms[j]) < count(want.Histograms[j-1]) {
			t.Errorf("%s: %s: no reset hint for %+v", what, got.Labels, got.Histograms[j])
		}
	}
}

func count(h promwire.Histogram) float64 {
	if h.IsFloat {
		return h.CountFloat
	}
	return float64(h.Count)
}

// sameHistogram compares all there is but empty buckets, for which stores make room as they like, and hints about
// resets, which they find out for themselves. Of stale markers only the mark counts.
func sameHistogram(a, b promwire.Histogram) bool {
	if promwire.IsStaleNaN(a.Sum) || promwire.IsStaleNaN(b.Sum) {
		return math.Float64bits(a.Sum) == math.Float64bits(b.Sum) && a.Timestamp == b.Timestamp
	}
	if a.IsFloat != b.IsFloat || (a.ResetHint == promwire.ResetGauge) != (b.ResetHint == promwire.ResetGauge) {
		return false
	}
	if !a.IsFloat {
		a, b = asFloat(a), asFloat(b)
	}
	return a.Timestamp == b.Timestamp && a.StartTimestamp == b.StartTimestamp && a.Schema == b.Schema &&
		math.Float64bits(a.Sum) == math.Float64bits(b.Sum) && a.ZeroThreshold == b.ZeroThreshold &&
		a.CountFloat == b.CountFloat && a.ZeroCountFloat == b.ZeroCountFloat && slices.Equal(a.CustomValues, b.CustomValues) &&
		slices.Equal(buckets(a.PositiveSpans, a.PositiveCounts), buckets(b.PositiveSpans, b.PositiveCounts)) &&
		slices.Equal(buckets(a.NegativeSpans, a.NegativeCounts), buckets(b.NegativeSpans, b.NegativeCounts))
}

// between makes a query over a time range, in milliseconds, by a selector.
func between(t *testing.T, lo, hi int64, selector string) promwire.Query {
	t.Helper()
	ms, err := promwire.ParseSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	return promwire.Query{Start: time.UnixMilli(lo), End: time.UnixMilli(hi), Matchers: ms}
}

func spans(in []histogram.Span) []promwire.BucketSpan {
	var out []promwire.BucketSpan
	for _, s := range in {
		out = append(out, promwire.BucketSpan{Offset: s.Offset, Length: s.Length})
	}
	return out
}
