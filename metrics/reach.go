package metrics

import "time"

// DefaultMaxAhead is the default of [WithMaxAhead].
const DefaultMaxAhead = 10 * time.Minute

// maxBehind bounds how far behind the clock a recording may be: seconds taken for milliseconds are from 1970.
const maxBehind = 50 * 365 * 24 * time.Hour

// WithMaxAhead sets how far ahead of the registry's clock the time of a recording may be; more is refused
// with [promwire.ErrTooFarInFuture].
// The default is [DefaultMaxAhead], as far as Prometheus and others take it: a series that had a sample further ahead could
// take no other before that time. Negative values mean 0.
func WithMaxAhead(d time.Duration) RegistryOption {
	return func(r *Registry) { r.ahead = max(0, d) }
}

// reach says how far a series got at its receiver.
type reach struct {
	acked int64 // time of the newest sample that is known to be stored
	any   bool  // there is one
	doubt bool  // the newest sample was refused for good, as far as anybody can tell
}

func (r *reach) take(v verdict) {
	if v.any {
		r.acked, r.any = v.acked, true
	}
	r.doubt = v.held == 0 && v.doubt
}

// floor returns the time that the next sample has to be after; false if any time will do.
//
// Mostly that is the time of the newest sample, refused or not: some receivers store a part of what they refuse. But if
// that one lies further ahead than receivers take, because the clock was wrong when it was made, then they have not stored
// it, and the series would wait for that time in vain.
func (tl *timeline) floor(now int64) (int64, bool) {
	if tl.fall || tl.begun && tl.doubt && tl.last > now+tl.ahead {
		return tl.acked, tl.any
	}
	return tl.last, tl.begun
}

// fallBack goes back to the floor.
func (tl *timeline) fallBack(now int64) {
	if floor, begun := tl.floor(now); begun != tl.begun || floor != tl.last {
		tl.last, tl.begun, tl.doubt = floor, begun, false
	}
	tl.fall = false
}
