package metrics

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/promwire/promwire"
)

// timeline puts the recordings of a series in order of time. Its owner's lock guards it.
type timeline struct {
	created int64 // when the series came to be
	zero    bool  // a sample of zero goes before the first one
	queue   []point
	// start is the start timestamp of all samples, last the time of the newest one; both hold once begun is set.
	start, last int64
	begun       bool
	// floating says that the newest sample has the time of a push and is not delivered: a later push makes it anew.
	floating bool
	timed    bool  // a recording ever had a time of its own
	again    bool  // the next drain makes a sample, recording or not, unless timed
	repeated bool  // the last one did for that reason
	foreign  bool  // all samples are those of a former run, whose value is not known here
	recorded int64 // when a drain last found a recording
	ahead    int64 // how far ahead of the clock a time may be, in milliseconds

	reach
	fall bool // the next drain goes back to the floor, which a queued recording relies on
}

// point is a recording with a time of its own, in milliseconds.
type point struct {
	t int64
	v float64
}

// accumulator turns recordings into samples.
type accumulator interface {
	apply(v float64) // takes a recording with a time of its own
	applyUntimed()   // takes all other recordings
	emit(t int64)    // makes samples of all that was taken
	dropLast()       // takes the newest samples back
}

// zeroer is an accumulator of totals.
type zeroer interface {
	emitZero(t int64) // makes samples of nothing, whatever was taken
}

// add queues a recording.
func (tl *timeline) add(v float64, t, now time.Time) error {
	ahead := time.Duration(tl.ahead) * time.Millisecond
	switch {
	case t.IsZero():
		return fmt.Errorf("%w: the zero time", ErrInvalidValue)
	case t.After(now.Add(ahead)):
		return fmt.Errorf("%w: %s, more than %s ahead of %s (WithMaxAhead allows more)", promwire.ErrTooFarInFuture, formatTime(t), ahead, formatTime(now))
	case t.Before(now.Add(-maxBehind)):
		return fmt.Errorf("%w: the time %s, too long ago: are these seconds taken for milliseconds?", ErrInvalidValue, formatTime(t))
	}
	ms := t.UnixMilli()
	floor, begun := tl.floor(now.UnixMilli())
	if begun && ms <= floor {
		return fmt.Errorf("%w: %s, newest is %s", ErrLate, formatTime(t), formatTime(time.UnixMilli(floor)))
	}
	tl.fall = tl.fall || begun != tl.begun || floor != tl.last
	tl.queue, tl.timed = append(tl.queue, point{ms, v}), true
	return nil
}

func formatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// drain feeds a with the queue in order of time, and with the recordings that have no time of their own if untimed
// is set. These get the time now, or if a sample of that time or later was handed out already, because the clock
// stands still or went back, a millisecond after it, unless the receiver refused that sample; see floor.
func (tl *timeline) drain(now int64, untimed bool, a accumulator) {
	if untimed || len(tl.queue) > 0 {
		tl.recorded, tl.foreign = now, false
	}
	if tl.floating {
		a.dropLast()
		untimed, tl.floating = true, false
	}
	tl.repeated, tl.again = tl.again && !tl.timed && !tl.foreign, false
	untimed = untimed || tl.repeated
	tl.fallBack(now)
	if tl.begun {
		now = max(now, tl.last+1)
	}
	slices.SortStableFunc(tl.queue, func(a, b point) int { return cmp.Compare(a.t, b.t) })
	q := tl.queue
	for untimed || len(q) > 0 {
		t := now
		if len(q) > 0 && (!untimed || q[0].t < now) {
			t = q[0].t
		}
		tl.floating = untimed && t == now && (len(q) == 0 || q[0].t != t)
		tl.begin(t, a)
		for len(q) > 0 && q[0].t == t {
			a.apply(q[0].v)
			q = q[1:]
		}
		if untimed && t == now {
			a.applyUntimed()
			untimed = false
		}
		a.emit(t)
	}
	tl.queue = reuse(tl.queue)
}

// settle returns how many of the newest samples are still to be sent.
func (tl *timeline) settle(v verdict) int {
	tl.take(v)
	if v.held > 0 {
		return v.held
	}
	if tl.floating && v.again() {
		return 1 // the value is not there, and at another time it may be welcome
	}
	tl.floating = false
	return 0
}

// begin notes that a sample of time t is to be made. The series starts before its first sample, even if that lies
// before its creation. 0 would mean that the start is not known, as it is for a sample of zero at the start itself.
func (tl *timeline) begin(t int64, a accumulator) {
	if !tl.begun {
		tl.begun = true
		start := min(tl.created, t-1)
		if start == 0 {
			start = -1
		}
		if z, ok := a.(zeroer); ok && tl.zero {
			tl.start = 0
			z.emitZero(start)
		}
		tl.start = start
	}
	tl.last, tl.doubt = t, false
}

// wire is one series as it is sent.
type wire struct {
	labels  promwire.Labels
	samples []promwire.Sample // not delivered yet
}

func (w *wire) add(t, start int64, v float64) {
	w.samples = append(w.samples, promwire.Sample{Timestamp: t, StartTimestamp: start, Value: v})
}

func (w *wire) dropLast() { w.samples = w.samples[:len(w.samples)-1] }

// drop drops all samples but the newest keep. There may be fewer: not all series of an instrument need have been there in
// a former run.
func (w *wire) drop(keep int) {
	newest := w.samples[max(0, len(w.samples)-keep):]
	w.samples = append(reuse(w.samples), newest...)
}

func (w *wire) appendTo(dst []promwire.TimeSeries, m *promwire.Metadata) []promwire.TimeSeries {
	if len(w.samples) == 0 {
		return dst
	}
	return append(dst, promwire.TimeSeries{Labels: w.labels, Samples: w.samples, Metadata: *m})
}

// maxKept is the number of elements up to which an emptied slice is kept.
const maxKept = 256

// reuse empties s, and lets go of its memory if it grew large once.
func reuse[T any](s []T) []T {
	if cap(s) > maxKept {
		return nil
	}
	return s[:0]
}
