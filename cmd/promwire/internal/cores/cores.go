// Package cores lets a process that has little to do work on one core, and on all when it has more.
package cores

import (
	"context"
	"os"
	"runtime"
	"time"
)

const (
	// every is how often Adapt looks how busy the process is.
	every = time.Second
	// most and least are the parts of one core beyond which the process gets all, and below which it gets one.
	most, least = 0.5, 0.25
)

// Adapt sets GOMAXPROCS to 1, and to Go's default while the process takes more than half of a core, until ctx ends. A
// process that wakes up a hundred times a second for a millisecond, as a relay does, spends a good part of its CPU time
// on waking further threads, which find nothing to do. A GOMAXPROCS of the environment is left as it is.
func Adapt(ctx context.Context) {
	begin, ok := used()
	if !ok || os.Getenv("GOMAXPROCS") != "" || runtime.GOMAXPROCS(0) == 1 {
		return
	}
	runtime.GOMAXPROCS(1)
	defer runtime.SetDefaultGOMAXPROCS()
	tick := time.NewTicker(every)
	defer tick.Stop()
	adapt(ctx, tick.C, sample{time.Now(), begin}, func() time.Duration { d, _ := used(); return d }, func(one bool) {
		if one {
			runtime.GOMAXPROCS(1)
		} else {
			runtime.SetDefaultGOMAXPROCS()
		}
	})
}

// sample is how much CPU time was used at a time.
type sample struct {
	at   time.Time
	used time.Duration
}

// adapt looks at each tick, and calls set when one core, which there is at the beginning, should become all of them, or
// all of them one.
func adapt(ctx context.Context, ticks <-chan time.Time, last sample, used func() time.Duration, set func(one bool)) {
	for one := true; ; {
		var now sample
		select {
		case <-ctx.Done():
			return
		case at := <-ticks:
			now = sample{at, used()}
		}
		busy := float64(now.used-last.used) / float64(now.at.Sub(last.at))
		if last = now; one && busy > most || !one && busy < least {
			one = !one
			set(one)
		}
	}
}
