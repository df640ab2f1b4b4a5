package metrics

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/promwire/promwire"
)

// Counter is a value that only grows. It is safe for concurrent use; Inc and Add neither lock nor take memory.
type Counter struct {
	fam *family

	// The recordings without a time, in two sums: whole numbers can be added without a loop.
	whole atomic.Uint64
	rest  atomicFloat

	mu      sync.Mutex
	tl      timeline
	untimed float64 // both sums as of the newest sample
	timed   float64 // sum of recordings with a time, likewise
	wire    wire

	exemplars *exemplars // nil until there was one

	// Far behind the sums, in a cache line that recordings only read: each would fetch theirs twice if another core counts, too.
	touched atomic.Bool
}

// Counter makes a counter, or returns the one that was made before with the same name and unit, whose help stays. The
// name gets the suffix _total unless it has it. Errors wrap [promwire.ErrInvalidName], [ErrInvalidUnit] or [ErrConflict].
func (r *Registry) Counter(name string, opts ...InstrumentOption) (*Counter, error) {
	return single(r.CounterVec(name, nil, opts...))
}

// CounterVec is [Registry.Counter] with labels, which are a part of the definition, and so is their order. Errors also
// wrap [ErrReservedLabel] and [promwire.ErrDuplicateLabel].
func (r *Registry) CounterVec(name string, labels []string, opts ...InstrumentOption) (*Vec[Counter], error) {
	return register(r, define(promwire.TypeCounter, name, labels, opts), newCounter)
}

func newCounter(f *family, ls promwire.Labels) *Counter {
	c := &Counter{
		fam:  f,
		tl:   f.newTimeline(),
		wire: wire{labels: wireLabels(ls, f.name, "")},
	}
	if in := f.inherit(&c.tl, c.wire.labels); in != nil {
		c.timed, c.wire.samples = in[0].value(), in[0].pending.Samples
	}
	return c
}

// Inc adds 1.
func (c *Counter) Inc() {
	c.whole.Add(1)
	touch(&c.touched)
}

// maxWhole bounds the values that go to the sum of whole numbers, so that it can't overflow in practice.
const maxWhole = 1 << 32

// Add adds v, as of the time of the next push. A negative or not finite v is left out, and the next push reports it.
func (c *Counter) Add(v float64) {
	if !finite(v) || v < 0 {
		c.fam.reg.refused.add(c.wire.labels, "a counter can't grow by", v)
		return
	}
	if n := uint64(v); v < maxWhole && float64(n) == v {
		c.whole.Add(n)
	} else {
		c.rest.add(v)
	}
	touch(&c.touched)
}

// IncAt is [Counter.AddAt] with 1.
func (c *Counter) IncAt(t time.Time) error { return c.AddAt(1, t) }

// AddAt adds v at time t; see "Recording" in the package documentation. Errors wrap [ErrLate], [promwire.ErrTooFarInFuture] or
// [ErrInvalidValue], and say that nothing was added.
func (c *Counter) AddAt(v float64, t time.Time) error {
	if !finite(v) || v < 0 {
		return fmt.Errorf("metrics: %v: %w: a counter can't grow by %v", c.wire.labels, ErrInvalidValue, v)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return wrap(c.wire.labels, c.tl.add(v, t, c.fam.reg.now()))
}

func (c *Counter) collect(dst []promwire.TimeSeries, now int64) []promwire.TimeSeries {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tl.drain(now, untouch(&c.touched), c)
	n := len(dst)
	if dst = c.wire.appendTo(dst, &c.fam.meta); len(dst) > n {
		c.exemplars.attach(&dst[n])
	}
	return dst
}

func (c *Counter) line() *timeline { return &c.tl }

func (c *Counter) settle(v verdict) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v.held == 0 { // exemplars go with the newest samples
		c.exemplars.settle()
	}
	c.wire.drop(c.tl.settle(v))
}

func (c *Counter) apply(v float64)  { c.timed += v }
func (c *Counter) applyUntimed()    { c.untimed = float64(c.whole.Load()) + c.rest.load() }
func (c *Counter) emit(t int64)     { c.wire.add(t, c.tl.start, c.untimed+c.timed) }
func (c *Counter) emitZero(t int64) { c.wire.add(t, c.tl.start, 0) }
func (c *Counter) dropLast()        { c.wire.dropLast() }
