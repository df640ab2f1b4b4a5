package cores

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The number of cores follows the load, and stays as it is between the two bounds.
func TestAdapt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ticks, totals := make(chan time.Time), make(chan time.Duration)
	at, total := time.Unix(1000, 0), time.Duration(0)
	var got []string
	done := make(chan struct{})
	first := sample{at, total}
	go func() {
		defer close(done)
		adapt(ctx, ticks, first, func() time.Duration { return <-totals }, func(one bool) { got = append(got, fmt.Sprint(one)) })
	}()
	for _, ms := range []int{100, 400, 1000, 1200, 800, 600, 499, 300, 1100} { // of CPU time in two seconds
		at = at.Add(2 * time.Second)
		total += time.Duration(ms) * time.Millisecond
		ticks <- at
		totals <- total
	}
	cancel()
	<-done
	if text := strings.Join(got, " "); text != "false true false" {
		t.Errorf("one core: %s", text)
	}
}

// The end leaves GOMAXPROCS as it was, and one that was set stays.
func TestAdaptEnds(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	t.Setenv("GOMAXPROCS", "")
	Adapt(ctx)
	if got := runtime.GOMAXPROCS(0); got != before {
		t.Errorf("GOMAXPROCS %d, was %d", got, before)
	}
	t.Setenv("GOMAXPROCS", "7")
	Adapt(t.Context()) // returns at once
}

// CPU time that was used shows.
func TestUsed(t *testing.T) {
	first, ok := used()
	switch {
	case ok:
	case runtime.GOOS == "windows":
		t.Skip("the CPU time of a process is looked up on Unix only")
	default:
		t.Fatal("no CPU time")
	}
	for {
		if now, _ := used(); now > first {
			return
		}
	}
}
