package server_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/promwire/promwire"
)

// TestReadLongSeries reads series that are longer than what is compressed at a time, beside short ones.
func TestReadLongSeries(t *testing.T) {
	store := long(t, 2, 9_000)
	short := many(6)
	for i := range short.Timeseries {
		short.Timeseries[i].Labels = promwire.LabelsFromStrings("__name__", "short", "i", fmt.Sprint(i))
	}
	if _, err := store.Write(t.Context(), short); err != nil {
		t.Fatal(err)
	}
	wide := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "wide")}
	for i := range 3_000 {
		wide.Histograms = append(wide.Histograms, promwire.Histogram{Timestamp: int64(i), Count: uint64(i), ZeroCount: uint64(i)})
	}
	if _, err := store.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{wide}}); err != nil {
		t.Fatal(err)
	}
	want := [][]promwire.TimeSeries{store.sorted(compiled(t, all)), store.sorted(compiled(t, query(match(0, "__name__", "short"))))}
	for _, part := range []int{0, 999} {
		store.partSize = part
		for road, read := range readRoads(store) {
			for range 2 {
				if !sameData(read(t, all, query(match(0, "__name__", "short"))), want) {
					t.Errorf("parts of %d, %s: got other data", part, road)
				}
			}
		}
	}
}

// sameData compares results by what tells data apart in these tests.
func sameData(a, b [][]promwire.TimeSeries) bool {
	return slices.EqualFunc(a, b, func(a, b []promwire.TimeSeries) bool {
		return slices.EqualFunc(a, b, func(a, b promwire.TimeSeries) bool {
			return a.Labels.Equal(b.Labels) && slices.Equal(a.Samples, b.Samples) &&
				slices.EqualFunc(a.Histograms, b.Histograms, func(a, b promwire.Histogram) bool {
					return a.Timestamp == b.Timestamp && a.Count == b.Count && a.ZeroCount == b.ZeroCount
				})
		})
	})
}
