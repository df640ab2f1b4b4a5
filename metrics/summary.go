package metrics

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/promwire/promwire"
)

// Summary carries quantiles, count and sum that something else has computed: it is for bridges from other metric systems. To
// measure, use a [Histogram], whose buckets can be added up and whose quantiles can be chosen later. It is safe for
// concurrent use.
type Summary struct {
	fam *family

	mu      sync.Mutex
	tl      timeline
	sample  summaryState // as of the newest sample
	untimed summaryState
	touched bool
	queue   []SummaryValue // of recordings with a time; the timeline keeps their indexes
	values  []float64      // quantiles of these
	wires   []wire         // one per quantile, _count, _sum
}

// SummaryValue is what a [Summary] says at one time.
type SummaryValue struct {
	Count uint64 // of observations
	Sum   float64
	// Quantiles are the values of the quantiles that the summary was made with, in their order; NaN stands for a window
	// without observations. The slice is not retained.
	Quantiles []float64
}

type summaryState struct {
	count     uint64
	sum       float64
	quantiles []float64
}

func (s *summaryState) set(v SummaryValue) {
	s.count, s.sum = v.Count, v.Sum
	s.quantiles = append(s.quantiles[:0], v.Quantiles...)
}

// Summary makes a summary with these quantiles, from 0 to 1 and strictly increasing, or returns the one that was made
// before with the same name, unit and quantiles, whose help stays. Errors wrap [promwire.ErrInvalidName],
// [ErrInvalidUnit], [ErrInvalidQuantiles] or [ErrConflict].
func (r *Registry) Summary(name string, quantiles []float64, opts ...InstrumentOption) (*Summary, error) {
	return single(r.SummaryVec(name, nil, quantiles, opts...))
}

// SummaryVec is [Registry.Summary] with labels, which are a part of the definition, and so is their order. Errors also wrap
// [ErrReservedLabel] and [promwire.ErrDuplicateLabel].
func (r *Registry) SummaryVec(name string, labels []string, quantiles []float64, opts ...InstrumentOption) (*Vec[Summary], error) {
	d := define(promwire.TypeSummary, name, labels, opts)
	d.quantiles = slices.Clone(quantiles)
	return register(r, d, newSummary)
}

func newSummary(f *family, ls promwire.Labels) *Summary {
	s := &Summary{fam: f, tl: f.newTimeline()}
	s.tl.zero = false // it did not begin at zero
	for _, q := range f.quantiles {
		s.wires = append(s.wires, wire{labels: extraLabel(ls, f.name, "quantile", promwire.FormatLe(q))})
	}
	s.wires = append(s.wires, wire{labels: wireLabels(ls, f.name+suffixCount, "")}, wire{labels: wireLabels(ls, f.name+suffixSum, "")})
	for i := range s.wires {
		f.adopt(&s.tl, &s.wires[i])
	}
	return s
}

// Set sets all values, as of the time of the next push. With another number of quantiles than the summary has it does
// nothing, and the next push reports it. Series have no start timestamp, since nobody here knows when the counting began.
func (s *Summary) Set(v SummaryValue) {
	if err := s.check(&v); err != nil {
		s.fam.reg.refused.note(err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.untimed.set(v)
	s.touched = true
}

// SetAt sets all values as of time t; see "Recording" in the package documentation. Of several within one millisecond the
// last one counts. Errors wrap [ErrLate], [promwire.ErrTooFarInFuture] or [ErrInvalidValue], and say that nothing was recorded.
func (s *Summary) SetAt(v SummaryValue, t time.Time) error {
	if err := s.check(&v); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.tl.add(float64(len(s.queue)), t, s.fam.reg.now()); err != nil {
		return wrap(s.labels(), err)
	}
	s.queue = append(s.queue, SummaryValue{Count: v.Count, Sum: v.Sum})
	s.values = append(s.values, v.Quantiles...)
	return nil
}

func (s *Summary) labels() promwire.Labels { return s.wires[len(s.wires)-1].labels }

func (s *Summary) check(v *SummaryValue) error {
	if len(v.Quantiles) == len(s.fam.quantiles) {
		return nil
	}
	return wrap(s.labels(), fmt.Errorf("%w: %d quantiles, the summary has %d", ErrInvalidValue, len(v.Quantiles), len(s.fam.quantiles)))
}

func (s *Summary) collect(dst []promwire.TimeSeries, now int64) []promwire.TimeSeries {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tl.drain(now, s.touched, s)
	s.touched = false
	s.queue, s.values = reuse(s.queue), reuse(s.values)
	for i := range s.wires {
		dst = s.wires[i].appendTo(dst, &s.fam.meta)
	}
	return dst
}

func (s *Summary) settle(v verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keep := s.tl.settle(v)
	for i := range s.wires {
		s.wires[i].drop(keep)
	}
}

func (s *Summary) line() *timeline { return &s.tl }

func (s *Summary) apply(i float64) {
	v, n := s.queue[int(i)], len(s.fam.quantiles)
	v.Quantiles = s.values[int(i)*n : int(i)*n+n]
	s.sample.set(v)
}

// applyUntimed leaves the sample alone if a failed push is only made anew: what has a time may be newer.
func (s *Summary) applyUntimed() {
	if s.touched {
		s.sample.set(SummaryValue{s.untimed.count, s.untimed.sum, s.untimed.quantiles})
	}
}

func (s *Summary) emit(t int64) {
	n := len(s.sample.quantiles)
	for i, v := range s.sample.quantiles {
		s.wires[i].add(t, 0, v)
	}
	s.wires[n].add(t, 0, float64(s.sample.count))
	s.wires[n+1].add(t, 0, s.sample.sum)
}

func (s *Summary) dropLast() {
	for i := range s.wires {
		s.wires[i].dropLast()
	}
}
