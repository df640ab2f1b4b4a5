package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// TestCrash kills the process with SIGKILL while it takes writes, again and again: whatever it acknowledged must be there
// after the restart. PROMWIRE_CRASH_ROUNDS sets the number of rounds.
func TestCrash(t *testing.T) {
	rounds := 20
	if n, err := strconv.Atoi(os.Getenv("PROMWIRE_CRASH_ROUNDS")); err == nil {
		rounds = n
	}
	dir := t.TempDir()
	writers := make([]*crashWriter, 4)
	for i := range writers {
		writers[i] = &crashWriter{id: i, base: time.Now().Add(-30 * time.Minute).UnixMilli()}
	}
	for round := range rounds {
		p := startServe(t, dir)
		checkAcknowledged(t, p, writers)
		var acks atomic.Int64
		killAt := 1 + rand.Int64N(150)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for _, w := range writers {
			wg.Go(func() {
				w.run(ctx, t, p.write, func() {
					if acks.Add(1) == killAt {
						if code, _, err := p.end(syscall.SIGKILL); err != nil || code != -1 {
							t.Errorf("killed: code %d, %v", code, err)
						}
						cancel()
					}
				})
			})
		}
		wg.Wait()
		cancel()
		if t.Failed() {
			t.Fatalf("round %d failed", round)
		}
	}
	p := startServe(t, dir)
	n := checkAcknowledged(t, p, writers)
	if code, _, err := p.end(syscall.SIGTERM); err != nil || code != 0 {
		t.Errorf("code %d, %v: %s", code, err, p.err)
	}
	t.Logf("%d rounds, %d samples acknowledged and found", rounds, n)
}

func startServe(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	p, err := start(dir, nil, append([]string{"promwire", "serve", "--listen", "127.0.0.1:0", "--data", "data", "--min-free-disk", "0"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

// crashWriter writes one request after the other, each with a sample in every one of its series, and a late one.
type crashWriter struct {
	id    int
	base  int64
	acked int // requests 0 to acked-1 were acknowledged
	next  int // requests from acked to next-1 may be stored or not
}

const crashSeries = 10

// request makes request n: sample n of the ten series, new series now and then, and a sample far before the others.
func (w *crashWriter) request(n int) *promwire.WriteRequest {
	req := &promwire.WriteRequest{}
	for i := range crashSeries {
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
			Labels:  promwire.LabelsFromStrings("__name__", "m", "writer", fmt.Sprint(w.id), "series", fmt.Sprint(i)),
			Samples: []promwire.Sample{{Timestamp: w.base + int64(n), Value: w.value(n)}},
		})
	}
	return &promwire.WriteRequest{Timeseries: append(req.Timeseries,
		promwire.TimeSeries{
			Labels:  promwire.LabelsFromStrings("__name__", "new", "writer", fmt.Sprint(w.id), "n", fmt.Sprint(n)),
			Samples: []promwire.Sample{{Timestamp: w.base + int64(n), Value: w.value(n)}},
		},
		promwire.TimeSeries{
			Labels:  promwire.LabelsFromStrings("__name__", "m", "writer", fmt.Sprint(w.id), "series", "0"),
			Samples: []promwire.Sample{{Timestamp: w.base - int64(n) - 1, Value: w.value(n)}},
		},
		promwire.TimeSeries{
			Labels:     promwire.LabelsFromStrings("__name__", "h", "writer", fmt.Sprint(w.id)),
			Histograms: []promwire.Histogram{{Timestamp: w.base + int64(n), Sum: w.value(n)}},
		})}
}

// samplesPerRequest is the number of samples and histograms of a request.
const samplesPerRequest = crashSeries + 3

func (w *crashWriter) value(n int) float64 { return float64(n) + float64(w.id)/10 }

func (w *crashWriter) run(ctx context.Context, t *testing.T, url string, acknowledged func()) {
	// A retry after the kill could reach another program, that has got the port meanwhile.
	client, err := remote.NewWriteClient(url, remote.WithoutRetry(),
		remote.WithMessageType([]promwire.MessageType{promwire.WriteV1, promwire.WriteV2}[w.id%2]))
	if err != nil {
		t.Error(err)
		return
	}
	// What was not acknowledged goes out again: a store must take what it has already.
	for w.next = w.acked; ctx.Err() == nil; {
		n := w.acked
		w.next = n + 1
		stats, err := client.Write(ctx, w.request(n))
		if err != nil {
			return // killed
		}
		if got := stats.Samples + stats.Histograms; got != samplesPerRequest {
			t.Errorf("writer %d, request %d: %+v written", w.id, n, stats)
		}
		w.acked++
		acknowledged()
	}
}

// checkAcknowledged reads everything back, and returns how many samples were acknowledged.
func checkAcknowledged(t *testing.T, p *process, writers []*crashWriter) int {
	t.Helper()
	client, err := remote.NewReadClient(p.read)
	if err != nil {
		t.Fatal(err)
	}
	matchers, err := promwire.ParseSelector(`{__name__=~"m|new|h"}`)
	if err != nil {
		t.Fatal(err)
	}
	q := promwire.Query{Start: time.Now().Add(-2 * time.Hour), End: time.Now().Add(time.Hour), Matchers: matchers}
	stored := map[string]float64{} // series and time
	for ts, err := range client.Read(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		series := ts.Labels.String()
		for _, s := range ts.Samples {
			stored[fmt.Sprint(series, s.Timestamp)] = s.Value
		}
		for _, h := range ts.Histograms {
			stored[fmt.Sprint(series, h.Timestamp)] = h.Sum
		}
	}
	acknowledged, lost := 0, 0
	for _, w := range writers {
		for n := range w.acked {
			for _, ts := range w.request(n).Timeseries {
				at := timeOf(ts)
				if v, ok := stored[fmt.Sprint(ts.Labels.String(), at)]; !ok || v != w.value(n) {
					t.Errorf("request %d of %d of writer %d (times from %d on): %v at %d was acknowledged: found %t, %v",
						n, w.acked, w.id, w.base, ts.Labels, at, ok, v)
					if lost++; lost > 50 {
						t.FailNow()
					}
				}
				acknowledged++
			}
		}
	}
	return acknowledged
}

// timeOf returns the time of the only sample of a series.
func timeOf(ts promwire.TimeSeries) int64 {
	if len(ts.Histograms) > 0 {
		return ts.Histograms[0].Timestamp
	}
	return ts.Samples[0].Timestamp
}
