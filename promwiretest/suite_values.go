package promwiretest

import (
	"fmt"
	"math"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/native"
)

// valueSuite is about values that have to come back as they were.
var valueSuite = []suiteCheck{
	{"values/floats", floats},
	{"values/stale", stale},
	{"values/times", times},
	{"values/histograms", histograms},
	{"values/mixed", mixedKinds},
}

// oddFloats are bit patterns that arithmetic, text and databases change.
func oddFloats() []float64 {
	return []float64{
		0, math.Copysign(0, -1), 1, -1, math.NaN(), math.Float64frombits(0x7ff8000000000000), math.Float64frombits(0x7ff8000000000123),
		math.Float64frombits(0xfff8000000000001), math.Inf(1), math.Inf(-1), math.SmallestNonzeroFloat64, math.MaxFloat64,
		1 << 53, 1<<53 + 2, 0.1, 1.0 / 3, 1e-300, math.Nextafter(1, 2), math.MaxInt64, 123456789.123456789,
	}
}

func floats(s *suite) {
	ts := s.series(name(), oddFloats()...)
	s.write(ts)
	s.wantRead("odd values", s.everything(), ts)
	// Each as the only one of its series: a column of a database may take its type from the first value.
	var all []promwire.TimeSeries
	for i, v := range oddFloats() {
		all = append(all, s.series(name("i", fmt.Sprintf("%02d", i)), v))
	}
	s.write(all...)
	s.wantRead("odd values alone", s.everything(promwire.Matcher{Type: promwire.MatchNotEqual, Name: "i"}), all...)
}

func stale(s *suite) {
	ts := s.series(name(), 1, promwire.StaleNaN(), math.NaN(), promwire.StaleNaN(), 2)
	s.write(ts)
	s.wantRead("stale markers", s.everything(), ts)
	only := s.series(name("i", "1"), promwire.StaleNaN())
	s.write(only)
	s.wantRead("a stale marker alone", s.everything(promwire.Matcher{Name: "i", Value: "1"}), only)
}

// times are a millisecond apart, and far.
func times(s *suite) {
	ts := promwire.TimeSeries{Labels: name()}
	for i, offset := range []int64{0, 1, 2, 10, 11, 999, 1000, 1001, 60_000, 60_001, 1_700_000, 1_799_999} {
		ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: s.at(0) + offset, Value: float64(i)})
	}
	s.write(ts)
	s.wantRead("times", s.everything(), ts)
	for i := range ts.Samples {
		one := promwire.TimeSeries{Labels: ts.Labels, Samples: ts.Samples[i : i+1]}
		s.wantRead("a range of one millisecond", s.between(ts.Samples[i].Timestamp, ts.Samples[i].Timestamp), one)
	}
}

func customFloatHistogram(t int64) promwire.Histogram {
	h := native.Custom(t)
	h.IsFloat, h.Count, h.CountFloat, h.PositiveDeltas, h.PositiveCounts = true, 0, 3.5, nil, []float64{2.5, 1}
	return h
}

func emptyHistogram(t int64) promwire.Histogram { return promwire.Histogram{Timestamp: t} }

// allHistograms makes a series for each kind of native histogram, each with four of them and a stale marker.
func (s *suite) allHistograms() []promwire.TimeSeries {
	var all []promwire.TimeSeries
	for i, kind := range []func(int64) promwire.Histogram{
		native.Int, native.Float, native.Gauge, native.Custom, customFloatHistogram, emptyHistogram,
	} {
		ts := promwire.TimeSeries{Labels: name("kind", fmt.Sprint(i))}
		for j := range 4 {
			ts.Histograms = append(ts.Histograms, kind(s.at(j)))
		}
		ts.Histograms = append(ts.Histograms, native.Stale(s.at(4)))
		all = append(all, ts)
	}
	return all
}

func histograms(s *suite) {
	all := s.allHistograms()
	if s.noHistograms {
		plain := s.series(name("plain", "1"), 1)
		req := request(append(all, plain)...)
		stats, err := s.storage.Write(s.ctx, req.Clone())
		s.honest(req, stats, err)
		if stats != (promwire.WriteStats{Samples: 1}) {
			s.fail("a storage without native histograms writes %s, want the one sample", counts(stats))
		}
		s.wantRead("beside native histograms that were refused", s.everything(), plain)
		return
	}
	s.write(all...)
	s.wantRead("native histograms", s.everything(), all...)
}

// mixedKinds is a series that becomes a native histogram, and turns back.
func mixedKinds(s *suite) {
	if s.noHistograms {
		return
	}
	ts := s.series(name(), 1, 2, 3, 4)
	ts.Samples = append(ts.Samples[:2], ts.Samples[3])
	first, second := ts, promwire.TimeSeries{Labels: ts.Labels, Histograms: []promwire.Histogram{native.Int(s.at(2))}}
	first.Samples = ts.Samples[:2]
	third := promwire.TimeSeries{Labels: ts.Labels, Samples: ts.Samples[2:]}
	s.write(first)
	s.write(second)
	s.write(third)
	ts.Histograms = second.Histograms
	s.wantRead("samples and histograms of one series", s.everything(), ts)
	s.wantRead("the histogram of such a series", s.between(s.at(2), s.at(2)), second)
}
