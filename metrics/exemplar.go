package metrics

import (
	"cmp"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/promwire/promwire"
)

// MaxExemplarCharacters is how many characters the names and values of an exemplar's labels may have together
// (OpenMetrics, "Exemplars").
const MaxExemplarCharacters = 128

// maxNativeExemplars is the number of exemplars that a native histogram keeps until they are sent.
const maxNativeExemplars = 10

// exemplars holds the exemplars of one series until they are sent. Its owner's lock guards it.
type exemplars struct {
	held []heldExemplar
	out  []promwire.Exemplar // as handed out; its memory serves again
	// newest is the time of the newest one ever handed out, if there was one: receivers take only newer ones.
	newest int64
	any    bool
}

type heldExemplar struct {
	promwire.Exemplar
	bucket place
	sent   bool
}

// add keeps e; with its time it replaces one of the same bucket or the same millisecond, or the oldest if there are limit.
// One that has no time of its own is as of now. One that comes too late is left out.
func (x *exemplars) add(e promwire.Exemplar, untimed bool, bucket place, limit int) {
	if x.any && untimed && x.newest-e.Timestamp > DefaultMaxAhead.Milliseconds() {
		x.any = false // the clock was wrong, and no receiver can have taken that one
	}
	if x.any && e.Timestamp <= x.newest {
		if !untimed {
			return
		}
		e.Timestamp = x.newest + 1
	}
	x.held = slices.DeleteFunc(x.held, func(h heldExemplar) bool { return h.bucket == bucket || h.Timestamp == e.Timestamp })
	at, _ := slices.BinarySearchFunc(x.held, e.Timestamp, func(h heldExemplar, t int64) int { return cmp.Compare(h.Timestamp, t) })
	if len(x.held) == limit {
		if at == 0 {
			return
		}
		x.held, at = slices.Delete(x.held, 0, 1), at-1
	}
	x.held = slices.Insert(x.held, at, heldExemplar{Exemplar: e, bucket: bucket})
}

// attach puts the exemplars on the series.
func (x *exemplars) attach(ts *promwire.TimeSeries) {
	if x == nil || len(x.held) == 0 {
		return
	}
	x.out = x.out[:0]
	for i := range x.held {
		x.held[i].sent = true
		x.out = append(x.out, x.held[i].Exemplar)
	}
	x.newest, x.any = x.out[len(x.out)-1].Timestamp, true
	ts.Exemplars = x.out
}

// settle drops what was sent.
func (x *exemplars) settle() {
	if x == nil {
		return
	}
	x.held = slices.DeleteFunc(x.held, func(h heldExemplar) bool { return h.sent })
	clear(x.out)
}

// exemplar makes an exemplar with the time t, or that of the clock. The error wraps [ErrInvalidValue] and
// [promwire.ErrInvalidExemplar].
func (r *Registry) exemplar(v float64, ls promwire.Labels, t time.Time) (promwire.Exemplar, error) {
	if t.IsZero() {
		t = r.now()
	}
	ls = r.escapeLabels(ls)
	if !slices.IsSortedFunc(ls, func(a, b promwire.Label) int { return cmp.Compare(a.Name, b.Name) }) {
		ls = slices.Clone(ls).Normalize()
	}
	if err := r.checkExemplar(ls); err != nil {
		return promwire.Exemplar{}, fmt.Errorf("%w: %w: %w", ErrInvalidValue, promwire.ErrInvalidExemplar, err)
	}
	return promwire.Exemplar{Labels: ls, Value: v, Timestamp: t.UnixMilli()}, nil
}

func (r *Registry) checkExemplar(ls promwire.Labels) error {
	characters := 0
	for i, l := range ls {
		switch {
		case !promwire.ValidName(l.Name, r.names, false):
			return r.invalidName("label name", l.Name, "letters, digits and _")
		case i > 0 && l.Name == ls[i-1].Name:
			return fmt.Errorf("%w: %q", promwire.ErrDuplicateLabel, l.Name)
		case l.Value == "":
			return fmt.Errorf("%w: %q", promwire.ErrEmptyLabelValue, l.Name)
		case !utf8.ValidString(l.Value):
			return fmt.Errorf("%w: value of label %q", promwire.ErrInvalidUTF8, l.Name)
		}
		characters += utf8.RuneCountInString(l.Name) + utf8.RuneCountInString(l.Value)
	}
	if characters > MaxExemplarCharacters {
		return fmt.Errorf("its labels have %d characters in names and values, the limit is %d", characters, MaxExemplarCharacters)
	}
	return nil
}

// AddWithExemplar is [Counter.Add] with an exemplar, such as the trace ID of what was counted. The series keeps the last
// one until it is sent with the next sample; ls is kept with it, and must not change. An exemplar that is refused, for
// its labels' names or for more than [MaxExemplarCharacters], is left out alone: v counts, and the next push reports it.
func (c *Counter) AddWithExemplar(v float64, ls promwire.Labels) {
	if finite(v) && v >= 0 {
		e, err := c.fam.reg.exemplar(v, ls, time.Time{})
		if err != nil {
			c.fam.reg.refused.note(wrap(c.wire.labels, err))
		} else {
			c.keep(e, true)
		}
	}
	c.Add(v)
}

// AddWithExemplarAt is [Counter.AddAt] with an exemplar of time t; see [Counter.AddWithExemplar]. Errors also wrap
// [promwire.ErrInvalidExemplar], and say that nothing was added. An exemplar that is not newer than the one sent last is
// left out.
func (c *Counter) AddWithExemplarAt(v float64, ls promwire.Labels, t time.Time) error {
	e, err := c.fam.reg.exemplar(v, ls, t)
	if err != nil {
		return wrap(c.wire.labels, err)
	}
	if err := c.AddAt(v, t); err != nil {
		return err
	}
	c.keep(e, false)
	return nil
}

func (c *Counter) keep(e promwire.Exemplar, untimed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.exemplars == nil {
		c.exemplars = &exemplars{}
	}
	c.exemplars.add(e, untimed, place{}, 1)
}

// histogramExemplars are the exemplars of each classic bucket and of the native series.
type histogramExemplars struct {
	classic []exemplars
	native  exemplars
}

// ObserveWithExemplar is [Histogram.Observe] with an exemplar, such as the trace ID of what was observed. Each classic
// bucket keeps the last one until it is sent with the next sample; the native series keeps the last one of each bucket, and
// of these the newest ten. What else [Counter.AddWithExemplar] says holds here, too.
func (h *Histogram) ObserveWithExemplar(v float64, ls promwire.Labels) {
	if finite(v) {
		e, err := h.fam.reg.exemplar(v, ls, time.Time{})
		if err != nil {
			h.fam.reg.refused.note(wrap(h.labels(), err))
		} else {
			h.keep(e, true)
		}
	}
	h.Observe(v)
}

// ObserveWithExemplarAt is [Histogram.ObserveAt] with an exemplar of time t; see [Histogram.ObserveWithExemplar]. Errors
// also wrap [promwire.ErrInvalidExemplar], and say that nothing was counted. An exemplar that is not newer than those sent
// before is left out.
func (h *Histogram) ObserveWithExemplarAt(v float64, ls promwire.Labels, t time.Time) error {
	e, err := h.fam.reg.exemplar(v, ls, t)
	if err != nil {
		return wrap(h.labels(), err)
	}
	if err := h.ObserveAt(v, t); err != nil {
		return err
	}
	h.keep(e, false)
	return nil
}

func (h *Histogram) keep(e promwire.Exemplar, untimed bool) {
	p := h.fam.locate(e.Value)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.exemplars == nil {
		h.exemplars = &histogramExemplars{classic: make([]exemplars, len(h.sampled.counts))}
	}
	if h.fam.classic {
		h.exemplars.classic[p.classic].add(e, untimed, place{}, 1)
	}
	if h.native != nil {
		p.classic = 0
		h.exemplars.native.add(e, untimed, p, maxNativeExemplars)
	}
}

// attach puts exemplars on the series, which are all of the histogram.
func (x *histogramExemplars) attach(series []promwire.TimeSeries, native bool) {
	if x == nil || len(series) == 0 {
		return
	}
	if native {
		x.native.attach(&series[0])
		series = series[1:]
	}
	for i := range x.classic {
		x.classic[i].attach(&series[i])
	}
}

func (x *histogramExemplars) settle() {
	if x == nil {
		return
	}
	x.native.settle()
	for i := range x.classic {
		x.classic[i].settle()
	}
}
