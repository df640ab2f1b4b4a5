package promwire

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"
)

func timesOf(ts TimeSeries) (samples, histograms []int64) {
	for _, s := range ts.Samples {
		samples = append(samples, s.Timestamp)
	}
	for _, h := range ts.Histograms {
		histograms = append(histograms, h.Timestamp)
	}
	return samples, histograms
}

func TestQuerySelect(t *testing.T) {
	series := part("a", 10, 20, 30)
	series.Exemplars = []Exemplar{{Timestamp: 20}}
	all := Matcher{Type: MatchEqual, Name: "job", Value: "x"}
	at := time.UnixMilli
	for _, c := range []struct {
		name       string
		start, end time.Time
		matchers   []Matcher
		want       []int64
	}{
		{"both ends", at(10), at(20), []Matcher{all}, []int64{10, 20}},
		{"between samples", at(11), at(19), []Matcher{all}, nil},
		{"part of a millisecond after a sample", at(10).Add(1), at(20).Add(1), []Matcher{all}, []int64{20}},
		{"all of time", at(math.MinInt64), at(math.MaxInt64), []Matcher{all}, []int64{10, 20, 30}},
		{"ends before it starts", at(30), at(10), []Matcher{all}, nil},
		{"another job", at(0), at(99), []Matcher{{Name: "job", Value: "y"}}, nil},
		{"no matchers", at(0), at(99), nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := Query{Start: c.start, End: c.end, Matchers: c.matchers}
			got, ok := q.Select(&series)
			samples, histograms := timesOf(got)
			if ok != (c.want != nil) || !slices.Equal(samples, c.want) || !slices.Equal(histograms, c.want) || got.Exemplars != nil {
				t.Errorf("got %v, samples %v, histograms %v; want %v", ok, samples, histograms, c.want)
			}
		})
	}
}

// TestSelectedPartsStay appends to a part, and to the series it was selected from.
func TestSelectedPartsStay(t *testing.T) {
	series := part("a", 10, 20, 30)
	q := Query{Start: time.UnixMilli(0), End: time.UnixMilli(20), Matchers: []Matcher{{Name: "job", Value: "x"}}}
	selected, _ := q.Select(&series)
	merged := MergeSeries(series, part("a", 15, 40))
	if samples, histograms := timesOf(selected); !slices.Equal(samples, []int64{10, 20}) || !slices.Equal(histograms, samples) {
		t.Errorf("merging changed a part: %v, %v", samples, histograms)
	}
	_ = MergeSeries(selected, part("a", 21))
	if samples, histograms := timesOf(series); !slices.Equal(samples, []int64{10, 20, 30}) || !slices.Equal(histograms, samples) {
		t.Errorf("appending to a part changed the series: %v, %v", samples, histograms)
	}
	if samples, _ := timesOf(merged); !slices.Equal(samples, []int64{10, 15, 20, 30, 40}) {
		t.Errorf("merged %v", samples)
	}
}

func TestMergeSeries(t *testing.T) {
	for _, c := range []struct {
		name              string
		have, newer, want []int64
	}{
		{"nothing before", nil, []int64{1, 2}, []int64{1, 2}},
		{"nothing new", []int64{1, 2}, nil, []int64{1, 2}},
		{"behind", []int64{1, 2}, []int64{3}, []int64{1, 2, 3}},
		{"between", []int64{1, 5}, []int64{3, 7}, []int64{1, 3, 5, 7}},
		{"the same time", []int64{1, 2}, []int64{2, 3}, []int64{1, 2, 3}},
		{"any order", nil, []int64{3, 1, 2, 1}, []int64{1, 2, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			have, newer := part("a", c.have...), part("a", c.newer...)
			for i := range newer.Samples {
				newer.Samples[i].Value = float64(100 + i)
			}
			got := MergeSeries(have, newer)
			samples, histograms := timesOf(got)
			if !slices.Equal(samples, c.want) || !slices.Equal(histograms, c.want) {
				t.Errorf("got samples %v, histograms %v; want %v", samples, histograms, c.want)
			}
			for _, s := range got.Samples {
				last := -1
				for i, at := range c.newer {
					if at == s.Timestamp {
						last = i
					}
				}
				if last >= 0 && s.Value != float64(100+last) {
					t.Errorf("value %v at %d is not the last one", s.Value, s.Timestamp)
				}
			}
		})
	}
}

func TestMergeSeriesKeepsTheRest(t *testing.T) {
	have, newer := part("a"), part("a")
	have.Metadata, have.Exemplars = Metadata{Type: TypeCounter}, []Exemplar{{Timestamp: 1}}
	newer.Exemplars = []Exemplar{{Timestamp: 2}}
	if got := MergeSeries(have, newer); got.Metadata.Type != TypeCounter || len(got.Exemplars) != 2 {
		t.Errorf("got %+v", got)
	}
	newer.Metadata.Type = TypeGauge
	if got := MergeSeries(have, newer); got.Metadata.Type != TypeGauge {
		t.Errorf("metadata %+v, want the new one", got.Metadata)
	}
}

func TestSortedSeries(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var names string
	var failed error
	for ts, err := range SortedSeries(ctx, []TimeSeries{part("c", 1), part("a", 1), part("b", 1)}) {
		if err != nil {
			failed = err
			continue
		}
		names += ts.Labels.Get(MetricName)
		if names == "ab" {
			cancel()
		}
	}
	if names != "ab" || !errors.Is(failed, context.Canceled) {
		t.Errorf("got %q and %v, want a and b, and the end of the context", names, failed)
	}
}
