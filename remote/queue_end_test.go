package remote

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/promwire/promwire"
)

func TestQueueFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		s := newSink(hold(open))
		q := newQueue(t, s, QueueOptions{MinShards: 3, MaxShards: 3, BatchDeadline: time.Hour})
		if err := q.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		mustWrite(t, q, points(0, 100, 1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := q.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if got := q.Stats(); got.Pending.Samples != 100 || got.PendingBatches != 3 || got.OldestPending != time.Second {
			t.Errorf("%+v", got)
		}
		flushed := make(chan error)
		go func() { flushed <- q.Flush(t.Context()) }()
		synctest.Wait()
		mustWrite(t, q, points(0, 100, 2)) // it does not wait for these
		close(open)
		if err := <-flushed; err != nil || q.Stats().Delivered.Samples != 100 {
			t.Errorf("%v, %+v", err, q.Stats())
		}
		closeQueue(t, q)
		if got := q.Stats(); got.Delivered.Samples != 200 || got.Pending != (promwire.WriteStats{}) {
			t.Errorf("%+v", got)
		}
	})
}

// TestQueueShutdown ends a queue whose receiver is away, or stuck: what is left comes back in order.
func TestQueueShutdown(t *testing.T) {
	away := func(context.Context, int, *promwire.WriteRequest) error { return promwire.ErrUnavailable }
	stuck := make(chan struct{})
	for _, tt := range []struct {
		name  string
		judge func(context.Context, int, *promwire.WriteRequest) error
		took  time.Duration
	}{
		{"away", away, 3 * time.Second},
		{"hanging", hold(nil), 3 * time.Second},
		{"stuck, whatever its context", func(context.Context, int, *promwire.WriteRequest) error { <-stuck; return nil }, 4 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stuck = make(chan struct{})
				q := newQueue(t, newSink(tt.judge), QueueOptions{MinShards: 2, MaxShards: 2, BatchSamples: 10})
				ctx := promwire.ContextWithTenant(t.Context(), "a")
				for i := range 10 {
					if _, err := q.Write(ctx, points(0, 10, int64(i))); err != nil {
						t.Fatal(err)
					}
				}
				start := time.Now()
				short, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				left, err := q.Shutdown(short)
				if took := time.Since(start); took != tt.took || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v after %v", err, took)
				}
				newest, samples := map[string]int64{}, 0
				for _, b := range left {
					for _, ts := range b.Request.Timeseries {
						key, at := ts.Labels.String(), ts.Samples[0].Timestamp
						if n, ok := newest[key]; ok && at <= n || b.Tenant != "a" {
							t.Errorf("%s: %d after %d, tenant %q", key, at, n, b.Tenant)
						}
						newest[key] = at
						samples++
					}
				}
				if samples != 100 || q.Stats().Abandoned.Samples != 100 || len(newest) != 10 {
					t.Errorf("%d samples came back, %+v", samples, q.Stats())
				}
				if _, err := q.Write(t.Context(), points(0, 1, 1)); !errors.Is(err, ErrQueueClosed) {
					t.Errorf("write after the end: %v", err)
				}
				if again, _ := q.Shutdown(short); again != nil {
					t.Errorf("second shutdown returned %v", again)
				}
				close(stuck)
			})
		})
	}
}

// TestQueueShutdownWakes ends a queue in which a Write waits for room and another for its delivery.
func TestQueueShutdownWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, newSink(hold(nil)), QueueOptions{MemoryBytes: 64 << 10, WaitForDelivery: true})
		failed := make(chan error)
		for i := range 30 {
			go func() {
				_, err := q.Write(context.Background(), points(i*20, 20, 1))
				failed <- err
			}()
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := q.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		for range 30 {
			if err := <-failed; !errors.Is(err, ErrQueueClosed) {
				t.Errorf("got %v", err)
			}
		}
	})
}

// TestQueueWaits has two writers share a batch; each gets the refusals and counts of its own series.
func TestQueueWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink(func(_ context.Context, n int, req *promwire.WriteRequest) error {
			if n > 0 {
				return nil
			}
			partial := &promwire.PartialWriteError{}
			for i, ts := range req.Timeseries {
				if ts.Labels.Get("i") == "3" || ts.Labels.Get("i") == "11" {
					partial.Refused = append(partial.Refused, promwire.Refusal{Series: i, Labels: ts.Labels, Timestamp: 7, Reason: promwire.ErrOutOfOrder})
				}
			}
			partial.Written = promwire.WriteStats{Samples: req.Stats().Samples - len(partial.Refused)}
			return partial
		})
		q := newQueue(t, s, QueueOptions{MaxShards: 1, WaitForDelivery: true, BatchDeadline: 10 * time.Millisecond})
		type result struct {
			stats promwire.WriteStats
			err   error
		}
		results := [3]result{}
		done := make(chan struct{})
		for i, first := range []int{0, 10, 20} {
			go func() {
				results[i].stats, results[i].err = q.Write(context.Background(), points(first, 5, 7))
				done <- struct{}{}
			}()
		}
		for range 3 {
			<-done
		}
		for i, want := range []int{3, 1, -1} {
			got := results[i]
			var partial *promwire.PartialWriteError
			switch {
			case want < 0:
				if got.err != nil || got.stats.Samples != 5 {
					t.Errorf("writer %d: %+v", i, got)
				}
			case !errors.As(got.err, &partial) || len(partial.Refused) != 1 || partial.Refused[0].Series != want || got.stats.Samples != 4:
				t.Errorf("writer %d: %+v", i, got)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := q.Write(ctx, points(0, 5, 8)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		closeQueue(t, q)
		if got := q.Stats(); got.Refused.Samples != 2 || got.Delivered.Samples != 18 {
			t.Errorf("%+v", got)
		}
	})
}
