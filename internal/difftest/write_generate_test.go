package difftest

import (
	"math"

	"github.com/promwire/promwire"
)

// request generates a write request with all that a message has a place for. The codec judges no content, so there
// are invalid names, odd histograms and times in any order among it.
func (s *source) request(t promwire.MessageType) *promwire.WriteRequest {
	r := &promwire.WriteRequest{}
	for len(r.Timeseries) < 6 && !s.done() {
		r.Timeseries = append(r.Timeseries, s.timeSeries(t))
	}
	if t == promwire.WriteV1 {
		for range s.intn(3) {
			r.Metadata = append(r.Metadata, promwire.MetricMetadata{Metadata: s.metadata(), Family: s.text(9)})
		}
	}
	return r
}

func (s *source) timeSeries(t promwire.MessageType) promwire.TimeSeries {
	ts := promwire.TimeSeries{Labels: s.labels()}
	v2 := t == promwire.WriteV2
	for range s.intn(4) {
		p := promwire.Sample{Timestamp: s.int64(), Value: s.float()}
		if v2 && s.one(2) {
			p.StartTimestamp = s.int64()
		}
		ts.Samples = append(ts.Samples, p)
	}
	for range s.intn(3) {
		ts.Histograms = append(ts.Histograms, s.wireHistogram(v2))
	}
	for range s.intn(3) {
		ts.Exemplars = append(ts.Exemplars, promwire.Exemplar{Labels: s.labels(), Value: s.float(), Timestamp: s.int64()})
	}
	if v2 {
		ts.Metadata = s.metadata()
	}
	return ts
}

// labels generates labels of few different strings, so that symbols repeat.
func (s *source) labels() promwire.Labels {
	names := [...]string{promwire.MetricName, "job", "instance", "", "a", "le", "\xff", "zone", "__meta"}
	var ls promwire.Labels
	for range s.intn(6) {
		l := promwire.Label{Name: names[s.intn(len(names))], Value: names[s.intn(len(names))]}
		if s.one(3) {
			l.Value = s.text(20)
		}
		ls = append(ls, l)
	}
	return ls
}

func (s *source) metadata() promwire.Metadata {
	m := promwire.Metadata{Type: promwire.MetricType(s.intn(9)), Help: s.text(12), Unit: s.text(3)}
	if s.one(8) {
		m.Type = promwire.MetricType(int32(s.int64()))
	}
	return m
}

// wireHistogram generates a histogram of either form with times, valid or not.
func (s *source) wireHistogram(starts bool) promwire.Histogram {
	h := s.histogram(s.one(2))
	h.Timestamp, h.Sum = s.int64(), s.float()
	if starts && s.one(2) {
		h.StartTimestamp = s.int64()
	}
	switch s.intn(8) {
	case 0:
		h = promwire.Histogram{Sum: promwire.StaleNaN(), IsFloat: h.IsFloat, Timestamp: h.Timestamp}
	case 1:
		h.Schema = int32(s.int64())
		h.ResetHint = promwire.ResetHint(int32(s.int64()))
		h.ZeroThreshold = s.float()
		h.PositiveSpans = append(h.PositiveSpans, promwire.BucketSpan{Offset: int32(s.int64()), Length: uint32(s.int64())})
		h.CustomValues = append(h.CustomValues, s.float())
		if h.IsFloat {
			h.CountFloat, h.ZeroCountFloat = s.float(), s.float()
			h.NegativeCounts = append(h.NegativeCounts, s.float())
		} else {
			h.Count, h.ZeroCount = s.uint64(), s.uint64()
			h.NegativeDeltas = append(h.NegativeDeltas, s.int64())
		}
	}
	return h
}

// positiveZeros returns r with 0 in place of -0, where the library drops the sign.
func positiveZeros(r *promwire.WriteRequest) *promwire.WriteRequest {
	r = r.Clone()
	for i := range r.Timeseries {
		ts := &r.Timeseries[i]
		for j := range ts.Samples {
			ts.Samples[j].Value = positiveZero(ts.Samples[j].Value)
		}
		for j := range ts.Exemplars {
			ts.Exemplars[j].Value = positiveZero(ts.Exemplars[j].Value)
		}
		for j := range ts.Histograms {
			h := &ts.Histograms[j]
			h.Sum, h.ZeroThreshold = positiveZero(h.Sum), positiveZero(h.ZeroThreshold)
		}
	}
	return r
}

func positiveZero(v float64) float64 {
	if math.Float64bits(v) == 1<<63 {
		return 0
	}
	return v
}
