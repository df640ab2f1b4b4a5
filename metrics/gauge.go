package metrics

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/promwire/promwire"
)

// Gauge is a value that goes up and down. It is safe for concurrent use; Set, Add and Sub neither lock nor take
// memory.
type Gauge struct {
	fam   *family
	value atomicFloat

	mu     sync.Mutex
	tl     timeline
	newest int64   // of the times given to SetAt, in milliseconds
	timed  bool    // newest is set
	queue  []step  // recordings with a time; the timeline keeps their indexes
	sample float64 // value of the newest sample
	wire   wire

	touched atomic.Bool // far behind the value; see Counter
}

// Gauge makes a gauge, or returns the one that was made before with the same name and unit, whose help stays. Errors
// wrap [promwire.ErrInvalidName], [ErrInvalidUnit] or [ErrConflict].
func (r *Registry) Gauge(name string, opts ...InstrumentOption) (*Gauge, error) {
	return single(r.GaugeVec(name, nil, opts...))
}

// GaugeVec is [Registry.Gauge] with labels, which are a part of the definition, and so is their order. Errors also wrap [ErrReservedLabel] and [promwire.ErrDuplicateLabel].
func (r *Registry) GaugeVec(name string, labels []string, opts ...InstrumentOption) (*Vec[Gauge], error) {
	return register(r, define(promwire.TypeGauge, name, labels, opts), newGauge)
}

func newGauge(f *family, ls promwire.Labels) *Gauge {
	g := &Gauge{
		fam:  f,
		tl:   f.newTimeline(),
		wire: wire{labels: wireLabels(ls, f.name, "")},
	}
	f.adopt(&g.tl, &g.wire)
	return g
}

// step is a recording with a time: a value, or what is added to the value of that time.
type step struct {
	v   float64
	add bool
}

// Set sets the value, as of the time of the next push. Any float is allowed, NaN and the infinities too.
func (g *Gauge) Set(v float64) {
	g.value.store(v)
	touch(&g.touched)
}

// Add adds v, which may be negative, to the current value.
func (g *Gauge) Add(v float64) {
	g.value.add(v)
	touch(&g.touched)
}

// Sub subtracts v from the current value.
func (g *Gauge) Sub(v float64) { g.Add(-v) }

// SetAt records that the value was v at time t; see "Recording" in the package documentation. Of several values within
// one millisecond the last one counts. Unless there is a value with a newer time, or one without that is still to be
// pushed, v is the current value for Add and Sub from now on.
//
// Errors wrap [ErrLate], [promwire.ErrTooFarInFuture] or [ErrInvalidValue], and say that nothing was recorded.
func (g *Gauge) SetAt(v float64, t time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.record(step{v: v}, t); err != nil {
		return err
	}
	if ms := t.UnixMilli(); !g.timed || ms >= g.newest {
		g.newest, g.timed = ms, true
		if !g.touched.Load() {
			g.value.store(v)
		}
	}
	return nil
}

// AddAt records that the value changed by v, which may be negative, at time t; see "Recording" in the package documentation.
// The sample of that time is v more than the one before it, and so are later ones, up to the next time given to [Gauge.SetAt];
// the first sample of a gauge is that much more than 0. Of several recordings within one millisecond, each goes on from the one
// before. Unless SetAt was given a newer time, v is added to the current value, too.
//
// Errors wrap [ErrLate], [promwire.ErrTooFarInFuture] or [ErrInvalidValue], and say that nothing was recorded.
func (g *Gauge) AddAt(v float64, t time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.record(step{v, true}, t); err != nil {
		return err
	}
	if !g.timed || t.UnixMilli() >= g.newest {
		g.value.add(v)
	}
	return nil
}

// SubAt is [Gauge.AddAt] with -v.
func (g *Gauge) SubAt(v float64, t time.Time) error { return g.AddAt(-v, t) }

func (g *Gauge) record(s step, t time.Time) error {
	if err := g.tl.add(float64(len(g.queue)), t, g.fam.reg.now()); err != nil {
		return wrap(g.wire.labels, err)
	}
	g.queue = append(g.queue, s)
	return nil
}

func (g *Gauge) collect(dst []promwire.TimeSeries, now int64) []promwire.TimeSeries {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tl.drain(now, untouch(&g.touched), g)
	g.queue = reuse(g.queue)
	return g.wire.appendTo(dst, &g.fam.meta)
}

func (g *Gauge) settle(v verdict) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.wire.drop(g.tl.settle(v))
}

func (g *Gauge) line() *timeline { return &g.tl }

func (g *Gauge) apply(i float64) {
	s := g.queue[int(i)]
	if s.add {
		s.v += g.sample
	}
	g.sample = s.v
}

func (g *Gauge) applyUntimed() { g.sample = g.value.load() }
func (g *Gauge) emit(t int64)  { g.wire.add(t, 0, g.sample) }
func (g *Gauge) dropLast()     { g.wire.dropLast() }
