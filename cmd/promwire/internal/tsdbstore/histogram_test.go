package tsdbstore

import (
	"errors"
	"testing"

	"github.com/promwire/promwire"
)

func TestWriteInvalidHistograms(t *testing.T) {
	change := func(f func(h *promwire.Histogram)) promwire.Histogram {
		h := intHistogram(0, 1)
		f(&h)
		return h
	}
	for _, tc := range []struct {
		name string
		h    promwire.Histogram
	}{
		{"count too small", change(func(h *promwire.Histogram) { h.Count = 3 })},
		{"negative bucket", change(func(h *promwire.Histogram) { h.PositiveDeltas[0] = -1 })},
		{"too few buckets", change(func(h *promwire.Histogram) { h.PositiveDeltas = h.PositiveDeltas[:2] })},
		{"spans overlap", change(func(h *promwire.Histogram) { h.PositiveSpans[1].Offset = -1 })},
		{"unknown schema", change(func(h *promwire.Histogram) { h.Schema = 53 })},
		{"unknown schema, below", change(func(h *promwire.Histogram) { h.Schema = -10 })},
		{"too fine a schema, too few buckets", change(func(h *promwire.Histogram) { h.Schema, h.PositiveDeltas = 9, nil })},
		{"bounds on an exponential schema", change(func(h *promwire.Histogram) { h.CustomValues = []float64{1} })},
		{"bounds descend", promwire.Histogram{Timestamp: base, Schema: promwire.CustomBucketsSchema, CustomValues: []float64{2, 1}}},
		{"float count negative", promwire.Histogram{Timestamp: base, IsFloat: true, CountFloat: -1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := openStore(t, t.TempDir(), Options{})
			good := intHistogram(-1, 1)
			ts := promwire.TimeSeries{Labels: labelsOf("__name__", "h"), Histograms: []promwire.Histogram{good, tc.h}}
			stats, err := s.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{ts}})
			if want := (promwire.WriteStats{Histograms: 1}); stats != want {
				t.Errorf("wrote %+v", stats)
			}
			refused := refusalsOf(t, err)
			if len(refused) != 1 || !errors.Is(refused[0].Reason, promwire.ErrInvalidHistogram) || refused[0].Timestamp != base {
				t.Errorf("refused %v", refused)
			}
		})
	}
}

func TestWriteReducesFineHistograms(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	fine := intHistogram(0, 1)
	fine.Schema = 9
	fineFloat := floatHistogram(0, 1)
	fineFloat.Schema = 20
	mustWrite(t, s,
		promwire.TimeSeries{Labels: labelsOf("__name__", "f"), Histograms: []promwire.Histogram{fineFloat}},
		promwire.TimeSeries{Labels: labelsOf("__name__", "h"), Histograms: []promwire.Histogram{fine}},
	)
	for _, ts := range readAll(t, s) {
		if h := ts.Histograms[0]; h.Schema != 8 {
			t.Errorf("%v has schema %d", ts.Labels, h.Schema)
		}
	}
}

func TestStaleMarkerEndsAHistogram(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	h := promwire.TimeSeries{Labels: labelsOf("__name__", "h"), Histograms: []promwire.Histogram{intHistogram(-1, 1)}}
	mustWrite(t, s, h)
	// As a float, and with fields that mean nothing.
	mustWrite(t, s, promwire.TimeSeries{Labels: h.Labels, Samples: []promwire.Sample{{Timestamp: base, Value: promwire.StaleNaN()}}})
	stale := intHistogram(1, promwire.StaleNaN())
	stale.Count, stale.Schema = 1, 99
	mustWrite(t, s, promwire.TimeSeries{Labels: h.Labels, Histograms: []promwire.Histogram{stale}})
	got := readAll(t, s)
	if len(got) != 1 || len(got[0].Histograms) != 3 || !promwire.IsStaleNaN(got[0].Histograms[1].Sum) || !promwire.IsStaleNaN(got[0].Histograms[2].Sum) {
		t.Errorf("stored %+v", got)
	}
}

func TestWriteMixesKinds(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{OutOfOrderWindow: -1})
	ts := float("m", -3, 1, -1, 2, 0, 3)
	ts.Histograms = []promwire.Histogram{intHistogram(-2, 1), intHistogram(0, 1), floatHistogram(1, 1)}
	stats, err := s.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{ts}})
	if want := (promwire.WriteStats{Samples: 3, Histograms: 2}); stats != want {
		t.Errorf("wrote %+v, want %+v", stats, want)
	}
	refused := refusalsOf(t, err)
	if len(refused) != 1 || !errors.Is(refused[0].Reason, promwire.ErrDuplicateTimestamp) {
		t.Errorf("refused %v", refused)
	}
}
