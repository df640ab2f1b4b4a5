package workload

import (
	"reflect"
	"testing"

	"github.com/promwire/promwire"
)

func TestShapes(t *testing.T) {
	want := map[string]struct{ series, labelsMin, labelsMax, samples, histograms int }{
		"W1-small":      {1, 5, 5, 1, 0},
		"W2-batch":      {2000, 10, 12, 2000, 0},
		"W2s-shuffled":  {2000, 10, 12, 2000, 0},
		"W3-backfill":   {100, 4, 4, 20_000, 0},
		"W4-10k":        {10_000, 6, 6, 10_000, 0},
		"W5-histograms": {500, 10, 12, 0, 500},
	}
	for _, set := range Sets() {
		t.Run(set.Name, func(t *testing.T) {
			req, w := set.Make(), want[set.Name]
			if got := req.Stats(); got.Samples != w.samples || got.Histograms != w.histograms || len(req.Timeseries) != w.series {
				t.Fatalf("%d series, %+v, want %+v", len(req.Timeseries), got, w)
			}
			seen := map[string]bool{}
			for _, ts := range req.Timeseries {
				if n := len(ts.Labels); n < w.labelsMin || n > w.labelsMax {
					t.Fatalf("%s has %d labels", ts.Labels, n)
				}
				if seen[ts.Labels.String()] {
					t.Fatalf("%s occurs twice", ts.Labels)
				}
				seen[ts.Labels.String()] = true
			}
			if !reflect.DeepEqual(req, set.Make()) {
				t.Fatal("two calls differ")
			}
		})
	}
}

func TestReadSeries(t *testing.T) {
	req := ReadSeries(100, 10)
	if got, want := req.Stats(), (promwire.WriteStats{Samples: 1000}); got != want {
		t.Fatalf("%+v, want %+v", got, want)
	}
}
