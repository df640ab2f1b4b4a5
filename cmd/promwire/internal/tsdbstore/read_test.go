package tsdbstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/promwire/promwire"
)

func TestReadGivesWhatWasWritten(t *testing.T) {
	for _, st := range []bool{false, true} {
		s := openStore(t, t.TempDir(), Options{StartTimestamps: st})
		series := []promwire.TimeSeries{
			{Labels: labelsOf("__name__", "a", "utf", "ö\n\"\\"), Samples: []promwire.Sample{
				{Timestamp: base - 3, Value: math.Copysign(0, -1)},
				{Timestamp: base - 2, StartTimestamp: base - 9, Value: math.Float64frombits(0x7ff8dead0000beef)},
				{Timestamp: base - 1, StartTimestamp: base - 9, Value: math.Inf(-1)},
				{Timestamp: base, Value: promwire.StaleNaN()},
			}},
			{Labels: labelsOf("__name__", "a", "utf", "ü"), Samples: []promwire.Sample{{Timestamp: base, Value: 0.1}}},
			{Labels: labelsOf("__name__", "h"), Histograms: []promwire.Histogram{intHistogram(-2, 18.5), intHistogram(-1, 20)}},
			{Labels: labelsOf("__name__", "hf"), Histograms: []promwire.Histogram{floatHistogram(-2, 18.5)}},
			{Labels: labelsOf("__name__", "nhcb"), Histograms: []promwire.Histogram{{
				Timestamp: base, StartTimestamp: base - 100, Schema: promwire.CustomBucketsSchema, Count: 3, Sum: 5.5, CustomValues: []float64{0.1, 1},
				PositiveSpans: []promwire.BucketSpan{{Length: 1}, {Offset: 1, Length: 1}}, PositiveDeltas: []int64{2, -1},
			}}},
			{Labels: labelsOf("__name__", "stale"), Histograms: []promwire.Histogram{
				intHistogram(-1, 1), {Timestamp: base, Sum: promwire.StaleNaN()},
			}},
		}
		mustWrite(t, s, series...)
		if !st { // without them, start timestamps are not kept
			series[0].Samples[1].StartTimestamp, series[0].Samples[2].StartTimestamp = 0, 0
			series[4].Histograms[0].StartTimestamp = 0
		}
		got := readAll(t, s)
		if len(got) != len(series) {
			t.Fatalf("read %d series: %v", len(got), got)
		}
		for i := range got {
			if d := difference(&series[i], &got[i]); d != "" {
				t.Errorf("start timestamps %t, series %d: %s", st, i, d)
			}
		}
	}
}

func TestReadSelects(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	mustWrite(t, s,
		promwire.TimeSeries{Labels: labelsOf("__name__", "m", "q", "a"), Samples: []promwire.Sample{{Timestamp: base - 20}, {Timestamp: base - 10}, {Timestamp: base}}},
		promwire.TimeSeries{Labels: labelsOf("__name__", "m", "q", "aa"), Samples: []promwire.Sample{{Timestamp: base}}},
		promwire.TimeSeries{Labels: labelsOf("__name__", "m"), Samples: []promwire.Sample{{Timestamp: base}}},
	)
	m := func(mt promwire.MatchType, name, value string) promwire.Matcher {
		return promwire.Matcher{Type: mt, Name: name, Value: value}
	}
	all := m(promwire.MatchEqual, "__name__", "m")
	for _, tc := range []struct {
		name       string
		start, end int64
		matchers   []promwire.Matcher
		want       map[string][]int64 // value of q → times
	}{
		{"all", -20, 0, []promwire.Matcher{all}, map[string][]int64{"": {0}, "a": {-20, -10, 0}, "aa": {0}}},
		{"both ends inclusive", -20, -10, []promwire.Matcher{all}, map[string][]int64{"a": {-20, -10}}},
		{"missing label is empty", 0, 0, []promwire.Matcher{all, m(promwire.MatchEqual, "q", "")}, map[string][]int64{"": {0}}},
		{"not equal", 0, 0, []promwire.Matcher{all, m(promwire.MatchNotEqual, "q", "a")}, map[string][]int64{"": {0}, "aa": {0}}},
		{"patterns are anchored", 0, 0, []promwire.Matcher{all, m(promwire.MatchRegexp, "q", "a|b")}, map[string][]int64{"a": {0}}},
		{"negated pattern", 0, 0, []promwire.Matcher{all, m(promwire.MatchNotRegexp, "q", "a.*")}, map[string][]int64{"": {0}}},
		{"no matchers", -20, 0, nil, nil},
		{"start after end", 0, -20, []promwire.Matcher{all}, nil},
		{"outside", 1, 100, []promwire.Matcher{all}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			q := promwire.Query{Start: time.UnixMilli(base + tc.start), End: time.UnixMilli(base + tc.end), Matchers: tc.matchers}
			got := map[string][]int64{}
			for ts, err := range s.Read(t.Context(), q) {
				if err != nil {
					t.Fatal(err)
				}
				got[ts.Labels.Get("q")] = times(ts)
			}
			if len(got) != len(tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
			for q, want := range tc.want {
				if !slices.Equal(got[q], want) {
					t.Errorf("got %v, want %v", got, tc.want)
				}
			}
			for cs, err := range s.ReadChunks(t.Context(), q) {
				if err != nil {
					t.Fatal(err)
				}
				if _, ok := tc.want[cs.Labels.Get("q")]; !ok || len(cs.Chunks) == 0 {
					t.Errorf("chunks of %v", cs.Labels)
				}
			}
		})
	}
}

func TestReadParts(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	long := promwire.TimeSeries{Labels: labelsOf("__name__", "long")}
	for i := range int64(25_000) {
		long.Samples = append(long.Samples, promwire.Sample{Timestamp: base - 25_000 + i, Value: float64(i)})
	}
	mustWrite(t, s, long, float("m", 0, 1))
	q := promwire.Query{Start: time.UnixMilli(base - hour), End: time.UnixMilli(base), Matchers: matchers(t, "__name__", ".+")}
	var sizes []int
	for ts, err := range s.Read(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(ts.Samples))
	}
	if len(sizes) != 4 || slices.Max(sizes) > 10_000 || slices.Min(sizes[:2]) < 9_000 || sizes[0]+sizes[1]+sizes[2] != 25_000 {
		t.Errorf("parts of %v", sizes)
	}
	parts := 0
	for cs, err := range s.ReadChunks(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		if parts++; len(cs.Chunks) > 10_000/100 {
			t.Errorf("a part of %d chunks", len(cs.Chunks))
		}
	}
	if parts != 4 {
		t.Errorf("%d parts of chunks", parts)
	}
}

func TestReadFails(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	mustWrite(t, s, float("m", 0, 1))
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tc := range []struct {
		name    string
		ctx     context.Context
		matcher promwire.Matcher
		want    error
	}{
		{"canceled", canceled, promwire.Matcher{Name: "__name__", Value: "m"}, context.Canceled},
		{"bad pattern", t.Context(), promwire.Matcher{Type: promwire.MatchRegexp, Name: "a", Value: "("}, nil},
		{"unknown type", t.Context(), promwire.Matcher{Type: 7, Name: "a"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			q := promwire.Query{Start: time.UnixMilli(0), End: time.UnixMilli(base), Matchers: []promwire.Matcher{tc.matcher}}
			n := 0
			for _, err := range s.Read(tc.ctx, q) {
				if n++; err == nil || (tc.want != nil && !errors.Is(err, tc.want)) {
					t.Errorf("got %v", err)
				}
			}
			for _, err := range s.ReadChunks(tc.ctx, q) {
				if n++; err == nil || (tc.want != nil && !errors.Is(err, tc.want)) {
					t.Errorf("got %v", err)
				}
			}
			if n != 2 {
				t.Errorf("%d errors", n)
			}
		})
	}
}

func TestReadIsLeftEarly(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	mustWrite(t, s, float("a", 0, 1), float("b", 0, 1))
	q := promwire.Query{Start: time.UnixMilli(0), End: time.UnixMilli(base), Matchers: matchers(t, "__name__", ".+")}
	for range s.Read(t.Context(), q) {
		break
	}
	for range s.ReadChunks(t.Context(), q) {
		break
	}
	if err := s.Close(); err != nil { // waits for what is still in use
		t.Fatal(err)
	}
	for _, err := range s.Read(t.Context(), q) {
		if !errors.Is(err, promwire.ErrUnavailable) {
			t.Errorf("after Close: %v", err)
		}
	}
	if _, err := s.Write(t.Context(), &promwire.WriteRequest{}); !errors.Is(err, promwire.ErrUnavailable) {
		t.Errorf("after Close: %v", err)
	}
}

// TestReadLikeTheTSDB compares with the iterators of the TSDB, late samples and changing kinds included.
func TestReadLikeTheTSDB(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	rnd := rand.New(rand.NewPCG(1, 2))
	for round := range int64(300) {
		var series []promwire.TimeSeries
		for i := range 4 {
			ts := promwire.TimeSeries{Labels: labelsOf("__name__", "m", "i", fmt.Sprint(i))}
			at := round*1000 - rnd.Int64N(3)*rnd.Int64N(30*minute) - hour
			switch {
			case i < 2 || i == 3 && rnd.IntN(2) == 0:
				ts.Samples = []promwire.Sample{{Timestamp: base + at, Value: rnd.Float64()}}
			case rnd.IntN(20) == 0:
				ts.Histograms = []promwire.Histogram{floatHistogram(at, rnd.Float64())}
			default:
				ts.Histograms = []promwire.Histogram{intHistogram(at, rnd.Float64())}
			}
			series = append(series, ts)
		}
		if _, err := s.Write(t.Context(), &promwire.WriteRequest{Timeseries: series}); err != nil {
			t.Fatal(err)
		}
	}
	got, want := readAll(t, s), readTSDB(t, s)
	if len(got) != 4 || len(want) != 4 {
		t.Fatalf("%d and %d series", len(got), len(want))
	}
	for i := range got {
		if d := difference(&want[i], &got[i]); d != "" {
			t.Errorf("series %d: %s", i, d)
		}
		for k := range got[i].Histograms {
			// Chunks that the TSDB merged know more than its iterators, which merge as they go.
			if g, w := got[i].Histograms[k].ResetHint, want[i].Histograms[k].ResetHint; g != w && w != promwire.ResetUnknown {
				t.Errorf("series %d, histogram %d: reset hint %d, want %d", i, k, g, w)
			}
		}
	}
}

func readTSDB(t *testing.T, s *Store) []promwire.TimeSeries {
	t.Helper()
	q, err := s.db.Querier(math.MinInt64, math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	var out []promwire.TimeSeries
	set := q.Select(t.Context(), true, nil, labels.MustNewMatcher(labels.MatchRegexp, "__name__", ".+"))
	for set.Next() {
		ts := promwire.TimeSeries{Labels: appendLabels(nil, set.At().Labels())}
		it := set.At().Iterator(nil)
		for vt := it.Next(); vt != chunkenc.ValNone; vt = it.Next() {
			switch vt {
			case chunkenc.ValFloat:
				at, v := it.At()
				ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: at, Value: v})
			case chunkenc.ValHistogram:
				at, h := it.AtHistogram(nil)
				ts.Histograms = append(ts.Histograms, promwire.Histogram{
					Timestamp: at, ResetHint: promwire.ResetHint(h.CounterResetHint), Schema: h.Schema, Count: h.Count, Sum: h.Sum,
					ZeroThreshold: h.ZeroThreshold, ZeroCount: h.ZeroCount,
					PositiveSpans: spansOf(h.PositiveSpans), PositiveDeltas: h.PositiveBuckets,
				})
			case chunkenc.ValFloatHistogram:
				at, h := it.AtFloatHistogram(nil)
				ts.Histograms = append(ts.Histograms, promwire.Histogram{
					Timestamp: at, IsFloat: true, ResetHint: promwire.ResetHint(h.CounterResetHint), Schema: h.Schema,
					CountFloat: h.Count, Sum: h.Sum, ZeroThreshold: h.ZeroThreshold, ZeroCountFloat: h.ZeroCount,
					PositiveSpans: spansOf(h.PositiveSpans), PositiveCounts: h.PositiveBuckets,
					NegativeSpans: spansOf(h.NegativeSpans), NegativeCounts: h.NegativeBuckets,
				})
			}
		}
		if err := it.Err(); err != nil {
			t.Fatal(err)
		}
		out = append(out, ts)
	}
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func spansOf(in []histogram.Span) []promwire.BucketSpan {
	var out []promwire.BucketSpan
	for _, s := range in {
		out = append(out, promwire.BucketSpan(s))
	}
	return out
}
