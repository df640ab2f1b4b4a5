package main

import (
	"context"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// values keeps the values of one series, and ends the program with the first.
type values struct {
	stop context.CancelFunc
	got  []float64
}

func (v *values) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	for i := range req.Timeseries {
		if req.Timeseries[i].Labels.String() == `jobs_started_total{job="example"}` {
			v.got = append(v.got, req.Timeseries[i].Samples[0].Value)
			v.stop()
		}
	}
	return req.Stats(), nil
}

// TestRun expects the counter from the first push and the one after the signal, and the marker.
func TestRun(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	store := &values{stop: stop}
	receiver := httptest.NewServer(server.NewWriteHandler(store))
	defer receiver.Close()
	if err := run(ctx, receiver.URL); err != nil {
		t.Fatal(err)
	}
	if n := len(store.got); n != 3 || !slices.Equal(store.got[:2], []float64{1, 1}) || !promwire.IsStaleNaN(store.got[2]) {
		t.Errorf("got %v, want 1, 1 and a stale marker", store.got)
	}
}
