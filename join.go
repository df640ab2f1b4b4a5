package promwire

import (
	"iter"
)

// JoinSeries joins consecutive parts of one series into one, for whoever needs whole series. A yielded series is
// valid until the loop asks for the next one. An error ends the sequence; the series joined so far is not yielded,
// so that half a series never passes for a whole one.
//
// The samples of each part are copied once, into memory that is used again for the next series: it grows to the
// largest series, whatever the number of series and parts. A joined series has no bound of its own; a reader that is
// to be bounded takes the parts as they come.
func JoinSeries(parts iter.Seq2[TimeSeries, error]) iter.Seq2[TimeSeries, error] {
	return func(yield func(TimeSeries, error) bool) {
		var whole joined
		for part, err := range parts {
			if err != nil {
				yield(TimeSeries{}, err)
				return
			}
			if whole.started && !part.Labels.Equal(whole.series.Labels) {
				if !yield(whole.series, nil) {
					return
				}
				whole.started = false
			}
			whole.add(&part)
		}
		if whole.started {
			yield(whole.series, nil)
		}
	}
}

// joined is a series in memory of its own.
type joined struct {
	series  TimeSeries
	started bool
}

// add copies a part, the first one with labels and metadata.
func (j *joined) add(part *TimeSeries) {
	s := &j.series
	if !j.started {
		s.Reset()
		// New strings each time: labels are small, and may be kept by mistake.
		s.Labels, s.Metadata, j.started = part.Labels.Clone(), part.Metadata.clone(), true
	}
	s.Samples = append(s.Samples, part.Samples...)
	for i := range part.Histograms {
		s.Histograms = extend(s.Histograms)
		part.Histograms[i].copyTo(&s.Histograms[len(s.Histograms)-1])
	}
	for i := range part.Exemplars {
		e := part.Exemplars[i]
		e.Labels = e.Labels.Clone()
		s.Exemplars = append(s.Exemplars, e)
	}
}

// copyTo makes out a copy of h that shares no memory with it, and reuses out's slices.
func (h *Histogram) copyTo(out *Histogram) {
	old := *out
	*out = *h
	out.PositiveDeltas = append(old.PositiveDeltas[:0], h.PositiveDeltas...)
	out.NegativeDeltas = append(old.NegativeDeltas[:0], h.NegativeDeltas...)
	out.PositiveCounts = append(old.PositiveCounts[:0], h.PositiveCounts...)
	out.NegativeCounts = append(old.NegativeCounts[:0], h.NegativeCounts...)
	out.PositiveSpans = append(old.PositiveSpans[:0], h.PositiveSpans...)
	out.NegativeSpans = append(old.NegativeSpans[:0], h.NegativeSpans...)
	out.CustomValues = append(old.CustomValues[:0], h.CustomValues...)
}
