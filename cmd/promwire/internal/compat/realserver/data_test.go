package realserver

import (
	"math"
	"testing"

	"github.com/promwire/promwire"
)

// step is the time between the samples of everything.
const step = int64(15_000)

// kind says what a set of test data may contain.
type kind struct {
	utf8Names     bool
	customBuckets bool // only Remote Write 2.0 has them
	gaugeChunks   bool // native gauge histograms in a history
}

// everything makes a request with each kind of data there is, four samples at most per series, the first at start.
func everything(start int64, k kind) *promwire.WriteRequest {
	at := func(i int64) int64 { return start + i*step }
	trace := promwire.LabelsFromStrings("trace_id", "4bf92f3577b34da6", "spän", "é🙂")
	req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
		{
			Labels:   promwire.LabelsFromStrings("__name__", "compat_requests_total", "method", "get", "path", "/a b"),
			Samples:  floats(start, 1, 85, 85.5, 1e15),
			Metadata: promwire.Metadata{Type: promwire.TypeCounter, Help: "Requests \"taken\".\nAll of them.", Unit: "requests"},
			Exemplars: []promwire.Exemplar{
				{Labels: trace, Value: 0.5, Timestamp: at(0) + 1},
				{Labels: promwire.LabelsFromStrings("trace_id", "2"), Value: -1.25, Timestamp: at(3)},
			},
		},
		{
			Labels:   promwire.LabelsFromStrings("__name__", "compat_values", "of", "odd"),
			Samples:  floats(start, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1)),
			Metadata: promwire.Metadata{Type: promwire.TypeGauge, Help: "Values"},
		},
		{
			Labels:   promwire.LabelsFromStrings("__name__", "compat_values", "of", "range"),
			Samples:  floats(start, 5e-324, math.MaxFloat64, -273.15, 0.30000000000000004),
			Metadata: promwire.Metadata{Type: promwire.TypeGauge, Help: "Values"},
		},
		{
			Labels:  promwire.LabelsFromStrings("__name__", "compat_gone", "city", "Zürich 🏔 \"q\" \\ \n\t."),
			Samples: floats(start, 1, 2, promwire.StaleNaN()),
		},
		{
			Labels:     promwire.LabelsFromStrings("__name__", "compat_native", "form", "int"),
			Histograms: []promwire.Histogram{intHistogram(at(0), 1), intHistogram(at(1), 5), intHistogram(at(2), 2)},
			Metadata:   promwire.Metadata{Type: promwire.TypeHistogram, Help: "Native", Unit: "seconds"},
			Exemplars:  []promwire.Exemplar{{Labels: trace, Value: 3, Timestamp: at(1)}},
		},
		{
			Labels:     promwire.LabelsFromStrings("__name__", "compat_native", "form", "float"),
			Histograms: []promwire.Histogram{floatHistogram(at(0), 1), floatHistogram(at(1), 2.5)},
		},
		{
			Labels:     promwire.LabelsFromStrings("__name__", "compat_native_gauge"),
			Histograms: []promwire.Histogram{gaugeHistogram(at(0), 9), gaugeHistogram(at(1), 4)},
			Metadata:   promwire.Metadata{Type: promwire.TypeGaugeHistogram, Help: "Goes down too"},
		},
		{
			Labels:     promwire.LabelsFromStrings("__name__", "compat_native", "form", "stale"),
			Histograms: []promwire.Histogram{intHistogram(at(0), 1), {Timestamp: at(1), Sum: promwire.StaleNaN()}},
		},
	}}
	if k.utf8Names {
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
			Labels:  promwire.LabelsFromStrings("__name__", "compat.température °C", "capteur.numéro", "1 \"x\""),
			Samples: floats(start, 21.5, 22),
		})
	}
	if k.customBuckets {
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
			Labels:     promwire.LabelsFromStrings("__name__", "compat_native", "form", "custom int"),
			Histograms: []promwire.Histogram{customHistogram(at(0), 1), customHistogram(at(1), 3)},
		}, promwire.TimeSeries{
			Labels:     promwire.LabelsFromStrings("__name__", "compat_native", "form", "custom float"),
			Histograms: []promwire.Histogram{asFloat(customHistogram(at(0), 1)), asFloat(customHistogram(at(1), 3))},
		})
	}
	return req
}

func floats(start int64, values ...float64) []promwire.Sample {
	var out []promwire.Sample
	for i, v := range values {
		out = append(out, promwire.Sample{Timestamp: start + int64(i)*step, Value: v})
	}
	return out
}

// intHistogram has positive, negative and zero buckets, with n times the counts. Powers of two bound its buckets.
func intHistogram(t int64, n int64) promwire.Histogram {
	return promwire.Histogram{
		Timestamp: t, Schema: 0, Count: uint64(13 * n), Sum: -1.5 * float64(n), ZeroThreshold: 0.001, ZeroCount: uint64(2 * n),
		PositiveSpans: []promwire.BucketSpan{{Offset: -1, Length: 2}, {Offset: 3, Length: 1}}, PositiveDeltas: []int64{n, 2 * n, -n},
		NegativeSpans: []promwire.BucketSpan{{Offset: 2, Length: 2}}, NegativeDeltas: []int64{4 * n, -3 * n},
	}
}

// floatHistogram has four buckets between two powers of two.
func floatHistogram(t int64, n float64) promwire.Histogram {
	return promwire.Histogram{
		Timestamp: t, Schema: 2, IsFloat: true, CountFloat: 10.5 * n, Sum: 77.125 * n, ZeroThreshold: 1e-128, ZeroCountFloat: 0.5 * n,
		PositiveSpans: []promwire.BucketSpan{{Offset: 7, Length: 3}}, PositiveCounts: []float64{1.25 * n, 2.75 * n, 3 * n},
		NegativeSpans: []promwire.BucketSpan{{Offset: -3, Length: 1}, {Offset: 1, Length: 1}}, NegativeCounts: []float64{n, 2 * n},
	}
}

func gaugeHistogram(t int64, n int64) promwire.Histogram {
	h := intHistogram(t, n)
	h.ResetHint = promwire.ResetGauge
	return h
}

// customHistogram has custom bounds and observations in the first and the last bucket.
func customHistogram(t int64, n int64) promwire.Histogram {
	return promwire.Histogram{
		Timestamp: t, Schema: promwire.CustomBucketsSchema, Count: uint64(6 * n), Sum: 12.5 * float64(n),
		CustomValues:  []float64{0.1, 1, 2.5, 10},
		PositiveSpans: []promwire.BucketSpan{{Offset: 0, Length: 2}, {Offset: 2, Length: 1}}, PositiveDeltas: []int64{n, n, n},
	}
}

// asFloat returns h in the float form.
func asFloat(h promwire.Histogram) promwire.Histogram {
	h.IsFloat, h.CountFloat, h.ZeroCountFloat = true, float64(h.Count), float64(h.ZeroCount)
	h.PositiveCounts, h.NegativeCounts = absolute(h.PositiveDeltas), absolute(h.NegativeDeltas)
	h.Count, h.ZeroCount, h.PositiveDeltas, h.NegativeDeltas = 0, 0, nil, nil
	return h
}

func absolute(deltas []int64) []float64 {
	var out []float64
	sum := int64(0)
	for _, d := range deltas {
		sum += d
		out = append(out, float64(sum))
	}
	return out
}

// bucket is one bucket of a native histogram by its index.
type bucket struct {
	index int32
	count float64
}

// buckets returns the buckets that are not empty, by ascending index.
func buckets(spans []promwire.BucketSpan, counts []float64) []bucket {
	var out []bucket
	index, next := int32(0), 0
	for _, s := range spans {
		index += s.Offset
		for range s.Length {
			if counts[next] != 0 {
				out = append(out, bucket{index, counts[next]})
			}
			index, next = index+1, next+1
		}
	}
	return out
}

// shown returns h as the API shows it.
func shown(h promwire.Histogram) apiHistogram {
	if !h.IsFloat {
		h = asFloat(h)
	}
	out := apiHistogram{Timestamp: h.Timestamp, Count: h.CountFloat, Sum: h.Sum}
	if h.Schema == promwire.CustomBucketsSchema {
		for _, b := range buckets(h.PositiveSpans, h.PositiveCounts) {
			next := apiBucket{0, math.Inf(-1), math.Inf(1), b.count}
			if b.index > 0 {
				next.Lower = h.CustomValues[b.index-1]
			} else {
				next.Rule = 3
			}
			if int(b.index) < len(h.CustomValues) {
				next.Upper = h.CustomValues[b.index]
			}
			out.Buckets = append(out.Buckets, next)
		}
		return out
	}
	bound := func(index int32) float64 { return math.Exp2(float64(index) * math.Exp2(-float64(h.Schema))) }
	negative := buckets(h.NegativeSpans, h.NegativeCounts)
	for i := len(negative) - 1; i >= 0; i-- {
		b := negative[i]
		out.Buckets = append(out.Buckets, apiBucket{1, -bound(b.index), -bound(b.index - 1), b.count})
	}
	if h.ZeroCountFloat != 0 {
		out.Buckets = append(out.Buckets, apiBucket{3, -h.ZeroThreshold, h.ZeroThreshold, h.ZeroCountFloat})
	}
	for _, b := range buckets(h.PositiveSpans, h.PositiveCounts) {
		out.Buckets = append(out.Buckets, apiBucket{0, bound(b.index - 1), bound(b.index), b.count})
	}
	return out
}

// sameShown compares what the API shows; bounds that are no powers of two have a rounding of their own there.
func sameShown(got, want apiHistogram) bool {
	if got.Timestamp != want.Timestamp || !sameFloat(got.Count, want.Count) || !sameFloat(got.Sum, want.Sum) ||
		len(got.Buckets) != len(want.Buckets) {
		return false
	}
	for i, g := range got.Buckets {
		w := want.Buckets[i]
		if g.Rule != w.Rule || g.Count != w.Count || !near(g.Lower, w.Lower) || !near(g.Upper, w.Upper) {
			return false
		}
	}
	return true
}

func near(a, b float64) bool { return a == b || math.Abs(a-b) <= 1e-14*math.Abs(b) }

// sameFloat compares bit by bit; the API has one NaN only.
func sameFloat(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b)
}

// checkShown compares what a range query by selector answers with what was written. Stale markers are not shown.
func checkShown(t *testing.T, s *instance, sent promwire.TimeSeries, at int64) {
	t.Helper()
	selector := promwire.FormatSelector(equal(sent.Labels))
	var want series
	for _, v := range sent.Samples {
		if !promwire.IsStaleNaN(v.Value) {
			want.Samples = append(want.Samples, v)
		}
	}
	for _, h := range sent.Histograms {
		if !promwire.IsStaleNaN(h.Sum) {
			want.Histograms = append(want.Histograms, shown(h))
		}
	}
	got := s.query(t, selector+"[1h]", at)
	if len(got) != 1 || !got[0].Labels.Equal(sent.Labels) || len(got[0].Samples) != len(want.Samples) ||
		len(got[0].Histograms) != len(want.Histograms) {
		t.Errorf("%s: got %+v, want %+v", selector, got, want)
		return
	}
	for i, v := range got[0].Samples {
		if w := want.Samples[i]; v.Timestamp != w.Timestamp || !sameFloat(v.Value, w.Value) {
			t.Errorf("%s: got %+v, want %+v", selector, v, w)
		}
	}
	for i, h := range got[0].Histograms {
		if !sameShown(h, want.Histograms[i]) {
			t.Errorf("%s: got %+v, want %+v", selector, h, want.Histograms[i])
		}
	}
}

// equal returns matchers for exactly these labels, and possibly others.
func equal(ls promwire.Labels) []promwire.Matcher {
	var out []promwire.Matcher
	for _, l := range ls {
		out = append(out, promwire.Matcher{Name: l.Name, Value: l.Value})
	}
	return out
}
