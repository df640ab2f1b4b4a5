package web

import (
	"sync/atomic"
	"time"
)

const (
	// watchTime is how long after the page has asked requests are still written down for it; it asks once a second.
	watchTime = 5 * time.Second
	// shownPerSecond bounds how many requests are made text: more would be gone before they were seen.
	shownPerSecond = 25
)

// watch knows whether somebody looks. While nobody does, one request in a second is shown all the same, so that who opens
// the page sees what came before.
type watch struct {
	until atomic.Int64 // Unix nanoseconds

	second atomic.Int64 // for which requests are counted
	count  atomic.Int64
}

func (w *watch) begin(now time.Time) { w.until.Store(now.Add(watchTime).UnixNano()) }

func (w *watch) on(now time.Time) bool { return now.UnixNano() < w.until.Load() }

// take reports whether one more request may be shown in this second.
func (w *watch) take(now time.Time) bool {
	places := int64(1)
	if w.on(now) {
		places = shownPerSecond
	}
	if s := now.Unix(); w.second.Swap(s) != s {
		w.count.Store(0)
	}
	return w.count.Add(1) <= places
}
