package main

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// memory is a storage that keeps all requests.
type memory struct {
	mu       sync.Mutex
	requests []*promwire.WriteRequest
}

func (m *memory) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests = append(m.requests, req.Clone())
	return req.Stats(), nil
}

var now = time.UnixMilli(1_700_000_000_123)

func TestRun(t *testing.T) {
	store := &memory{}
	receiver := httptest.NewServer(server.NewWriteHandler(store))
	defer receiver.Close()

	var out bytes.Buffer
	if err := run(t.Context(), receiver.URL, &out, now); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/debug.txt")
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("debug output:\n%s\nwant:\n%s", out.String(), want)
	}
	if len(store.requests) != 6 {
		t.Fatalf("%d requests arrived, want 6", len(store.requests))
	}
	for i, want := range []map[string][]float64{
		{`billing_orders_total`: {85}},
		{`billing_queue_depth{queue="payments"}`: {36}},
		{`billing_queue_depth{queue="refunds"}`: {5}},
		{`billing_queue_depth{queue="dlq"}`: {0}},
		histogram("billing-worker-01", [][]float64{{0, 0, 0}, {1, 1, 1}, {1, 2, 2}, {1, 2, 2}, {1, 2, 3}, {1, 2, 3}},
			[]float64{0.6, 2.8000000000000003, 12.8}),
		histogram("billing-worker-02", [][]float64{{1, 1, 1}, {1, 1, 1}, {1, 2, 2}, {1, 2, 2}, {1, 2, 3}, {1, 2, 3}},
			[]float64{0.3, 1.5, 10.4}),
	} {
		if got := values(t, store.requests[i]); !reflect.DeepEqual(got, want) {
			t.Errorf("request %d: got  %v\nwant %v", i+1, got, want)
		}
	}
}

// histogram returns what a worker's series hold: the buckets by bound, and the sum.
func histogram(worker string, buckets [][]float64, sum []float64) map[string][]float64 {
	const name = "billing_job_duration_seconds"
	out := map[string][]float64{
		name + `_count{worker="` + worker + `"}`: buckets[len(buckets)-1],
		name + `_sum{worker="` + worker + `"}`:   sum,
	}
	for i, le := range []string{"0.5", "1.0", "2.5", "5.0", "10.0", "+Inf"} {
		out[name+`_bucket{le="`+le+`",worker="`+worker+`"}`] = buckets[i]
	}
	return out
}

// values returns the values per series, and checks times and metadata: series of several samples have one for two
// minutes ago, one minute ago and now.
func values(t *testing.T, req *promwire.WriteRequest) map[string][]float64 {
	out := map[string][]float64{}
	for _, ts := range req.Timeseries {
		var times []int64
		name := ts.Labels.String()
		for _, s := range ts.Samples {
			out[name] = append(out[name], s.Value)
			times = append(times, now.UnixMilli()-s.Timestamp)
			if cumulative := ts.Metadata.Type != promwire.TypeGauge; cumulative != (s.StartTimestamp != 0) || s.StartTimestamp >= s.Timestamp {
				t.Errorf("%s: start timestamp %d of a sample at %d", name, s.StartTimestamp, s.Timestamp)
			}
		}
		want := []int64{0}
		if ts.Metadata.Type == promwire.TypeHistogram {
			want = []int64{120_000, 60_000, 0}
		}
		if !slices.Equal(times, want) {
			t.Errorf("%s: samples are %v ms old, want %v", name, times, want)
		}
		if ts.Metadata.Type == promwire.TypeUnknown || ts.Metadata.Help == "" {
			t.Errorf("%s: metadata %+v", name, ts.Metadata)
		}
	}
	return out
}

func TestRunFails(t *testing.T) {
	receiver := httptest.NewServer(nil)
	receiver.Close()
	var out bytes.Buffer
	if err := run(t.Context(), receiver.URL, &out, now); err == nil {
		t.Error("no error without a receiver")
	}
	if err := run(t.Context(), "not a URL", &out, now); err == nil {
		t.Error("no error for a bad URL")
	}
}
