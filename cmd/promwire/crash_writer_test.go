package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// dataClock tells the times of samples. All writers of a test share one, so that none falls out of the store's window.
type dataClock struct {
	now, step atomic.Int64 // milliseconds; steps are whole seconds
}

// newDataClock returns a clock that starts so long ago, and steps ahead with each request.
func newDataClock(ago, step time.Duration) *dataClock {
	c := &dataClock{}
	c.now.Store(time.Now().Add(-ago).Truncate(time.Second).UnixMilli())
	c.step.Store(step.Milliseconds())
	return c
}

// crashWriter writes one request after the other, each with a sample in every one of its series, and late ones.
type crashWriter struct {
	id    int
	clock *dataClock
	acked int // requests 0 to acked-1 were acknowledged

	mu    sync.Mutex
	times []int64 // of the requests made so far
	ended error   // of the last request of the last run
}

// newCrashWriters returns writers for the last twelve hours: nobody reaches the end of them within a test.
func newCrashWriters(n int) []*crashWriter {
	clock := newDataClock(12*time.Hour, time.Second)
	writers := make([]*crashWriter, n)
	for i := range writers {
		writers[i] = &crashWriter{id: i, clock: clock}
	}
	return writers
}

const (
	crashSeries = 10
	// samplesPerRequest is the number of samples and histograms of a request.
	samplesPerRequest = crashSeries + 6
	// lateBy bounds how late the late ones are.
	lateBy = 30 * time.Minute
)

// request makes request n: sample n of ten series, a new series, native histograms of both kinds, and a sample and a
// histogram that are late. No two samples of a series have one time: late ones are at no whole second.
func (w *crashWriter) request(n int) *promwire.WriteRequest {
	now, v := w.time(n), w.value(n)
	late := now - rand.New(rand.NewPCG(uint64(w.id), uint64(n))).Int64N(lateBy.Milliseconds()/1000)*1000 - 1000 + int64(1+n%999)
	series := func(name string, more ...string) promwire.TimeSeries {
		return promwire.TimeSeries{Labels: promwire.LabelsFromStrings(append([]string{"__name__", name, "writer", fmt.Sprint(w.id)}, more...)...)}
	}
	req := &promwire.WriteRequest{}
	add := func(ts promwire.TimeSeries, t int64, v float64) {
		ts.Samples = []promwire.Sample{{Timestamp: t, Value: v}}
		req.Timeseries = append(req.Timeseries, ts)
	}
	for i := range crashSeries {
		add(series("m", "series", fmt.Sprint(i)), now, v)
	}
	add(series("new", "n", fmt.Sprint(n)), now, v)
	add(series("m", "series", "0"), late, v+0.5)
	for _, isFloat := range []bool{false, true} {
		for _, t := range []int64{now, late} {
			ts := series("h", "float", fmt.Sprint(isFloat))
			ts.Histograms = []promwire.Histogram{crashHistogram(t, v, isFloat)}
			req.Timeseries = append(req.Timeseries, ts)
		}
	}
	return req
}

// time returns the time of request n. Tests that run at once make the same ones.
func (w *crashWriter) time(n int) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.times) <= n {
		w.times = append(w.times, w.clock.now.Add(w.clock.step.Load()))
	}
	return w.times[n]
}

// crashHistogram makes a native histogram with this sum.
func crashHistogram(t int64, sum float64, isFloat bool) promwire.Histogram {
	h := promwire.Histogram{
		Timestamp: t, Sum: sum, Schema: 1, ZeroThreshold: 1e-128, IsFloat: isFloat,
		PositiveSpans: []promwire.BucketSpan{{Offset: int32(sum) % 50, Length: 2}},
	}
	if isFloat {
		h.CountFloat, h.PositiveCounts = 4.5, []float64{1.5, 3}
	} else {
		h.Count, h.PositiveDeltas = 4, []int64{1, 2}
	}
	return h
}

func (w *crashWriter) value(n int) float64 { return float64(10*n + w.id) }

func (w *crashWriter) run(ctx context.Context, t *testing.T, url string, acknowledged func()) {
	// A retry after the kill could reach another program, that has got the port meanwhile.
	client, err := remote.NewWriteClient(url, remote.WithoutRetry(),
		remote.WithMessageType([]promwire.MessageType{promwire.WriteV1, promwire.WriteV2}[w.id%2]))
	if err != nil {
		t.Error(err)
		return
	}
	// What was not acknowledged goes out again: a store must take what it has already.
	for ctx.Err() == nil {
		stats, err := client.Write(ctx, w.request(w.acked))
		if err != nil {
			w.checkKilled(t, err)
			w.ended = err
			return
		}
		if got := stats.Samples + stats.Histograms; got != samplesPerRequest {
			t.Errorf("writer %d, request %d: %+v written", w.id, w.acked, stats)
		}
		w.acked++
		acknowledged()
	}
}

// checkKilled demands that a write that failed was not refused: the connection ended, or the server is about to.
func (w *crashWriter) checkKilled(t *testing.T, err error) {
	var answer *promwire.HTTPError
	if errors.As(err, &answer) && answer.StatusCode != http.StatusServiceUnavailable {
		behind := time.Duration(w.clock.now.Load()-w.times[w.acked]) * time.Millisecond
		t.Errorf("writer %d, request %d, %v behind the newest: %v\nthe run before ended with %v", w.id, w.acked, behind, err, w.ended)
	}
}
