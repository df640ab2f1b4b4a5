package remote_test

import (
	"context"
	"iter"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
	"github.com/promwire/promwire/server"
)

// memory is a storage that keeps everything.
type memory struct {
	mu     sync.Mutex
	series []promwire.TimeSeries
}

func (m *memory) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.series = append(m.series, req.Clone().Timeseries...)
	slices.SortStableFunc(m.series, func(a, b promwire.TimeSeries) int { return a.Labels.Compare(b.Labels) })
	return req.Stats(), nil
}

func (m *memory) Read(_ context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	return func(yield func(promwire.TimeSeries, error) bool) {
		for _, ts := range m.series {
			if q.Matchers[0].Matches(ts.Labels.Get(q.Matchers[0].Name)) && !yield(ts, nil) {
				return
			}
		}
	}
}

// Both clients against the handlers of package server, in every message and response type.
func TestRoad(t *testing.T) {
	for _, message := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
		for _, response := range []promwire.ResponseType{promwire.ResponseSamples, promwire.ResponseStreamedXORChunks} {
			s := httptest.NewServer(server.NewHandler(&memory{}))
			defer s.Close()
			writer, err := remote.NewWriteClient(s.URL+"/api/v1/write", remote.WithMessageType(message))
			if err != nil {
				t.Fatal(err)
			}
			reader, err := remote.NewReadClient(s.URL+"/api/v1/read", remote.WithResponseTypes(response))
			if err != nil {
				t.Fatal(err)
			}
			sent := []promwire.TimeSeries{
				{Labels: promwire.LabelsFromStrings("__name__", "a"), Samples: []promwire.Sample{{Timestamp: 1000, Value: 1.5}, {Timestamp: 2000, Value: -2}}},
				{Labels: promwire.LabelsFromStrings("__name__", "a", "x", "ü"), Histograms: []promwire.Histogram{{Timestamp: 1000, Count: 2, ZeroCount: 2, Sum: 1}}},
				{Labels: promwire.LabelsFromStrings("__name__", "b"), Samples: []promwire.Sample{{Timestamp: 1000, Value: 9}}},
			}
			req := &promwire.WriteRequest{Timeseries: sent}
			if stats, err := writer.Write(context.Background(), req); err != nil || stats != req.Stats() {
				t.Fatalf("%s: got %+v, %v", message, stats, err)
			}
			matchers, err := promwire.ParseSelector(`a`)
			if err != nil {
				t.Fatal(err)
			}
			q := promwire.Query{Start: time.UnixMilli(1000), End: time.UnixMilli(2000), Matchers: matchers}
			var got []promwire.TimeSeries
			for ts, err := range promwire.JoinSeries(reader.Read(context.Background(), q)) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, ts.Clone())
			}
			if len(got) != 2 || !got[0].Labels.Equal(sent[0].Labels) || !slices.Equal(got[0].Samples, sent[0].Samples) ||
				!got[1].Labels.Equal(sent[1].Labels) || len(got[1].Histograms) != 1 || got[1].Histograms[0].Count != 2 {
				t.Errorf("%s, response type %d: got %+v", message, response, got)
			}
		}
	}
}
