package outlets

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/promwire/promwire"
)

// Watch tells in the log how writing to one place goes. It is safe for concurrent use.
type Watch struct {
	Name     string
	Logger   *slog.Logger
	Refusals Limiter     // of the lines that repeat
	failing  atomic.Bool // the last attempt failed and is going to be repeated
}

// Retrying logs the first failure of several.
func (o *Watch) Retrying(err error) {
	if !o.failing.Swap(true) {
		o.Logger.Warn("writing fails, and is tried again", "error", brief(err))
		return
	}
	o.Logger.Debug("writing fails again", "error", brief(err))
}

// Recovered ends what Retrying began.
func (o *Watch) Recovered() {
	if o.failing.Swap(false) {
		o.Logger.Info("writing works again")
	}
}

// Refused logs an answer as it came, once: errors repeat it, for each series that bisecting has found.
func (o *Watch) Refused(what promwire.WriteStats, err error) {
	n, ok := o.Refusals.Allow()
	if !ok {
		return
	}
	args := []any{"samples", Points(what), "not_logged", n}
	var answer *promwire.HTTPError
	if errors.As(err, &answer) {
		args = append(args, "status", answer.StatusCode, "answer", answer.Body)
		err = errors.New(strings.ReplaceAll(err.Error(), answer.Error(), fmt.Sprintf("server answered %d", answer.StatusCode)))
	}
	o.Logger.Error("request is refused, what it names is dropped", append(args, "error", brief(err))...)
}

// Points counts samples and histograms.
func Points(s promwire.WriteStats) int64 { return int64(s.Samples + s.Histograms) }

// brief is the text of an error, cut.
func brief(err error) string {
	const most = 400
	text := err.Error()
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}

// Limiter allows a few log lines a minute.
type Limiter struct {
	mu      sync.Mutex
	since   time.Time
	allowed int
	skipped int
}

// perMinute is how many log lines a Limiter allows.
const perMinute = 10

// Allow reports whether a line may be logged, and how many were not since the last one.
func (l *Limiter) Allow() (skipped int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.since) > time.Minute {
		l.since, l.allowed = now, 0
	}
	if l.allowed == perMinute {
		l.skipped++
		return 0, false
	}
	l.allowed++
	skipped, l.skipped = l.skipped, 0
	return skipped, true
}
