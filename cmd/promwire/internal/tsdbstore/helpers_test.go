package tsdbstore

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/promwire/promwire"
)

// base is the newest time in most tests, in milliseconds.
var base = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli()

const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
)

func openStore(t testing.TB, dir string, o Options) *Store {
	t.Helper()
	o.MinFree = -1
	s, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	s.now = func() time.Time { return time.UnixMilli(base) }
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func mustWrite(t testing.TB, w promwire.Writer, series ...promwire.TimeSeries) {
	t.Helper()
	req := &promwire.WriteRequest{Timeseries: series}
	stats, err := w.Write(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if want := req.Stats(); stats != want {
		t.Fatalf("wrote %+v, want %+v", stats, want)
	}
}

func labelsOf(namesAndValues ...string) promwire.Labels {
	return promwire.LabelsFromStrings(namesAndValues...)
}

// float makes a series of float samples: times and values in turn.
func float(name string, timesAndValues ...float64) promwire.TimeSeries {
	ts := promwire.TimeSeries{Labels: labelsOf("__name__", name, "job", "test")}
	for i := 0; i < len(timesAndValues); i += 2 {
		ts.Samples = append(ts.Samples, promwire.Sample{
			Timestamp: base + int64(timesAndValues[i]), Value: timesAndValues[i+1],
		})
	}
	return ts
}

func intHistogram(t int64, sum float64) promwire.Histogram {
	return promwire.Histogram{
		Timestamp: base + t, Schema: 0, Count: 4, Sum: sum, ZeroThreshold: 1e-128, ZeroCount: 0,
		PositiveSpans: []promwire.BucketSpan{{Offset: 1, Length: 2}, {Offset: 1, Length: 1}}, PositiveDeltas: []int64{1, 1, -1},
	}
}

func floatHistogram(t int64, sum float64) promwire.Histogram {
	return promwire.Histogram{
		Timestamp: base + t, IsFloat: true, Schema: 3, CountFloat: 4.5, Sum: sum, ZeroThreshold: 0.001, ZeroCountFloat: 1.5,
		PositiveSpans: []promwire.BucketSpan{{Offset: -2, Length: 2}}, PositiveCounts: []float64{1, 0.5},
		NegativeSpans: []promwire.BucketSpan{{Offset: 0, Length: 1}}, NegativeCounts: []float64{1.5},
	}
}

func matchers(t testing.TB, namesAndValues ...string) []promwire.Matcher {
	t.Helper()
	var out []promwire.Matcher
	for i := 0; i < len(namesAndValues); i += 2 {
		m, err := promwire.NewMatcher(promwire.MatchRegexp, namesAndValues[i], namesAndValues[i+1])
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

// everything is a query for all series from a year before base to a day after it.
func everything(t testing.TB) promwire.Query {
	t.Helper()
	return promwire.Query{
		Start: time.UnixMilli(base - 365*24*hour), End: time.UnixMilli(base + 24*hour),
		Matchers: matchers(t, "__name__", ".+"),
	}
}

// readAll reads everything, joined.
func readAll(t testing.TB, r promwire.Reader) []promwire.TimeSeries {
	t.Helper()
	var out []promwire.TimeSeries
	for ts, err := range promwire.JoinSeries(r.Read(t.Context(), everything(t))) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, ts.Clone())
	}
	return out
}

// refusalsOf returns the refusals of a partial write.
func refusalsOf(t testing.TB, err error) []promwire.Refusal {
	t.Helper()
	if err == nil {
		return nil
	}
	var partial *promwire.PartialWriteError
	if !errors.As(err, &partial) {
		t.Fatalf("not a partial write: %v", err)
	}
	return partial.Refused
}

// points returns the times (relative to base) of the float samples of a series.
func times(ts promwire.TimeSeries) []int64 {
	var out []int64
	for _, s := range ts.Samples {
		out = append(out, s.Timestamp-base)
	}
	for _, h := range ts.Histograms {
		out = append(out, h.Timestamp-base)
	}
	slices.Sort(out)
	return out
}

// difference says where two series differ, floats compared bit by bit; "" if nowhere. Reset hints are left out: the
// TSDB finds out itself.
func difference(want, got *promwire.TimeSeries) string {
	if !want.Labels.Equal(got.Labels) {
		return fmt.Sprintf("labels %v, want %v", got.Labels, want.Labels)
	}
	sameSample := func(a, b promwire.Sample) bool {
		return a.Timestamp == b.Timestamp && a.StartTimestamp == b.StartTimestamp && math.Float64bits(a.Value) == math.Float64bits(b.Value)
	}
	if !slices.EqualFunc(want.Samples, got.Samples, sameSample) {
		return fmt.Sprintf("samples %v, want %v", got.Samples, want.Samples)
	}
	sameHistogram := func(a, b promwire.Histogram) bool {
		a.ResetHint, b.ResetHint = 0, 0
		return bits(a) == bits(b)
	}
	if !slices.EqualFunc(want.Histograms, got.Histograms, sameHistogram) {
		return fmt.Sprintf("histograms %+v, want %+v", got.Histograms, want.Histograms)
	}
	return ""
}

// bits prints h with its sum exactly; nil and empty slices look alike.
func bits(h promwire.Histogram) string {
	sum := math.Float64bits(h.Sum)
	h.Sum = 0
	return fmt.Sprintf("%x %v", sum, h)
}
