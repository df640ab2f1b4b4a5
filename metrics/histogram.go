package metrics

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/promwire/promwire"
)

// Histogram counts observations in buckets: classic ones, of a series each, or those of a native histogram, all in one
// series, or both at once. It is safe for concurrent use; Observe takes no memory but for buckets of a native histogram
// that were empty.
type Histogram struct {
	fam *family

	mu      sync.Mutex
	tl      timeline
	sampled tally // as of the newest sample
	untimed tally // observations without a time since then
	touched bool
	wires   []wire      // a classic bucket per bound, +Inf, _count, _sum; none without classic buckets
	native  *nativeWire // nil without a native form

	exemplars *histogramExemplars // nil until there was one
}

// tally is a histogram's state: the number of observations of each bucket alone, and their sum.
type tally struct {
	counts []uint64 // of classic buckets
	native *nativeTally
	sum    float64
}

// Histogram makes a histogram, or returns the one that was made before with the same name, unit and buckets, whose help
// stays. It has classic buckets unless an option such as [WithNativeGrowth] makes it a native one; with [WithBounds],
// too, it is both. Errors wrap [promwire.ErrInvalidName], [ErrInvalidUnit], [ErrInvalidBounds], [ErrInvalidNative] or
// [ErrConflict].
func (r *Registry) Histogram(name string, opts ...HistogramOption) (*Histogram, error) {
	return single(r.HistogramVec(name, nil, opts...))
}

// HistogramVec is [Registry.Histogram] with labels, which are a part of the definition, and so is their order. Errors also
// wrap [ErrReservedLabel] and [promwire.ErrDuplicateLabel].
func (r *Registry) HistogramVec(name string, labels []string, opts ...HistogramOption) (*Vec[Histogram], error) {
	return register(r, defineHistogram(name, labels, opts), newHistogram)
}

func newHistogram(f *family, ls promwire.Labels) *Histogram {
	h := &Histogram{fam: f, tl: f.newTimeline()}
	if f.native.form != noNative {
		h.sampled.native, h.untimed.native = &nativeTally{}, &nativeTally{}
		h.native = &nativeWire{labels: wireLabels(ls, f.name, "")}
	}
	if f.classic {
		h.addClassic(ls)
	}
	h.restore()
	return h
}

func (h *Histogram) addClassic(ls promwire.Labels) {
	f := h.fam
	n := len(f.bounds) + 1
	counts := make([]uint64, 2*n)
	h.sampled.counts, h.untimed.counts = counts[:n:n], counts[n:]
	h.wires = make([]wire, 0, n+2)
	for _, b := range f.bounds {
		h.wires = append(h.wires, wire{labels: wireLabels(ls, f.name+suffixBucket, promwire.FormatLe(b))})
	}
	h.wires = append(h.wires,
		wire{labels: wireLabels(ls, f.name+suffixBucket, promwire.FormatLe(math.Inf(1)))},
		wire{labels: wireLabels(ls, f.name+suffixCount, "")},
		wire{labels: wireLabels(ls, f.name+suffixSum, "")})
}

// Observe counts v, as of the time of the next push. A v that is not finite is left out, since the sum could never
// recover from it, and the next push reports it.
func (h *Histogram) Observe(v float64) {
	if !finite(v) {
		h.fam.reg.refused.add(h.labels(), "a histogram can't observe", v)
		return
	}
	p := h.fam.locate(v)
	h.mu.Lock()
	h.untimed.add(v, p, &h.fam.native)
	h.touched = true
	h.mu.Unlock()
}

// ObserveAt counts v at time t; see "Recording" in the package documentation: each distinct millisecond makes a sample of
// every classic bucket, of the count and of the sum, and a native histogram. Errors wrap [ErrLate], [promwire.ErrTooFarInFuture] or
// [ErrInvalidValue], and say that nothing was counted.
func (h *Histogram) ObserveAt(v float64, t time.Time) error {
	if !finite(v) {
		return fmt.Errorf("metrics: %v: %w: a histogram can't observe %v", h.labels(), ErrInvalidValue, v)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return wrap(h.labels(), h.tl.add(v, t, h.fam.reg.now()))
}

// labels returns the labels that errors name the histogram by.
func (h *Histogram) labels() promwire.Labels {
	if h.native != nil {
		return h.native.labels
	}
	return h.wires[len(h.wires)-1].labels // of the sum
}

func (h *Histogram) collect(dst []promwire.TimeSeries, now int64) []promwire.TimeSeries {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tl.drain(now, h.touched, h)
	h.touched = false
	n := len(dst)
	if h.native != nil {
		dst = h.native.appendTo(dst, &h.fam.meta)
	}
	for i := range h.wires {
		dst = h.wires[i].appendTo(dst, &h.fam.meta)
	}
	h.exemplars.attach(dst[n:], h.native != nil)
	return dst
}

func (h *Histogram) line() *timeline { return &h.tl }

func (h *Histogram) settle(v verdict) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if v.held == 0 { // exemplars go with the newest samples
		h.exemplars.settle()
	}
	keep := h.tl.settle(v)
	if h.native != nil {
		h.native.drop(keep)
	}
	for i := range h.wires {
		h.wires[i].drop(keep)
	}
}

func (h *Histogram) apply(v float64) { h.sampled.add(v, h.fam.locate(v), &h.fam.native) }

func (h *Histogram) applyUntimed() {
	for i, n := range h.untimed.counts {
		h.sampled.counts[i] += n
	}
	if h.native != nil {
		h.sampled.native.take(h.untimed.native, &h.fam.native)
	}
	h.sampled.sum += h.untimed.sum
	clear(h.untimed.counts)
	h.untimed.sum = 0
}

func (h *Histogram) emit(t int64) {
	if h.native != nil {
		h.native.add(t, h.tl.start, &h.sampled, &h.fam.definition)
	}
	if h.wires == nil {
		return
	}
	count := uint64(0)
	for i, n := range h.sampled.counts {
		count += n
		h.wires[i].add(t, h.tl.start, float64(count))
	}
	n := len(h.sampled.counts)
	h.wires[n].add(t, h.tl.start, float64(count))
	h.wires[n+1].add(t, h.tl.start, h.sampled.sum)
}

func (h *Histogram) emitZero(t int64) {
	sampled := h.sampled
	h.sampled = tally{counts: make([]uint64, len(sampled.counts)), native: &nativeTally{}}
	h.emit(t)
	h.sampled = sampled
}

func (h *Histogram) dropLast() {
	if h.native != nil {
		h.native.dropLast()
	}
	for i := range h.wires {
		h.wires[i].dropLast()
	}
}

func (t *tally) add(v float64, p place, n *native) {
	if t.counts != nil {
		t.counts[p.classic]++
	}
	if t.native != nil {
		t.native.add(p, n)
	}
	t.sum += v
}
