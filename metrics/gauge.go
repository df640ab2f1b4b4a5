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
	fam     *family
	value   atomicFloat
	touched atomic.Bool

	mu     sync.Mutex
	tl     timeline
	newest int64   // of the times given to SetAt, in milliseconds
	timed  bool    // newest is set
	sample float64 // value of the sample being made
	wire   wire
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
// Errors wrap [ErrLate] or [ErrInvalidValue], and say that nothing was recorded.
func (g *Gauge) SetAt(v float64, t time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.tl.add(v, t, g.fam.reg.now()); err != nil {
		return wrap(g.wire.labels, err)
	}
	if ms := t.UnixMilli(); !g.timed || ms >= g.newest {
		g.newest, g.timed = ms, true
		if !g.touched.Load() {
			g.value.store(v)
		}
	}
	return nil
}

func (g *Gauge) collect(dst []promwire.TimeSeries, now int64) []promwire.TimeSeries {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tl.drain(now, untouch(&g.touched), g)
	return g.wire.appendTo(dst, &g.fam.meta)
}

func (g *Gauge) line() *timeline { return &g.tl }

func (g *Gauge) settle(v verdict) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.wire.drop(g.tl.settle(v))
}

func (g *Gauge) apply(v float64) { g.sample = v }
func (g *Gauge) applyUntimed()   { g.sample = g.value.load() }
func (g *Gauge) emit(t int64)    { g.wire.add(t, 0, g.sample) }
func (g *Gauge) dropLast()       { g.wire.dropLast() }
