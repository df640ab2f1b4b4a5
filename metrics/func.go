package metrics

import (
	"fmt"
	"sync"

	"github.com/promwire/promwire"
)

// GaugeFunc is a gauge whose value a function returns, at each push. It is safe for concurrent use.
//
// A push calls the function once per series, before it sends anything, and sends what it returns each time, whether it has
// changed or not. The function may record in other instruments but must not push the same registry, and the push waits for
// it. If it panics, the push goes on without the series, and reports it with an error that is [ErrInvalidValue].
type GaugeFunc struct{ *function }

// CounterFunc is [GaugeFunc] for a value that only grows and that something else counts, such as the operating system. It
// is sent as it is: one below the one before tells that the counting began anew. One that is negative or not finite is left
// out, and the push reports it. Its series have no start timestamp, since nobody knows when the counting began, and a
// [State] does not add to it.
type CounterFunc struct{ *function }

// GaugeFunc makes a gauge of a function, or gives the one that was made before with the same name and unit a new function.
// Errors are those of [Registry.Gauge].
func (r *Registry) GaugeFunc(name string, f func() float64, opts ...InstrumentOption) (*GaugeFunc, error) {
	g, err := single(r.GaugeFuncVec(name, nil, opts...))
	if err == nil {
		g.Set(f)
	}
	return g, err
}

// GaugeFuncVec is [Registry.GaugeFunc] with labels: give each series its function with [GaugeFunc.Set]. Errors are those of
// [Registry.GaugeVec].
func (r *Registry) GaugeFuncVec(name string, labels []string, opts ...InstrumentOption) (*Vec[GaugeFunc], error) {
	d := define(promwire.TypeGauge, name, labels, opts)
	d.function = true
	return register(r, d, func(f *family, ls promwire.Labels) *GaugeFunc { return &GaugeFunc{newFunction(f, ls)} })
}

// CounterFunc makes a counter of a function, or gives the one that was made before with the same name and unit a new
// function. The name gets the suffix _total unless it has it. Errors are those of [Registry.Counter].
func (r *Registry) CounterFunc(name string, f func() float64, opts ...InstrumentOption) (*CounterFunc, error) {
	c, err := single(r.CounterFuncVec(name, nil, opts...))
	if err == nil {
		c.Set(f)
	}
	return c, err
}

// CounterFuncVec is [Registry.CounterFunc] with labels: give each series its function with [CounterFunc.Set]. Errors are
// those of [Registry.CounterVec].
func (r *Registry) CounterFuncVec(name string, labels []string, opts ...InstrumentOption) (*Vec[CounterFunc], error) {
	d := define(promwire.TypeCounter, name, labels, opts)
	d.function = true
	return register(r, d, func(f *family, ls promwire.Labels) *CounterFunc { return &CounterFunc{newFunction(f, ls)} })
}

// Set replaces the function; without one, nil, the series is not sent.
func (g *GaugeFunc) Set(f func() float64) { g.set(f) }

// Set replaces the function; without one, nil, the series is not sent.
func (c *CounterFunc) Set(f func() float64) { c.set(f) }

// function is a series whose value a function returns.
type function struct {
	fam *family

	mu    sync.Mutex
	f     func() float64
	tl    timeline
	value float64 // of the newest sample
	wire  wire
}

func newFunction(f *family, ls promwire.Labels) *function {
	fn := &function{fam: f, tl: f.newTimeline(), wire: wire{labels: wireLabels(ls, f.name, "")}}
	fn.tl.zero = false // it did not begin at zero
	f.adopt(&fn.tl, &fn.wire)
	return fn
}

func (fn *function) set(f func() float64) {
	fn.mu.Lock()
	defer fn.mu.Unlock()
	fn.f = f
}

// call returns what the function returns, and false if that can't be sent. It runs unlocked: the function is not ours.
func (fn *function) call() (v float64, ok bool) {
	fn.mu.Lock()
	f := fn.f
	fn.mu.Unlock()
	if f == nil {
		return 0, false
	}
	defer func() {
		if p := recover(); p != nil {
			fn.fam.reg.refused.note(wrap(fn.wire.labels, fmt.Errorf("%w: the function panicked: %v", ErrInvalidValue, p)))
		}
	}()
	v = f()
	if fn.fam.meta.Type == promwire.TypeCounter && (!finite(v) || v < 0) {
		fn.fam.reg.refused.add(fn.wire.labels, "a counter's function returned", v)
		return 0, false
	}
	return v, true
}

func (fn *function) collect(dst []promwire.TimeSeries, now int64) []promwire.TimeSeries {
	v, ok := fn.call()
	fn.mu.Lock()
	defer fn.mu.Unlock()
	if ok {
		fn.value = v
	}
	fn.tl.drain(now, ok, fn)
	return fn.wire.appendTo(dst, &fn.fam.meta)
}

func (fn *function) settle(v verdict) {
	fn.mu.Lock()
	defer fn.mu.Unlock()
	fn.wire.drop(fn.tl.settle(v))
}

func (fn *function) line() *timeline { return &fn.tl }
func (fn *function) apply(float64)   {}
func (fn *function) applyUntimed()   {}
func (fn *function) emit(t int64)    { fn.wire.add(t, 0, fn.value) }
func (fn *function) dropLast()       { fn.wire.dropLast() }
