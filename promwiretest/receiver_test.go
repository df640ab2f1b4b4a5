package promwiretest_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"reflect"
	"sync"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
)

// TestReceiverKeepsWhatArrives sends everything that a request can hold, twice, as both messages.
func TestReceiverKeepsWhatArrives(t *testing.T) {
	for _, message := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
		t.Run(string(message), func(t *testing.T) {
			r := promwiretest.NewReceiver()
			defer r.Close()
			c := client(t, r, remote.WithMessageType(message), remote.WithHeader("X-Scope-OrgID", "a"))
			sent := workload.Histograms()
			sent.Timeseries = sent.Timeseries[:3]
			sent.Timeseries = append(sent.Timeseries, promwire.TimeSeries{
				Labels:    labels(0),
				Samples:   []promwire.Sample{{Timestamp: 1, Value: math.Copysign(0, -1)}, {Timestamp: 2, Value: 2}},
				Exemplars: []promwire.Exemplar{{Labels: promwire.LabelsFromStrings("t", "1"), Value: 1, Timestamp: 1}},
			})
			for round := 1; round <= 2; round++ {
				if stats, err := once(c, sent); err != nil || stats != sent.Stats() {
					t.Fatal(stats, err)
				}
				for _, ts := range sent.Timeseries {
					got := promwire.TimeSeries{
						Samples: r.Samples(ts.Labels), Histograms: r.Histograms(ts.Labels), Exemplars: r.Exemplars(ts.Labels),
					}
					want := round * (len(ts.Samples) + len(ts.Histograms) + len(ts.Exemplars))
					if n := len(got.Samples) + len(got.Histograms) + len(got.Exemplars); n != want {
						t.Fatalf("%s: %d items, want %d", ts.Labels, n, want)
					}
				}
				if got := r.Samples(labels(0)); math.Float64bits(got[0].Value) != 1<<63 || got[2*round-1] != sent.Timeseries[3].Samples[1] {
					t.Errorf("samples: %v", got)
				}
				if got := r.Histograms(sent.Timeseries[0].Labels); !reflect.DeepEqual(got[round-1].PositiveSpans, sent.Timeseries[0].Histograms[0].PositiveSpans) {
					t.Errorf("histograms: %v", got)
				}
			}
			last := r.Requests()[1]
			if last.N != 1 || last.Type != message || last.Status != 204 || last.Stats != sent.Stats() ||
				last.Stored != last.Stats || last.Header.Get("X-Scope-OrgID") != "a" || len(last.Data.Timeseries) != 4 {
				t.Errorf("request: %+v", last)
			}
			if n := len(r.Series()); n != 4 {
				t.Errorf("%d series", n)
			}
		})
	}
}

func TestReceiverWithStorage(t *testing.T) {
	m := promwiretest.NewMemory(promwiretest.RefuseOlder)
	r, c := start(t, promwiretest.WithStorage(m), promwiretest.WithoutRequestData())
	if _, err := once(c, gauge(2, 2, 1)); err != nil {
		t.Fatal(err)
	}
	stats, err := once(c, gauge(2, 1, 1))
	var answer *promwire.HTTPError
	if stats.Samples != 0 || !errors.As(err, &answer) || answer.StatusCode != http.StatusBadRequest {
		t.Errorf("older sample: %v, %v", stats, err)
	}
	if len(r.Samples(labels(1))) != 2 || m.Stats().Samples != 2 || r.Requests()[0].Data != nil {
		t.Errorf("receiver %v, store %v", r.Samples(labels(1)), m.Stats())
	}
	if r.Clear(); len(r.Requests()) != 0 || r.Stats() != (promwire.WriteStats{}) || r.Series() != nil {
		t.Error("not cleared")
	}
}

func TestReceiverRecordsBadRequests(t *testing.T) {
	r, _ := start(t)
	other, err := remote.NewWriteClient(r.URL, remote.WithMessageType(promwire.WriteV2), remote.WithoutRetry())
	if err != nil {
		t.Fatal(err)
	}
	defer other.CloseIdleConnections()
	bad := gauge(2, 1, 1)
	bad.Timeseries[1].Labels = promwire.LabelsFromStrings("no_name", "1")
	if stats, err := once(other, bad); stats.Samples != 1 || err == nil {
		t.Errorf("got %v, %v", stats, err)
	}
	if got := r.Requests()[0]; got.Status != 400 || got.Stats.Samples != 2 || got.Stored.Samples != 1 {
		t.Errorf("recorded %+v", got)
	}
}

func TestReceiverByManyAtOnce(t *testing.T) {
	r, c := start(t)
	var senders sync.WaitGroup
	for i := range 8 {
		senders.Go(func() {
			for n := range 20 {
				req := gauge(1, int64(n), 1)
				req.Timeseries[0].Labels = labels(i)
				if _, err := once(c, req); err != nil {
					t.Error(err)
				}
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := r.WaitFor(ctx, func() bool { return r.Stats().Samples >= 100 })
	senders.Wait()
	if err != nil || r.Stats().Samples != 160 {
		t.Errorf("%v, %v", r.Stats(), err)
	}
	for i := range 8 {
		for n, s := range r.Samples(labels(i)) {
			if s.Timestamp != int64(n) {
				t.Errorf("series %d: sample %d is of %d", i, n, s.Timestamp)
			}
		}
	}
	cancel()
	if err := r.WaitFor(ctx, func() bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the context", err)
	}
}
