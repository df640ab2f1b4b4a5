package remote

import "github.com/promwire/promwire"

// stake counts what p is about.
func (p *portion) stake() promwire.WriteStats {
	s := p.Stats()
	if p.carried {
		return promwire.WriteStats{Exemplars: s.Exemplars}
	}
	return s
}

func (p *portion) items() int { return sum(p.stake()) }

// halves cuts p in two. It is not ok if p is a single item.
func (p *portion) halves() (a, b portion, ok bool) {
	if p.carried && len(p.Timeseries) == 1 {
		e := p.Timeseries[0].Exemplars
		if len(e) < 2 {
			return a, b, false
		}
		first, rest := p.Timeseries[0], p.Timeseries[0]
		first.Exemplars, rest.Exemplars = e[:len(e)/2:len(e)/2], e[len(e)/2:]
		a, b = portion{index: p.index, mode: p.mode}, portion{index: p.index, mode: p.mode}
		a.Timeseries, b.Timeseries = []promwire.TimeSeries{first}, []promwire.TimeSeries{rest}
		return a, b, true
	}
	x, y, second, ok := halves(&p.WriteRequest)
	a = portion{x, p.index[:len(x.Timeseries)], p.mode}
	b = portion{y, p.index[second:][:len(y.Timeseries)], p.mode}
	return a, b, ok
}

func (p *portion) hasMetadata() bool {
	if len(p.Metadata) > 0 {
		return true
	}
	for i := range p.Timeseries {
		if p.Timeseries[i].Metadata != (promwire.Metadata{}) {
			return true
		}
	}
	return false
}

// withoutMetadata returns p without them.
func (p *portion) withoutMetadata() portion {
	out := portion{index: p.index, mode: p.mode}
	out.Timeseries = append([]promwire.TimeSeries(nil), p.Timeseries...)
	for i := range out.Timeseries {
		out.Timeseries[i].Metadata = promwire.Metadata{}
	}
	return out
}

// without returns p without exemplars, and without metadata too if that is asked for. Series of which nothing is left are
// left out.
func (p *portion) without(metadata bool) portion {
	out := portion{mode: p.mode}
	if !metadata {
		out.Metadata = p.Metadata
	}
	for i, ts := range p.Timeseries {
		if len(ts.Samples)+len(ts.Histograms) == 0 {
			continue
		}
		ts.Exemplars = nil
		if metadata {
			ts.Metadata = promwire.Metadata{}
		}
		out.Timeseries = append(out.Timeseries, ts)
		out.index = append(out.index, p.index[i])
	}
	return out
}

// exemplars returns the series of p with exemplars, each with its newest sample or histogram to carry them. It tells
// whether that differs from p.
func (p *portion) exemplars() (out portion, changed bool) {
	out.mode = p.mode
	out.carried = true
	changed = len(p.Metadata) > 0
	for i, ts := range p.Timeseries {
		if len(ts.Exemplars) == 0 {
			changed = true
			continue
		}
		if n := len(ts.Samples) + len(ts.Histograms); n > 1 {
			changed = true
			ts.Samples, ts.Histograms = newest(&ts)
		}
		out.Timeseries = append(out.Timeseries, ts)
		out.index = append(out.index, p.index[i])
	}
	return out, changed
}

// newest returns the item of ts with the latest time.
func newest(ts *promwire.TimeSeries) (samples []promwire.Sample, histograms []promwire.Histogram) {
	for i, s := range ts.Samples {
		if len(samples) == 0 || s.Timestamp > samples[0].Timestamp {
			samples = ts.Samples[i : i+1 : i+1]
		}
	}
	for i := range ts.Histograms {
		t := ts.Histograms[i].Timestamp
		if len(samples) > 0 && t <= samples[0].Timestamp || len(histograms) > 0 && t <= histograms[0].Timestamp {
			continue
		}
		histograms = ts.Histograms[i : i+1 : i+1]
	}
	if len(histograms) > 0 {
		samples = nil
	}
	return samples, histograms
}
