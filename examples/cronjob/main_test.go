package main

import (
	"context"
	"errors"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
	"github.com/promwire/promwire/server"
)

// newest keeps the newest value of each series.
type newest struct {
	mu     sync.Mutex
	values map[string]float64
}

func (n *newest) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, ts := range req.Timeseries {
		n.values[ts.Labels.String()] = ts.Samples[len(ts.Samples)-1].Value
	}
	return req.Stats(), nil
}

func TestRuns(t *testing.T) {
	store := &newest{values: map[string]float64{}}
	receiver := httptest.NewServer(server.NewWriteHandler(store))
	defer receiver.Close()
	down := httptest.NewServer(nil)
	down.Close()

	file := filepath.Join(t.TempDir(), "backup.state")
	for i, url := range []string{receiver.URL, down.URL, receiver.URL} {
		if err := run(url, file); errors.Is(err, metrics.ErrKept) != (url == down.URL) {
			t.Fatalf("run %d: %v", i, err)
		}
	}
	for series, want := range map[string]float64{
		`backup_runs_total{job="backup"}`:             3,
		`backup_duration_seconds_count{job="backup"}`: 3,
		`backup_duration_seconds_sum{job="backup"}`:   4.5,
	} {
		if got := store.values[series]; got != want {
			t.Errorf("%s is %v, want %v", series, got, want)
		}
	}
	if err := run(receiver.URL, filepath.Join(file, "s")); err == nil {
		t.Error("no error for a file in a file")
	}
	if err := run("not a URL", file); err == nil {
		t.Error("no error for a bad URL")
	}
}
