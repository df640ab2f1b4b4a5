package remote

import (
	"context"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
)

// faultCase is one row of the matrix: what goes wrong between a queue and a receiver.
type faultCase struct {
	name   string
	script promwiretest.Script
	// during runs while data are written, the receiver having got some; before is the heap at the start.
	during  func(t *testing.T, r *promwiretest.Receiver, before uint64)
	timeout time.Duration // of the client
	rounds  int           // samples of each series
	memory  int
}

// partitionTime is how long the receiver is away in the last row: a short time, or what PROMWIRE_PARTITION says.
func partitionTime(t *testing.T) time.Duration {
	text := os.Getenv("PROMWIRE_PARTITION")
	if text == "" {
		return 500 * time.Millisecond
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func faultCases(t *testing.T) []faultCase {
	only := func(message promwire.MessageType, f promwiretest.Fault) promwiretest.Script {
		return func(_ int, r *http.Request) promwiretest.Fault {
			if r.Header.Get("Content-Type") == message.ContentType() {
				return f
			}
			return promwiretest.Fault{}
		}
	}
	bursts := func(n int, _ *http.Request) promwiretest.Fault {
		if n%20 < 8 {
			return promwiretest.Answer(500, nil, "burst")
		}
		return promwiretest.Fault{}
	}
	away := func(d time.Duration) func(*testing.T, *promwiretest.Receiver, uint64) {
		return func(t *testing.T, r *promwiretest.Receiver, before uint64) { stayAway(t, r, before, d) }
	}
	return []faultCase{
		{name: "none"},
		{name: "refuse", during: away(50 * time.Millisecond)},
		{name: "reset mid-body", script: promwiretest.Random(1, 0.4, promwiretest.Reset(0), promwiretest.Reset(40), promwiretest.Reset(1000))},
		{name: "hang", script: promwiretest.Times(2, promwiretest.Hang(0)), timeout: 2 * time.Second},
		{name: "slow bytes", script: promwiretest.Random(2, 0.05, promwiretest.SlowBody(256, time.Millisecond), promwiretest.SlowAnswer(100*time.Microsecond))},
		{name: "429 with Retry-After", script: promwiretest.Times(2, promwiretest.TooManyRequests("1"))},
		{name: "500 bursts", script: bursts},
		{name: "2xx without Written headers", script: only(promwire.WriteV2, promwiretest.Lie(204, false, nil))},
		{name: "2xx with zeros", script: only(promwire.WriteV2, promwiretest.Lie(200, false, &promwire.WriteStats{}))},
		{name: "truncated answers", script: promwiretest.Random(3, 0.4, promwiretest.Truncated(0), promwiretest.Truncated(10))},
		{name: "lost answers", script: promwiretest.Random(4, 0.4, promwiretest.LostAnswer())},
		{name: "1 MB of error", script: promwiretest.Random(5, 0.2, promwiretest.Answer(503, nil, strings.Repeat("x", 1<<20)))},
		{name: "partition", during: away(partitionTime(t)), rounds: 1000, memory: 4 << 20},
	}
}

// TestQueueFaults puts a queue and a client in front of a real server that does what servers and networks do, and
// counts what arrived: nothing may be missing or out of order, and the memory must stay in its bound.
func TestQueueFaults(t *testing.T) {
	for _, tt := range faultCases(t) {
		t.Run(tt.name, func(t *testing.T) { runFaults(t, tt) })
	}
}

func runFaults(t *testing.T, tt faultCase) {
	const writers, series = 4, 10
	tt.rounds = orDefault(tt.rounds, 100)
	tt.memory = orDefault(tt.memory, 512<<10)
	tt.timeout = orDefault(tt.timeout, time.Minute)
	r := promwiretest.NewReceiver(promwiretest.WithoutRequestData())
	defer r.Close()
	r.SetScript(tt.script)
	client := newWriteClient(t, r.URL, WithTimeout(tt.timeout), WithoutRetry())
	refused := 0
	q := newQueue(t, client, QueueOptions{
		MinShards: 3, MaxShards: 3, BatchSamples: 100, BatchDeadline: 10 * time.Millisecond, MemoryBytes: tt.memory,
		MinBackoff: time.Millisecond, MaxBackoff: 50 * time.Millisecond,
		Hooks: QueueHooks{Refused: func(_ QueueBatch, err error) { refused++; t.Error(err) }},
	})
	before := heap()
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range tt.rounds {
				if _, err := q.Write(context.Background(), points(w*series, series, int64(i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	if tt.during != nil {
		tt.during(t, r, before)
	}
	group.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if _, err := q.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	repeats := 0
	for i := range writers * series {
		repeats += checkArrival(t, seriesLabels(i), r.Samples(seriesLabels(i)), tt.rounds)
	}
	stats, want := q.Stats(), writers*series*tt.rounds
	if stats.Accepted.Samples != want || stats.Delivered.Samples != want || stats.Refused.Samples != 0 || refused > 0 {
		t.Errorf("counts: %+v", stats)
	}
	if bound := tt.memory + slack; stats.PeakBytes > bound {
		t.Errorf("memory %d, bound %d", stats.PeakBytes, bound)
	}
	faults := 0
	for _, got := range r.Requests() {
		if got.Fault != "" {
			faults++
		}
	}
	if tt.script != nil && faults == 0 {
		t.Error("nothing went wrong")
	}
	t.Logf("%d samples, %d of them repeated, %d requests, %d with a fault, %d pauses; memory %d KiB, bound %d KiB",
		want, repeats, len(r.Requests()), faults, stats.Retries, stats.PeakBytes>>10, (tt.memory+slack)>>10)
	checkNoGoroutines(t)
}

// maxHeap bounds what the whole program takes beyond what it had, with a queue of 4 MiB: the queue, the requests at work
// and the receiver's records.
const maxHeap = 8 << 20

// slack is what the last Write may add to the memory: a new piece of each kind for each shard, the smallest ones here.
const slack = 64 << 10

// checkArrival checks that a series of points is complete and in order. After a fault its last samples may come again,
// as a run that ends with the newest one: the batch was sent again. It returns how many came again.
func checkArrival(t *testing.T, ls promwire.Labels, got []promwire.Sample, want int) (repeats int) {
	t.Helper()
	newest, before := int64(-1), int64(-1)
	for i, s := range got {
		switch at := s.Timestamp; {
		case at == newest+1 && before == newest:
			newest = at
		case at <= newest && (before == newest || at == before+1):
			repeats++
		default:
			t.Fatalf("%s: sample %d is of %d, after %d, newest %d", ls, i, at, before, newest)
		}
		before = s.Timestamp
	}
	if newest != int64(want-1) || before != newest {
		t.Errorf("%s: ends with %d, newest %d, want %d", ls, before, newest, want-1)
	}
	return repeats
}

// stayAway stops the receiver once it has got something, and starts it again after d. The queue fills up meanwhile,
// and what is really taken of the heap is measured.
func stayAway(t *testing.T, r *promwiretest.Receiver, before uint64, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := r.WaitFor(ctx, func() bool { return r.Stats().Samples > 0 }); err != nil {
		t.Fatal(err)
	}
	r.Stop()
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
	if grown := int64(heap()) - int64(before); grown > maxHeap {
		t.Errorf("heap grew by %d KiB", grown>>10)
	} else {
		t.Logf("heap grew by %d KiB while the receiver was away", grown>>10)
	}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
}

// checkNoGoroutines waits until no goroutine of a queue is left.
func checkNoGoroutines(t *testing.T) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		if !strings.Contains(string(stacks), "remote.(*Queue)") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("goroutines left:\n%s", stacks)
		}
		runtime.Gosched()
	}
}
