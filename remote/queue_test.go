package remote

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
)

// TestQueueBatches writes in several ways and looks at the batches, and when they went out.
func TestQueueBatches(t *testing.T) {
	long := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{Labels: seriesLabels(0)}}}
	for i := range 5 {
		long.Timeseries[0].Samples = append(long.Timeseries[0].Samples, promwire.Sample{Timestamp: int64(i)})
	}
	tests := []struct {
		name    string
		options QueueOptions
		writes  []*promwire.WriteRequest
		sizes   []int
		last    time.Duration // when the last batch went out
	}{
		{"by samples, then by the deadline", QueueOptions{}, many(45, 100), []int{2000, 2000, 500}, 5 * time.Second},
		{"all full", QueueOptions{BatchSamples: 10}, many(4, 5), []int{10, 10}, 0},
		{"another deadline", QueueOptions{BatchDeadline: time.Minute}, many(1, 5), []int{5}, time.Minute},
		{"no deadline", QueueOptions{BatchDeadline: -1}, many(3, 5), []int{5, 5, 5}, 0},
		{"a write stays together", QueueOptions{BatchSamples: 10, KeepTogether: true}, many(3, 7), []int{7, 7, 7}, 5 * time.Second},
		{"a write that is too long for it", QueueOptions{BatchSamples: 10, KeepTogether: true}, many(1, 25), []int{10, 10, 5}, 5 * time.Second},
		{"writes that need not stay together", QueueOptions{BatchSamples: 10}, many(3, 7), []int{10, 10, 1}, 5 * time.Second},
		{"a long series", QueueOptions{BatchSamples: 2}, []*promwire.WriteRequest{long}, []int{2, 2, 1}, 5 * time.Second},
		{"by bytes", QueueOptions{BatchBytes: 500}, many(1, 10), []int{4, 4, 2}, 5 * time.Second},
		{"by fewer bytes than a series", QueueOptions{BatchBytes: 1}, many(1, 3), []int{1, 1, 1}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSink(nil)
				tt.options.MaxShards = 1
				q := newQueue(t, s, tt.options)
				for _, req := range tt.writes {
					mustWrite(t, q, req)
					synctest.Wait()
				}
				time.Sleep(2 * time.Minute)
				got := s.all()
				if sizes := s.sizes(); !slices.Equal(sizes, tt.sizes) || got[len(got)-1].at != tt.last {
					t.Errorf("batches of %v, the last one at %v; want %v at %v", sizes, got[len(got)-1].at, tt.sizes, tt.last)
				}
				closeQueue(t, q)
			})
		})
	}
}

// many makes writes of n series each.
func many(writes, n int) []*promwire.WriteRequest {
	var out []*promwire.WriteRequest
	for i := range writes {
		out = append(out, points(i*n, n, 1))
	}
	return out
}

// TestQueueCopies sends everything that a request can hold, twice through the same memory, and overwrites the request
// after each Write.
func TestQueueCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink(nil)
		q := newQueue(t, s, QueueOptions{MaxShards: 1})
		for round := range 2 {
			req := workload.Histograms()
			req.Timeseries = append(req.Timeseries[:40-30*round], request("copied", 3).Timeseries...)
			req.Timeseries[0].Histograms[0].IsFloat = true
			req.Timeseries[0].Histograms[0].PositiveCounts = []float64{1, 2}
			req.Metadata = []promwire.MetricMetadata{{Family: "f", Metadata: promwire.Metadata{Help: "h", Unit: "u"}}}
			want := req.Clone()
			mustWrite(t, q, req)
			overwrite(req)
			if err := q.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := s.all()[2*round:]
			if len(got) != 2 || !sameRequest(got, want) {
				t.Errorf("round %d: %d batches, or not what was sent", round, len(got))
			}
		}
		closeQueue(t, q)
	})
}

// overwrite spoils what a request points to, as pooled memory does.
func overwrite(req *promwire.WriteRequest) {
	for i := range req.Timeseries {
		ts := &req.Timeseries[i]
		clear(ts.Labels)
		clear(ts.Samples)
		for j := range ts.Histograms {
			clear(ts.Histograms[j].PositiveSpans)
			clear(ts.Histograms[j].PositiveDeltas)
			clear(ts.Histograms[j].PositiveCounts)
		}
		clear(ts.Histograms)
		clear(ts.Exemplars)
	}
	clear(req.Metadata)
}

// sameRequest compares batches, data and family metadata, with a request, by what they are on the wire.
func sameRequest(got []sentBatch, want *promwire.WriteRequest) bool {
	whole := promwire.WriteRequest{}
	for _, b := range got {
		whole.Timeseries = append(whole.Timeseries, b.req.Timeseries...)
		whole.Metadata = append(whole.Metadata, b.req.Metadata...)
	}
	if !reflect.DeepEqual(whole.Metadata, want.Metadata) {
		return false
	}
	a, errA := (&promwire.WriteRequest{Timeseries: whole.Timeseries}).AppendProto(nil, promwire.WriteV2)
	b, errB := (&promwire.WriteRequest{Timeseries: want.Timeseries}).AppendProto(nil, promwire.WriteV2)
	return errA == nil && errB == nil && string(a) == string(b)
}

func TestQueueKeepsTenantsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink(nil)
		q := newQueue(t, s, QueueOptions{MaxShards: 1, BatchSamples: 4})
		for i := range 3 {
			for _, tenant := range []string{"", "a", "b"} {
				ctx := t.Context()
				if tenant != "" {
					ctx = promwire.ContextWithTenant(ctx, tenant)
				}
				if _, err := q.Write(ctx, points(0, 1, int64(i))); err != nil {
					t.Fatal(err)
				}
			}
		}
		closeQueue(t, q)
		var got []string
		for _, b := range s.all() {
			got = append(got, b.tenant)
			for i, ts := range b.req.Timeseries {
				if ts.Samples[0].Timestamp != int64(i) {
					t.Errorf("tenant %q: %v", b.tenant, b.req.Timeseries)
				}
			}
		}
		if strings.Join(got, ",") != ",a,b" {
			t.Errorf("batches of %q", got)
		}
	})
}

// TestQueueBacksOff looks at the times of the attempts, and at what comes behind.
func TestQueueBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var attempts []time.Duration
		begun := time.Now()
		s := newSink(func(_ context.Context, n int, _ *promwire.WriteRequest) error {
			attempts = append(attempts, time.Since(begun))
			switch {
			case n < 10:
				return promwire.ErrUnavailable
			case n == 10:
				return &promwire.HTTPError{StatusCode: 429, RetryAfter: time.Minute}
			default:
				return nil
			}
		})
		retried := 0
		q := newQueue(t, s, QueueOptions{MaxShards: 1, BatchDeadline: -1, Hooks: QueueHooks{
			Retrying: func(b QueueBatch, attempt int, _ time.Duration, err error) {
				if retried++; attempt != retried || len(b.Request.Timeseries) != 1 || err == nil {
					t.Errorf("hook: attempt %d, %v", attempt, err)
				}
			},
		}})
		mustWrite(t, q, points(0, 1, 1))
		mustWrite(t, q, points(0, 1, 2))
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		pause := 30 * time.Millisecond
		for i := 1; i < len(attempts)-1; i++ {
			if i == 11 {
				pause = time.Minute
			}
			if got := attempts[i] - attempts[i-1]; got < pause-pause/20 || got > pause+pause/20 {
				t.Errorf("pause %d is %v, want %v", i, got, pause)
			}
			pause = min(2*pause, 5*time.Second)
		}
		got := s.all()
		if stats := q.Stats(); len(got) != 2 || got[0].req.Timeseries[0].Samples[0].Timestamp != 1 || stats.Retries != 11 || retried != 11 {
			t.Errorf("took %v, %+v", s.sizes(), stats)
		}
		closeQueue(t, q)
	})
}

// TestQueueRefusals sees refused data named, kept as dead letters, and passed by what is behind.
func TestQueueRefusals(t *testing.T) {
	partial := &promwire.PartialWriteError{Written: promwire.WriteStats{Samples: 2}, Refused: []promwire.Refusal{
		{Series: 1, Labels: seriesLabels(1), Reason: promwire.ErrOutOfBounds},
		{Series: 2, Labels: seriesLabels(2), Timestamp: 7, Reason: promwire.ErrOutOfOrder},
	}}
	for _, tt := range []struct {
		name    string
		err     error
		letters int
	}{
		{"all", &promwire.HTTPError{StatusCode: 400}, 4},
		{"part, by name", partial, 2},
		{"part, not named", &promwire.PartialWriteError{Err: &promwire.HTTPError{StatusCode: 400}}, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSink(func(_ context.Context, n int, _ *promwire.WriteRequest) error {
					if n == 0 {
						return tt.err
					}
					return nil
				})
				letters := newSink(nil)
				var hooked int
				q := newQueue(t, s, QueueOptions{MaxShards: 1, BatchDeadline: -1, DeadLetters: letters, Hooks: QueueHooks{
					Refused: func(b QueueBatch, err error) {
						hooked = b.Request.Stats().Samples
						if !errors.Is(err, tt.err) {
							t.Errorf("hook got %v", err)
						}
					},
				}})
				mustWrite(t, q, points(0, 4, 7))
				mustWrite(t, q, points(0, 4, 8))
				closeQueue(t, q)
				stats := q.Stats()
				if !slices.Equal(letters.sizes(), []int{tt.letters}) || hooked != tt.letters || stats.DeadLetters.Samples != tt.letters {
					t.Errorf("dead letters %v, hook %d, stats %+v", letters.sizes(), hooked, stats)
				}
				if !slices.Equal(s.sizes(), []int{4}) || stats.Accepted.Samples != stats.Delivered.Samples+stats.Refused.Samples {
					t.Errorf("delivered %v, stats %+v", s.sizes(), stats)
				}
			})
		})
	}
}

func TestQueueDeadLettersLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refuse := newSink(func(context.Context, int, *promwire.WriteRequest) error { return &promwire.HTTPError{StatusCode: 400} })
		lost := newSink(func(context.Context, int, *promwire.WriteRequest) error { return errors.New("disk full") })
		var got error
		q := newQueue(t, refuse, QueueOptions{DeadLetters: lost, Hooks: QueueHooks{Refused: func(_ QueueBatch, err error) { got = err }}})
		mustWrite(t, q, points(0, 1, 1))
		closeQueue(t, q)
		if got == nil || !strings.Contains(got.Error(), "disk full") || !strings.Contains(got.Error(), "400") {
			t.Errorf("hook got %v", got)
		}
	})
}

// TestQueueDropsOld holds a batch back until a part of it is too old, and then until all is.
func TestQueueDropsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink(func(context.Context, int, *promwire.WriteRequest) error {
			if time.Since(time.UnixMilli(946684800000)) < 90*time.Second { // synctest begins at 2000-01-01
				return promwire.ErrUnavailable
			}
			return nil
		})
		var dropped []promwire.WriteStats
		q := newQueue(t, s, QueueOptions{MaxShards: 1, BatchDeadline: -1, MaxSampleAge: time.Minute, Hooks: QueueHooks{
			Dropped: func(b QueueBatch, reason error) {
				dropped = append(dropped, b.Request.Stats())
				if !errors.Is(reason, promwire.ErrTooOld) {
					t.Errorf("dropped because %v", reason)
				}
			},
		}})
		now := time.Now().UnixMilli()
		old, mixed := points(0, 1, now), points(1, 1, now)
		mixed.Timeseries[0].Samples = append(mixed.Timeseries[0].Samples, promwire.Sample{Timestamp: now + 80_000})
		mixed.Timeseries[0].Histograms = []promwire.Histogram{{Timestamp: now}, {Timestamp: now + 70_000}}
		old.Timeseries[0].Exemplars = []promwire.Exemplar{{Labels: seriesLabels(0), Timestamp: now}}
		both := &promwire.WriteRequest{Timeseries: append(old.Timeseries, mixed.Timeseries...)}
		mustWrite(t, q, both)
		mustWrite(t, q, points(2, 1, now)) // goes as a whole, when its turn comes
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		stats := q.Stats()
		want := promwire.WriteStats{Samples: 3, Histograms: 1, Exemplars: 1}
		if stats.DroppedAge != want || len(dropped) != 2 || dropped[0].Add(dropped[1]) != want {
			t.Errorf("dropped %+v, hook %v", stats, dropped)
		}
		got := s.all()
		if len(got) != 1 || len(got[0].req.Timeseries) != 1 || got[0].req.Stats() != (promwire.WriteStats{Samples: 1, Histograms: 1}) {
			t.Errorf("took %+v", got)
		}
		if stats.Accepted != stats.Delivered.Add(stats.DroppedAge) {
			t.Errorf("counts do not add up: %+v", stats)
		}
		closeQueue(t, q)
	})
}

func TestQueueOptionsAreChecked(t *testing.T) {
	for _, o := range []QueueOptions{
		{BatchSamples: -1},
		{MinShards: 3, MaxShards: 2},
		{MinBackoff: time.Second, MaxBackoff: time.Millisecond},
		{MemoryBytes: 1000},
		{WhenFull: 3},
	} {
		if _, err := NewQueue(newSink(nil), o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}
