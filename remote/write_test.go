package remote

import (
	"context"
	"errors"
	"math"
	"net/http"
	"testing"

	"github.com/promwire/promwire"
)

func TestEmptyRequestIsNotSent(t *testing.T) {
	c := newWriteClient(t, newServer(t, func(http.ResponseWriter, *http.Request) { t.Error("got a request") }))
	if stats, err := c.Write(context.Background(), &promwire.WriteRequest{}); err != nil || stats != (promwire.WriteStats{}) {
		t.Errorf("got %+v, %v", stats, err)
	}
}

// Both messages carry what they can: 2.0 all of it, 1.0 all but start timestamps, with metadata by family.
func TestWriteCarriesEverything(t *testing.T) {
	h := promwire.Histogram{
		Timestamp: 1_700_000_000_000, StartTimestamp: 5, Count: 3, Sum: 4.5, ZeroCount: 1,
		PositiveSpans: []promwire.BucketSpan{{Offset: 1, Length: 1}}, PositiveDeltas: []int64{2},
	}
	req := request("m_total", 1)
	req.Timeseries[0].Samples[0].Value = promwire.StaleNaN()
	req.Timeseries[0].Samples[1].Value = math.Copysign(0, -1)
	req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
		Labels: promwire.LabelsFromStrings("__name__", "h"), Histograms: []promwire.Histogram{h},
	})
	for _, message := range []promwire.MessageType{v1, v2} {
		t.Run(string(message), func(t *testing.T) {
			r := newReceiver(t, good)
			stats, err := newWriteClient(t, r.URL, WithMessageType(message)).Write(context.Background(), req)
			if want := (promwire.WriteStats{Samples: 2, Histograms: 1, Exemplars: 1}); err != nil || stats != want {
				t.Fatalf("got %+v, %v", stats, err)
			}
			got := r.all[0].request
			if message == v1 {
				if len(got.Metadata) != 1 || got.Metadata[0].Family != "m_total" || got.Metadata[0].Type != promwire.TypeCounter {
					t.Errorf("metadata: got %+v", got.Metadata)
				}
			} else if s := got.Timeseries[0]; s.Metadata.Help != "Help of m_total." || s.Samples[0].StartTimestamp != 1_600_000_000_000 {
				t.Errorf("got %+v", s)
			}
			s := got.Timeseries[0].Samples
			if !promwire.IsStaleNaN(s[0].Value) || math.Float64bits(s[1].Value) != 1<<63 {
				t.Errorf("samples: got %x, %x", math.Float64bits(s[0].Value), math.Float64bits(s[1].Value))
			}
			if hs := got.Timeseries[1].Histograms; len(hs) != 1 || hs[0].Sum != 4.5 || hs[0].PositiveDeltas[0] != 2 {
				t.Errorf("histogram: got %+v", hs)
			}
		})
	}
}

// Only 1.0 has a place for metadata without series.
func TestFamilyMetadataGoAs1(t *testing.T) {
	req := &promwire.WriteRequest{Metadata: []promwire.MetricMetadata{{Family: "f", Metadata: promwire.Metadata{Help: "h"}}}}
	r := newReceiver(t, func(w http.ResponseWriter, _ int, _ received) { w.WriteHeader(http.StatusOK) })
	c := newWriteClient(t, r.URL)
	if _, err := c.Write(context.Background(), req); err != nil {
		t.Fatal(err)
	}
	if got := r.all[0]; got.message != v1 || len(got.request.Metadata) != 1 || got.request.Metadata[0].Family != "f" {
		t.Errorf("got %+v", got)
	}
	if got := c.MessageType(); got != v2 {
		t.Errorf("next message: got %s, want 2.0 still", got)
	}
	_, err := newWriteClient(t, r.URL, WithMessageType(v2)).Write(context.Background(), req)
	if !errors.Is(err, promwire.ErrUnsupported) || len(r.messages()) != 1 {
		t.Errorf("2.0 pinned: got %v, %d requests", err, len(r.messages()))
	}
}

// Native histograms with custom buckets have no form in Remote Write 1.0.
func TestCustomBucketsOver1(t *testing.T) {
	custom := promwire.Histogram{
		Timestamp: 2, Schema: promwire.CustomBucketsSchema, Count: 1, CustomValues: []float64{1},
		PositiveSpans: []promwire.BucketSpan{{Length: 1}}, PositiveDeltas: []int64{1},
	}
	plain := promwire.Histogram{Timestamp: 3}
	mixed := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
		{Labels: promwire.LabelsFromStrings("__name__", "a"), Samples: []promwire.Sample{{Timestamp: 1}}},
		{Labels: promwire.LabelsFromStrings("__name__", "b"), Histograms: []promwire.Histogram{custom}},
		{Labels: promwire.LabelsFromStrings("__name__", "c"), Histograms: []promwire.Histogram{custom, plain}},
	}}
	only := &promwire.WriteRequest{Timeseries: mixed.Timeseries[1:2]}
	status := http.StatusOK
	r := newReceiver(t, func(w http.ResponseWriter, _ int, _ received) { w.WriteHeader(status) })
	c := newWriteClient(t, r.URL, WithMessageType(v1))

	stats, err := c.Write(context.Background(), mixed)
	var part *promwire.PartialWriteError
	want := promwire.WriteStats{Samples: 1, Histograms: 1}
	if !errors.As(err, &part) || !errors.Is(err, promwire.ErrInvalidHistogram) || stats != want || part.Written != want {
		t.Fatalf("got %+v, %v", stats, err)
	}
	if len(part.Refused) != 2 || part.Refused[0].Series != 1 || part.Refused[1].Series != 2 ||
		part.Refused[1].Timestamp != 2 || part.Refused[1].Labels.Get("__name__") != "c" {
		t.Errorf("refused: got %v", part.Refused)
	}
	if got := r.all[0].request; len(got.Timeseries) != 2 || len(got.Timeseries[1].Histograms) != 1 ||
		got.Timeseries[1].Histograms[0].Timestamp != 3 {
		t.Errorf("sent: got %+v", got)
	}
	if len(mixed.Timeseries[2].Histograms) != 2 {
		t.Error("the caller's request was modified")
	}

	if stats, err = c.Write(context.Background(), only); !errors.As(err, &part) || stats != (promwire.WriteStats{}) || len(r.messages()) != 1 {
		t.Errorf("nothing else: got %+v, %v, %d requests", stats, err, len(r.messages()))
	}

	status = http.StatusServiceUnavailable
	if _, err = c.Write(context.Background(), mixed); errors.As(err, &part) {
		t.Errorf("the answer comes first, so that the whole can be retried: got %v", err)
	}
}

// Remote Write 2.0 forbids samples and histograms in one series; 1.0 does not.
func TestMixedSeriesAreSplitIn2(t *testing.T) {
	mixed := request("m", 1)
	mixed.Timeseries[0].Histograms = []promwire.Histogram{{Timestamp: 1_700_000_000_000}}
	for message, want := range map[promwire.MessageType]int{v1: 1, v2: 2} {
		r := newReceiver(t, good)
		stats, err := newWriteClient(t, r.URL, WithMessageType(message)).Write(context.Background(), mixed)
		if err != nil || stats != mixed.Stats() {
			t.Fatalf("%s: got %+v, %v", message, stats, err)
		}
		got := r.all[0].request.Timeseries
		if len(got) != want || len(got[0].Samples) != 2 || len(got[0].Exemplars) != 1 || len(got[want-1].Histograms) != 1 ||
			!got[want-1].Labels.Equal(mixed.Timeseries[0].Labels) {
			t.Errorf("%s: got %+v", message, got)
		}
	}
	if len(mixed.Timeseries[0].Samples) != 2 || len(mixed.Timeseries[0].Histograms) != 1 {
		t.Error("the caller's request was modified")
	}
}
