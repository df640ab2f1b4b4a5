package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// TestFullDisk lets the writes of the store fail, by a limit on the size of files, and checks that nothing is
// acknowledged meanwhile, that reading goes on, that writing goes on when the limit is lifted, and that a kill after all
// that loses nothing that was acknowledged.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	p := startServe(t, dir)
	const limit = 2 << 20
	setFileLimit(t, p, limit)
	client, err := remote.NewWriteClient(p.write)
	if err != nil {
		t.Fatal(err)
	}
	w := &diskWriter{client: client, stored: map[string]bool{}, time: time.Now().Add(-30 * time.Minute).UnixMilli()}
	for w.err == nil && w.requests < 10_000 {
		w.write(t, w.requests)
	}
	checkFull(t, w.err)
	if w.requests < 10 {
		t.Errorf("only %d requests were acknowledged before %d bytes were full", w.requests, limit)
	}
	// New series, and series of a request that failed: nothing is acknowledged, whatever still fits.
	for i := range 20 {
		w.write(t, w.requests+i%4)
		checkFull(t, w.err)
	}
	w.check(t, p)
	setFileLimit(t, p, unix.RLIM_INFINITY)
	before := w.requests
	for deadline := time.Now().Add(time.Minute); w.requests < before+8; {
		w.write(t, w.requests)
		if w.err != nil && time.Now().After(deadline) {
			t.Fatalf("still: %v", w.err)
		}
	}
	w.check(t, p)
	if code, _, err := p.end(syscall.SIGKILL); err != nil || code != -1 {
		t.Fatalf("killed: code %d, %v", code, err)
	}
	w.check(t, startServe(t, dir))
}

func setFileLimit(t *testing.T, p *process, size uint64) {
	t.Helper()
	limit := unix.Rlimit{Cur: size, Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(p.cmd.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		t.Fatal(err)
	}
}

// checkFull demands the answer of a store that cannot write: to be tried again, with the reason.
func checkFull(t *testing.T, err error) {
	t.Helper()
	var answer *promwire.HTTPError
	if !errors.As(err, &answer) || answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(answer.Body, "data") {
		t.Fatalf("want 503 with a reason, got %v", err)
	}
}

// diskWriter writes requests that take a lot of room in the log: each with new series with long labels.
type diskWriter struct {
	client   *remote.WriteClient
	time     int64
	requests int             // acknowledged ones
	stored   map[string]bool // series and time of acknowledged samples
	err      error           // of the last write
}

const diskSeries = 10

func (w *diskWriter) write(t *testing.T, n int) {
	rnd := rand.New(rand.NewPCG(uint64(n), 0))
	req := &promwire.WriteRequest{}
	for i := range diskSeries {
		noise := make([]byte, 1000)
		for k := range noise {
			noise[k] = byte('!' + rnd.IntN(90))
		}
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
			Labels:  promwire.LabelsFromStrings("__name__", "m", "n", fmt.Sprint(n), "i", fmt.Sprint(i), "noise", string(noise)),
			Samples: []promwire.Sample{{Timestamp: w.time + int64(n), Value: float64(n)}},
		})
	}
	var stats promwire.WriteStats
	if stats, w.err = w.client.Write(t.Context(), req); w.err != nil {
		if stats != (promwire.WriteStats{}) {
			t.Errorf("%+v written, and %v", stats, w.err)
		}
		return
	}
	w.requests++
	for _, ts := range req.Timeseries {
		w.stored[ts.Labels.String()] = true
	}
}

// check reads back what was acknowledged.
func (w *diskWriter) check(t *testing.T, p *process) {
	t.Helper()
	client, err := remote.NewReadClient(p.read)
	if err != nil {
		t.Fatal(err)
	}
	matchers, err := promwire.ParseSelector("m")
	if err != nil {
		t.Fatal(err)
	}
	q := promwire.Query{Start: time.Now().Add(-time.Hour), End: time.Now().Add(time.Hour), Matchers: matchers}
	found := map[string]bool{}
	for ts, err := range client.Read(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		found[ts.Labels.String()] = len(ts.Samples) == 1
	}
	for series := range w.stored {
		if !found[series] {
			t.Fatalf("%.60s... was acknowledged and is lost; %d of %d found", series, len(found), len(w.stored))
		}
	}
}
