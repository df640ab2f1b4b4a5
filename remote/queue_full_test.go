package remote

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/promwire/promwire"
)

// hold is a judge that lets nothing through before open is closed.
func hold(open chan struct{}) func(context.Context, int, *promwire.WriteRequest) error {
	return func(ctx context.Context, _ int, _ *promwire.WriteRequest) error {
		select {
		case <-open:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// fill writes until the queue does not take more, and returns how many samples it took.
func fill(t *testing.T, q *Queue) (n int, err error) {
	t.Helper()
	for {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		_, err := q.Write(ctx, points(n, 10, int64(n)))
		cancel()
		if err != nil || n > 100_000 {
			return n, err
		}
		n += 10
	}
}

func TestQueueFullFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		s := newSink(hold(open))
		q := newQueue(t, s, QueueOptions{MemoryBytes: 256 << 10, WhenFull: FailWhenFull, BatchSamples: 50})
		n, err := fill(t, q)
		if !errors.Is(err, ErrQueueFull) || !promwire.Retryable(err) || n < 300 {
			t.Errorf("%d samples, then %v", n, err)
		}
		stats := q.Stats()
		if stats.PeakBytes > 256<<10+maxSlab || stats.Rejected.Samples != 10 || stats.Pending.Samples != n || stats.OldestPending != 0 {
			t.Errorf("%+v", stats)
		}
		close(open)
		if err := q.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		mustWrite(t, q, points(0, 10, 1))
		closeQueue(t, q)
		if got := q.Stats(); got.Delivered.Samples != n+10 {
			t.Errorf("%+v", got)
		}
	})
}

func TestQueueFullBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		s := newSink(hold(open))
		q := newQueue(t, s, QueueOptions{MemoryBytes: 256 << 10})
		n, err := fill(t, q) // what is not a full batch waits for its deadline: a full queue sends it at once
		if !errors.Is(err, context.DeadlineExceeded) || n < 300 {
			t.Errorf("%d samples, then %v", n, err)
		}
		done := make(chan error)
		go func() {
			_, err := q.Write(context.Background(), points(0, 10, 1_000_000))
			done <- err
		}()
		synctest.Wait()
		select {
		case err := <-done:
			t.Errorf("Write did not wait: %v", err)
		default:
		}
		close(open)
		if err := <-done; err != nil {
			t.Error(err)
		}
		closeQueue(t, q)
		if got := q.Stats(); got.Delivered.Samples != n+10 || got.Rejected.Samples != 0 {
			t.Errorf("%+v", got)
		}
	})
}

func TestQueueFullDropsOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		s := newSink(hold(open))
		dropped, last := 0, int64(-1)
		q := newQueue(t, s, QueueOptions{
			MemoryBytes: 256 << 10, WhenFull: DropOldestWhenFull, BatchSamples: 50, MaxShards: 1,
			Hooks: QueueHooks{Dropped: func(b QueueBatch, reason error) {
				dropped += b.Request.Stats().Samples
				if first := b.Request.Timeseries[0].Samples[0].Timestamp; first <= last || !errors.Is(reason, ErrQueueFull) {
					t.Errorf("dropped %d after %d because %v", first, last, reason)
				} else {
					last = first
				}
			}},
		})
		const writes = 500
		for i := range writes {
			mustWrite(t, q, points(0, 10, int64(i)))
			synctest.Wait()
		}
		close(open)
		closeQueue(t, q)
		stats := q.Stats()
		if dropped == 0 || stats.DroppedFull.Samples != dropped || stats.Delivered.Samples+dropped != 10*writes {
			t.Errorf("dropped %d, %+v", dropped, stats)
		}
		got := s.all()
		if first, final := got[0].req.Timeseries[0].Samples[0].Timestamp, got[len(got)-1].req.Timeseries[49].Samples[0].Timestamp; first != 0 || final != writes-1 {
			t.Errorf("delivered %d to %d: the first was on its way, and the newest must be there", first, final)
		}
	})
}

func TestQueueTakesNoGiants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, newSink(nil), QueueOptions{MemoryBytes: 64 << 10})
		giant := points(0, 1, 1)
		giant.Timeseries[0].Labels = promwire.LabelsFromStrings("__name__", strings.Repeat("x", 64<<10))
		if _, err := q.Write(t.Context(), giant); !errors.Is(err, promwire.ErrTooLarge) || promwire.Retryable(err) {
			t.Errorf("got %v", err)
		}
		giant.Timeseries[0].Labels[0].Value = strings.Repeat("x", 40<<10)
		for range 3 {
			mustWrite(t, q, giant)
		}
		closeQueue(t, q)
		if got := q.Stats(); got.Delivered.Samples != 3 {
			t.Errorf("%+v", got)
		}
	})
}
