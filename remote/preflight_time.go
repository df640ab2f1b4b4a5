package remote

import (
	"fmt"
	"math"
	"time"

	"github.com/promwire/promwire"
)

// unitSpan is how near to the clock a number must be, read in another unit, to be taken for a time in that unit. In
// milliseconds, such numbers are times in January 1970, or more than 40,000 years ahead.
const unitSpan = 10 * 366 * 24 * time.Hour

// timeWindow is what timestamps are judged by, in milliseconds.
type timeWindow struct {
	now, lo, hi int64
	first, last int64 // of the times near now, which are fine at the first glance
}

func newTimeWindow(now time.Time, profile *PreflightProfile) timeWindow {
	w := timeWindow{now: now.UnixMilli(), lo: math.MinInt64, hi: math.MaxInt64}
	if profile.MaxAhead > 0 {
		w.hi = w.now + profile.MaxAhead.Milliseconds()
	}
	if profile.MaxAge > 0 {
		w.lo = w.now - profile.MaxAge.Milliseconds()
	}
	span := unitSpan.Milliseconds()
	w.first, w.last = max(w.lo, w.now-span, 1), min(w.hi, w.now+span)
	return w
}

func (w *timeWindow) fine(t int64) bool {
	if t >= w.first && t <= w.last {
		return true
	}
	_, err := w.judge(t)
	return err == nil
}

// judge returns the rule that t breaks, and the reason, or no error.
func (w *timeWindow) judge(t int64) (PreflightRule, error) {
	if t == 0 {
		return RuleTimeUnit, fmt.Errorf("%w: it is 0, which is no time", promwire.ErrOutOfBounds)
	}
	if unit := w.unit(t); unit != "" {
		return RuleTimeUnit, fmt.Errorf("%w: %d looks like %s; timestamps are milliseconds since 1970",
			promwire.ErrOutOfBounds, t, unit)
	}
	switch {
	case t > w.hi:
		return RuleFuture, fmt.Errorf("%w: %d, the target takes up to %d", promwire.ErrTooFarInFuture, t, w.hi)
	case t < w.lo:
		return RuleAge, fmt.Errorf("%w: %d, the target takes from %d", promwire.ErrTooOld, t, w.lo)
	}
	return 0, nil
}

// unit returns the unit in which t is a time near now, if that is not milliseconds.
func (w *timeWindow) unit(t int64) string {
	span := unitSpan.Milliseconds()
	near := func(ms int64) bool { return ms >= w.now-span && ms <= w.now+span }
	switch {
	case near(t) || w.now <= 2*span:
		return "" // or a clock that is not set: there is nothing to compare with
	case t > 0 && t <= math.MaxInt64/1000 && near(t*1000):
		return "seconds"
	case near(t / 1000):
		return "microseconds"
	case near(t / 1_000_000):
		return "nanoseconds"
	default:
		return ""
	}
}
