package promwire

import "iter"

// JoinSeries joins consecutive parts of one series into one, for whoever needs whole series. A yielded series is
// valid until the loop asks for the next one. An error ends the sequence; the series joined so far is not yielded,
// so that half a series never passes for a whole one.
func JoinSeries(parts iter.Seq2[TimeSeries, error]) iter.Seq2[TimeSeries, error] {
	return func(yield func(TimeSeries, error) bool) {
		var whole TimeSeries
		started := false
		for part, err := range parts {
			if err != nil {
				yield(TimeSeries{}, err)
				return
			}
			if started && part.Labels.Equal(whole.Labels) {
				part = part.Clone()
				whole.Samples = append(whole.Samples, part.Samples...)
				whole.Histograms = append(whole.Histograms, part.Histograms...)
				whole.Exemplars = append(whole.Exemplars, part.Exemplars...)
				continue
			}
			if started && !yield(whole, nil) {
				return
			}
			whole, started = part.Clone(), true
		}
		if started {
			yield(whole, nil)
		}
	}
}
