package main

import (
	"context"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// samples keeps, per series, times as of the day's begin and values.
type samples map[string][][2]float64

func (s samples) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	day := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC).UnixMilli()
	for _, ts := range req.Timeseries {
		for _, x := range ts.Samples {
			s[ts.Labels.String()] = append(s[ts.Labels.String()], [2]float64{float64(x.Timestamp-day) / 1000, x.Value})
		}
	}
	return req.Stats(), nil
}

func TestRun(t *testing.T) {
	store := samples{}
	receiver := httptest.NewServer(server.NewWriteHandler(store))
	defer receiver.Close()
	// Not in order, and two at the same time.
	in := "2026-01-02T00:00:20Z 40\n2026-01-02T00:00:10Z 0.5\n2026-01-02T00:00:20Z 2\n"
	if err := run(strings.NewReader(in), receiver.URL); err != nil {
		t.Fatal(err)
	}
	for series, want := range map[string][][2]float64{
		`job_duration_seconds_count{job="nightly"}`:            {{9.999, 0}, {10, 1}, {20, 3}},
		`job_duration_seconds_sum{job="nightly"}`:              {{9.999, 0}, {10, 0.5}, {20, 42.5}},
		`job_duration_seconds_bucket{job="nightly",le="1.0"}`:  {{9.999, 0}, {10, 1}, {20, 1}},
		`job_duration_seconds_bucket{job="nightly",le="30.0"}`: {{9.999, 0}, {10, 1}, {20, 2}},
	} {
		if got := store[series]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", series, got, want)
		}
	}
	for _, in := range []string{"yesterday 1\n", "2026-01-02T00:00:20Z\n", "2026-01-02T00:00:20Z NaN\n"} {
		if err := run(strings.NewReader(in), receiver.URL); err == nil {
			t.Errorf("no error for %q", in)
		}
	}
}
