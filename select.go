package promwire

import (
	"context"
	"iter"
	"slices"
	"sort"
	"time"
)

// Select returns what q selects of a whole series: its samples and histograms within the range, without exemplars. It
// reports false if that is nothing, or if the labels do not fulfil the matchers, which must be compiled. The part shares
// memory with ts.
func (q *Query) Select(ts *TimeSeries) (part TimeSeries, ok bool) {
	if !MatchAll(ts.Labels, q.Matchers) {
		return TimeSeries{}, false
	}
	start, end := ceilMilli(q.Start), q.End.UnixMilli()
	part = TimeSeries{
		Labels:     ts.Labels,
		Samples:    between(ts.Samples, start, end, sampleTime),
		Histograms: between(ts.Histograms, start, end, histogramTime),
		Metadata:   ts.Metadata,
	}
	return part, len(part.Samples)+len(part.Histograms) > 0
}

// SortedSeries sorts series by labels, in place, and yields them as a [Reader] has to. When ctx ends, it yields the
// context's error and stops.
func SortedSeries(ctx context.Context, series []TimeSeries) iter.Seq2[TimeSeries, error] {
	slices.SortFunc(series, func(a, b TimeSeries) int { return a.Labels.Compare(b.Labels) })
	return func(yield func(TimeSeries, error) bool) {
		for i := range series {
			if err := ctx.Err(); err != nil {
				yield(TimeSeries{}, err)
				return
			}
			if !yield(series[i], nil) {
				return
			}
		}
	}
}

// MergeSeries returns one series with the samples, histograms and exemplars of both, in order of time; of two samples or
// two histograms for one time, that of newer stays. Labels and metadata are those of newer, unless it has no metadata.
// newer may be in any order, have must be in order of time.
//
// The result may share memory with have and newer, and grow into the capacity of have, as with append. Parts of have that
// somebody still reads stay as they are.
func MergeSeries(have, newer TimeSeries) TimeSeries {
	if newer.Metadata == (Metadata{}) {
		newer.Metadata = have.Metadata
	}
	newer.Samples = mergeTimes(have.Samples, newer.Samples, sampleTime)
	newer.Histograms = mergeTimes(have.Histograms, newer.Histograms, histogramTime)
	newer.Exemplars = append(have.Exemplars, newer.Exemplars...)
	return newer
}

func sampleTime(s *Sample) int64       { return s.Timestamp }
func histogramTime(h *Histogram) int64 { return h.Timestamp }

// mergeTimes only appends where it can, which is nearly always.
func mergeTimes[T any](have, newer []T, timeOf func(*T) int64) []T {
	all := append(have, newer...)
	if ascends(all[max(0, len(have)-1):], timeOf) {
		return all
	}
	all = slices.Clone(all)
	sort.SliceStable(all, func(i, j int) bool { return timeOf(&all[i]) < timeOf(&all[j]) })
	kept := all[:0]
	for i := range all {
		if i+1 == len(all) || timeOf(&all[i]) != timeOf(&all[i+1]) {
			kept = append(kept, all[i])
		}
	}
	return kept
}

func ascends[T any](items []T, timeOf func(*T) int64) bool {
	for i := 1; i < len(items); i++ {
		if timeOf(&items[i-1]) >= timeOf(&items[i]) {
			return false
		}
	}
	return true
}

// between returns what lies in a range, both ends included. Whoever appends to it does not write to items.
func between[T any](items []T, start, end int64, timeOf func(*T) int64) []T {
	from := sort.Search(len(items), func(i int) bool { return timeOf(&items[i]) >= start })
	to := sort.Search(len(items), func(i int) bool { return timeOf(&items[i]) > end })
	to = max(from, to)
	return items[from:to:to]
}

// ceilMilli rounds up: a sample before t is outside a range that starts at t.
func ceilMilli(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.Nanosecond()%int(time.Millisecond) != 0 {
		ms++
	}
	return ms
}
