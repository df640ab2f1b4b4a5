package spool_test

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/spool"
)

// checkNoGoroutines waits until no goroutine runs code of the spool, and no more run than before.
func checkNoGoroutines(t *testing.T, before int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		left := strings.Contains(string(stacks), "promwire/spool.")
		if !left && runtime.NumGoroutine() <= before {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("goroutines left, %d before:\n%s", before, stacks)
		}
		runtime.Gosched()
	}
}

// hanging is a target that takes a request and does not answer.
type hanging struct{ got chan struct{} }

func (h hanging) Write(ctx context.Context, _ *promwire.WriteRequest) (promwire.WriteStats, error) {
	h.got <- struct{}{}
	<-ctx.Done()
	return promwire.WriteStats{}, ctx.Err()
}

// TestCloseLeavesNoGoroutines closes a spool with deliveries in each state: one waits for records, one for its target, one
// for its next attempt; and with a sync that is due later.
func TestCloseLeavesNoGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 2 {
		s := open(t, t.TempDir(), spool.WithSyncInterval(time.Hour))
		idle := &target{got: make(chan int, 1)}
		stuck := hanging{make(chan struct{}, 1)}
		tried := make(chan struct{}, 1)
		failing := &target{fail: func(int, []int) error {
			tried <- struct{}{}
			return &promwire.HTTPError{StatusCode: http.StatusServiceUnavailable, RetryAfter: time.Hour}
		}}
		var deliveries sync.WaitGroup
		for name, w := range map[string]promwire.Writer{"idle": idle, "stuck": stuck, "failing": failing} {
			r := reader(t, s, name)
			deliveries.Go(func() {
				if err := r.Deliver(context.Background(), w, spool.DeliverOptions{}); !errors.Is(err, spool.ErrClosed) {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		write(t, s, 0, 1)
		<-idle.got
		<-stuck.got
		<-tried
		closeSpool(t, s)
		deliveries.Wait()
		checkNoGoroutines(t, before)
	}
}

// TestDeliveryLeavesNoGoroutines ends deliveries by their contexts, and lets opens fail, while the spool stays open.
func TestDeliveryLeavesNoGoroutines(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	r := reader(t, s, "a")
	before := runtime.NumGoroutine()
	for range 3 {
		write(t, s, 0, 1)
		ctx, cancel := context.WithCancel(t.Context())
		stuck, ended := hanging{make(chan struct{}, 1)}, make(chan error)
		go func() { ended <- r.Deliver(ctx, stuck, spool.DeliverOptions{}) }()
		<-stuck.got
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("got %v", err)
		}
		if _, err := spool.Open(dir); !errors.Is(err, spool.ErrLocked) {
			t.Errorf("got %v", err)
		}
		checkNoGoroutines(t, before)
	}
}
