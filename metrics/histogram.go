package metrics

import (
	"fmt"
	"math"
	"sort"
	"sync"
	"time"

	"github.com/promwire/promwire"
)

// Histogram counts observations in buckets. It is safe for concurrent use; Observe takes no memory.
type Histogram struct {
	fam *family

	mu      sync.Mutex
	tl      timeline
	sampled tally // as of the newest sample
	untimed tally // observations without a time since then
	touched bool
	wires   []wire // a bucket per bound, +Inf, _count, _sum
}

// tally is a histogram's state: the number of observations of each bucket alone, and their sum.
type tally struct {
	counts []uint64
	sum    float64
}

// Histogram makes a histogram with classic buckets, or returns the one that was made before with the same name, unit and
// bounds, whose help stays. Errors wrap [promwire.ErrInvalidName], [ErrInvalidUnit], [ErrInvalidBounds] or [ErrConflict].
func (r *Registry) Histogram(name string, opts ...HistogramOption) (*Histogram, error) {
	return single(r.HistogramVec(name, nil, opts...))
}

// HistogramVec is [Registry.Histogram] with labels, which are a part of the definition, and so is their order. Errors also
// wrap [ErrReservedLabel] and
// [promwire.ErrDuplicateLabel].
func (r *Registry) HistogramVec(name string, labels []string, opts ...HistogramOption) (*Vec[Histogram], error) {
	d := define(promwire.TypeHistogram, name, labels, nil)
	d.bounds = defaultBounds
	for _, o := range opts {
		o.applyToHistogram(&d)
	}
	return register(r, d, newHistogram)
}

func newHistogram(f *family, ls promwire.Labels) *Histogram {
	n := len(f.bounds) + 1
	counts := make([]uint64, 2*n)
	h := &Histogram{
		fam:     f,
		tl:      f.newTimeline(),
		sampled: tally{counts: counts[:n:n]},
		untimed: tally{counts: counts[n:]},
		wires:   make([]wire, 0, n+2),
	}
	for _, b := range f.bounds {
		h.wires = append(h.wires, wire{labels: wireLabels(ls, f.name+suffixBucket, promwire.FormatLe(b))})
	}
	h.wires = append(h.wires,
		wire{labels: wireLabels(ls, f.name+suffixBucket, promwire.FormatLe(math.Inf(1)))},
		wire{labels: wireLabels(ls, f.name+suffixCount, "")},
		wire{labels: wireLabels(ls, f.name+suffixSum, "")})
	return h
}

// Observe counts v, as of the time of the next push. A v that is not finite is left out, since the sum could never
// recover from it, and the next push reports it.
func (h *Histogram) Observe(v float64) {
	if !finite(v) {
		h.fam.reg.refused.add(h.last(), "a histogram can't observe", v)
		return
	}
	h.mu.Lock()
	h.untimed.add(v, h.fam.bounds)
	h.touched = true
	h.mu.Unlock()
}

// ObserveAt counts v at time t; see "Recording" in the package documentation: each distinct millisecond makes a sample of
// every bucket, of the count and of the sum. Errors wrap [ErrLate] or [ErrInvalidValue], and say that nothing was
// counted.
func (h *Histogram) ObserveAt(v float64, t time.Time) error {
	if !finite(v) {
		return fmt.Errorf("metrics: %v: %w: a histogram can't observe %v", h.last().labels, ErrInvalidValue, v)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last().wrap(h.tl.add(v, t))
}

// last returns the series of the sum, which has the histogram's own labels.
func (h *Histogram) last() *wire { return &h.wires[len(h.wires)-1] }

func (h *Histogram) collect(dst []promwire.TimeSeries, now int64) []promwire.TimeSeries {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tl.drain(now, h.touched, h)
	h.touched = false
	for i := range h.wires {
		dst = h.wires[i].appendTo(dst, &h.fam.meta)
	}
	return dst
}

func (h *Histogram) line() *timeline { return &h.tl }

func (h *Histogram) settle(o outcome) {
	h.mu.Lock()
	defer h.mu.Unlock()
	keep := h.tl.settle(o)
	for i := range h.wires {
		h.wires[i].drop(keep)
	}
}

func (h *Histogram) apply(v float64) { h.sampled.add(v, h.fam.bounds) }

func (h *Histogram) applyUntimed() {
	for i, n := range h.untimed.counts {
		h.sampled.counts[i] += n
	}
	h.sampled.sum += h.untimed.sum
	clear(h.untimed.counts)
	h.untimed.sum = 0
}

func (h *Histogram) emit(t int64) {
	count := uint64(0)
	for i, n := range h.sampled.counts {
		count += n
		h.wires[i].add(t, h.tl.start, float64(count))
	}
	n := len(h.sampled.counts)
	h.wires[n].add(t, h.tl.start, float64(count))
	h.wires[n+1].add(t, h.tl.start, h.sampled.sum)
}

func (h *Histogram) dropLast() {
	for i := range h.wires {
		h.wires[i].dropLast()
	}
}

func (t *tally) add(v float64, bounds []float64) {
	t.counts[sort.SearchFloat64s(bounds, v)]++
	t.sum += v
}
