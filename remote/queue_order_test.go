package remote

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/promwire/promwire"
)

// TestQueueReshards gives the queue more to do than one shard can, and then less.
func TestQueueReshards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		latency := func(ctx context.Context, _ int, _ *promwire.WriteRequest) error {
			time.Sleep(time.Second)
			return ctx.Err()
		}
		var changes []int
		s := newSink(latency)
		q := newQueue(t, s, QueueOptions{MaxShards: 8, BatchSamples: 100, Hooks: QueueHooks{
			Resharded: func(_, to int) { changes = append(changes, to) },
		}})
		for i := range 240 { // 500 samples a second: five shards at a second for each 100, 6.25 at a busy share of 80 %
			mustWrite(t, q, points(0, 500, int64(i)))
			time.Sleep(time.Second)
		}
		high := q.Stats()
		if high.Shards < 6 || high.Pending.Samples > 5000 || high.Resharded == 0 {
			t.Errorf("under load: %+v, changes %v", high, changes)
		}
		for i := range 120 { // almost nothing
			mustWrite(t, q, points(0, 1, int64(240+i)))
			time.Sleep(time.Second)
		}
		if low := q.Stats(); low.Shards != 1 || low.Resharded != len(changes) {
			t.Errorf("afterwards: %+v, changes %v", low, changes)
		}
		closeQueue(t, q)
		checkOrder(t, s.all(), 240*500+120)
	})
}

// TestQueueStaysWhenRequestsFail adds no shards for a receiver that is away.
func TestQueueStaysWhenRequestsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		q := newQueue(t, newSink(func(context.Context, int, *promwire.WriteRequest) error {
			time.Sleep(time.Second)
			if since := time.Since(begun); since > 15*time.Second && since < 5*time.Minute {
				return promwire.ErrUnavailable
			}
			return nil
		}), QueueOptions{MaxShards: 8, BatchSamples: 10})
		for i := range 240 {
			mustWrite(t, q, points(0, 9, int64(i)))
			time.Sleep(time.Second)
			if got := q.Stats(); i > 20 && got.Shards != 2 && got.Shards != 1 {
				t.Fatalf("after %d s: %+v", i, got)
			}
		}
		time.Sleep(10 * time.Minute)
		closeQueue(t, q)
	})
}

// checkOrder checks that each series of points arrived in order, and that there are so many samples. A timestamp may
// come again only as part of the same batch.
func checkOrder(t *testing.T, got []sentBatch, want int) {
	t.Helper()
	newest, n := map[string]int64{}, 0
	for i, b := range got {
		for _, ts := range b.req.Timeseries {
			key := b.tenant + ts.Labels.String()
			for _, sample := range ts.Samples {
				if last, ok := newest[key]; ok && sample.Timestamp <= last {
					t.Fatalf("batch %d: %s: %d after %d", i, key, sample.Timestamp, last)
				}
				newest[key] = sample.Timestamp
				n++
			}
		}
	}
	if n != want {
		t.Errorf("%d samples, want %d", n, want)
	}
}

// TestQueueKeepsOrder is the proof: many writers, each with series of its own, a receiver that is slow, fails, loses
// answers and refuses nothing, shards that come and go, a shutdown in the middle that hands over to another queue. Each
// sample must be taken, once or in whole batches again, in the order of its series.
func TestQueueKeepsOrder(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { keepsOrder(t, seed) })
		})
	}
}

func keepsOrder(t *testing.T, seed uint64) {
	const writers, rounds, series = 8, 300, 40
	lossy := newLossySink(seed)
	options := QueueOptions{MaxShards: 6, BatchSamples: 100, BatchDeadline: 500 * time.Millisecond, MemoryBytes: 1 << 20}
	q := newQueue(t, lossy, options)
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(w)))
			ctx := promwire.ContextWithTenant(t.Context(), fmt.Sprint(w%3))
			for i := range rounds {
				if _, err := q.Write(ctx, points(w*series, series, int64(i))); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Duration(r.IntN(400)) * time.Millisecond)
			}
		})
	}
	done := make(chan struct{})
	go func() { // shards come and go far more often than they would
		r := rand.New(rand.NewPCG(seed, 99))
		for {
			select {
			case <-done:
				return
			case <-time.After(time.Duration(r.IntN(3000)) * time.Millisecond):
			}
			q.mu.Lock()
			if q.old == nil && !q.closed {
				q.reshard(1 + r.IntN(6))
			}
			q.mu.Unlock()
		}
	}()
	group.Wait()
	close(done)
	if q.Stats().Resharded < 10 {
		t.Errorf("too little happened: %+v", q.Stats())
	}
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	left, _ := q.Shutdown(short)
	next := newQueue(t, lossy, QueueOptions{MaxShards: 1, BatchDeadline: -1})
	for _, b := range left {
		if _, err := next.Write(promwire.ContextWithTenant(t.Context(), b.Tenant), b.Request); err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	if _, err := next.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	lossy.check(t, writers*series, rounds)
}

// lossySink is a receiver with bad days. It keeps each series' timestamps as they came.
type lossySink struct {
	mu      sync.Mutex
	r       *rand.Rand
	series  map[string][]int64
	seen    map[string]bool // whole batches that came
	repeats int
	failed  int
}

func newLossySink(seed uint64) *lossySink {
	return &lossySink{r: rand.New(rand.NewPCG(seed, 7)), series: map[string][]int64{}, seen: map[string]bool{}}
}

func (s *lossySink) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	s.mu.Lock()
	fate, latency := s.r.IntN(10), time.Duration(s.r.IntN(200))*time.Millisecond
	s.mu.Unlock()
	select {
	case <-time.After(latency):
	case <-ctx.Done():
		return promwire.WriteStats{}, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if fate < 2 {
		s.failed++
		return promwire.WriteStats{}, &promwire.HTTPError{StatusCode: 503}
	}
	message, err := req.AppendProto(nil, promwire.WriteV1)
	if err != nil {
		return promwire.WriteStats{}, err
	}
	// A sample may come again only if its whole batch does.
	key := promwire.TenantFromContext(ctx) + "/" + string(message)
	if s.seen[key] {
		s.repeats++
		return req.Stats(), nil
	}
	s.seen[key] = true
	for _, ts := range req.Timeseries {
		id := promwire.TenantFromContext(ctx) + ts.Labels.String()
		for _, sample := range ts.Samples {
			s.series[id] = append(s.series[id], sample.Timestamp)
		}
	}
	if fate == 2 {
		return promwire.WriteStats{}, context.DeadlineExceeded // stored, but the answer got lost
	}
	return req.Stats(), nil
}

func (s *lossySink) check(t *testing.T, series, rounds int) {
	t.Helper()
	if len(s.series) != series || s.repeats == 0 || s.failed == 0 {
		t.Errorf("%d series, %d repeats, %d failures", len(s.series), s.repeats, s.failed)
	}
	for id, times := range s.series {
		for i, at := range times {
			if at != int64(i) {
				t.Fatalf("%s: sample %d is of %d", id, i, at)
			}
		}
		if len(times) != rounds {
			t.Errorf("%s: %d samples, want %d", id, len(times), rounds)
		}
	}
}

// TestQueueAllocates nothing for a sample in steady state: what there is, is for each batch.
func TestQueueAllocates(t *testing.T) {
	q := newQueue(t, takeAll{}, QueueOptions{MaxShards: 1})
	defer closeQueue(t, q)
	req := points(0, 2000, 1)
	ctx := context.Background()
	write := func() {
		if _, err := q.Write(ctx, req); err != nil {
			t.Fatal(err)
		}
		if err := q.Flush(ctx); err != nil {
			t.Fatal(err)
		}
	}
	write()
	write()
	allocs := testing.AllocsPerRun(20, write)
	t.Logf("%v allocations for a batch of 2,000 samples", allocs)
	if allocs > 10 && !raceEnabled {
		t.Errorf("%v allocations for a batch of 2,000 samples", allocs)
	}
}

// takeAll is a Writer that takes everything.
type takeAll struct{}

func (takeAll) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	return req.Stats(), nil
}

func BenchmarkQueue(b *testing.B) {
	q := newQueue(b, takeAll{}, QueueOptions{MaxShards: 1})
	req := points(0, 2000, 1)
	b.ReportAllocs()
	for b.Loop() {
		mustWrite(b, q, req)
	}
	closeQueue(b, q)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/2000, "ns/sample")
}
