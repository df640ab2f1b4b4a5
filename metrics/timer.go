package metrics

import (
	"fmt"
	"time"
)

// Timer measures one duration for a [Histogram]. It is a value without a goroutine; it can observe any number of times,
// always from its start.
//
//	defer metrics.NewTimer(took).ObserveDuration()
type Timer struct {
	h     *Histogram
	start time.Time
}

// NewTimer starts a Timer now, by the registry's clock.
func NewTimer(h *Histogram) Timer { return NewTimerAt(h, h.fam.reg.now()) }

// NewTimerAt makes a Timer that started at a given time.
func NewTimerAt(h *Histogram, start time.Time) Timer { return Timer{h, start} }

// ObserveDuration observes the time since the start, as [Histogram.ObserveDuration] does, and returns it. A clock that went
// back gives 0.
func (t Timer) ObserveDuration() time.Duration {
	d := max(0, t.h.fam.reg.now().Sub(t.start))
	t.h.ObserveDuration(d)
	return d
}

// ObserveDurationAt observes the time from the start to end, at the time end; see [Histogram.ObserveAt]. An end before the
// start is an error that wraps [ErrInvalidValue].
func (t Timer) ObserveDurationAt(end time.Time) (time.Duration, error) {
	d := end.Sub(t.start)
	if d < 0 {
		return 0, wrap(t.h.labels(), fmt.Errorf("%w: the duration is %v", ErrInvalidValue, d))
	}
	return d, t.h.ObserveDurationAt(d, end)
}

// ObserveDuration observes a duration in the unit of the histogram: seconds, unless [WithUnit] said minutes, hours or days,
// or milliseconds, microseconds or nanoseconds. A histogram of something else than time refuses it as [Histogram.Observe]
// refuses NaN.
func (h *Histogram) ObserveDuration(d time.Duration) {
	unit := durationUnit(h.fam.meta.Unit)
	if unit == 0 {
		h.fam.reg.refused.note(wrap(h.labels(), h.notTime(d)))
		return
	}
	h.Observe(float64(d) / float64(unit))
}

// ObserveDurationAt is [Histogram.ObserveDuration] at time t; errors are those of [Histogram.ObserveAt].
func (h *Histogram) ObserveDurationAt(d time.Duration, t time.Time) error {
	unit := durationUnit(h.fam.meta.Unit)
	if unit == 0 {
		return wrap(h.labels(), h.notTime(d))
	}
	return h.ObserveAt(float64(d)/float64(unit), t)
}

func (h *Histogram) notTime(d time.Duration) error {
	return fmt.Errorf("%w: a histogram of %s can't observe %v", ErrInvalidValue, h.fam.meta.Unit, d)
}

// durationUnit returns what the unit of a metric is as a duration; 0 if it is none.
func durationUnit(unit string) time.Duration {
	switch unit {
	case "", "seconds":
		return time.Second
	case "milliseconds":
		return time.Millisecond
	case "microseconds":
		return time.Microsecond
	case "nanoseconds":
		return time.Nanosecond
	case "minutes":
		return time.Minute
	case "hours":
		return time.Hour
	case "days":
		return 24 * time.Hour
	default:
		return 0
	}
}
