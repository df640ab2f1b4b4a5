package protocol

import (
	"math"

	"github.com/promwire/promwire"
)

func integerHistogram(t int64) promwire.Histogram {
	return promwire.Histogram{
		Timestamp: t, Schema: 0, Sum: 18.5, ZeroThreshold: math.Ldexp(1, -128), Count: 8, ZeroCount: 1,
		PositiveSpans: []promwire.BucketSpan{{Offset: 1, Length: 2}, {Offset: 1, Length: 1}}, PositiveDeltas: []int64{1, 1, -1},
		NegativeSpans: []promwire.BucketSpan{{Offset: -1, Length: 1}}, NegativeDeltas: []int64{3},
	}
}

func floatHistogram(t int64) promwire.Histogram {
	return promwire.Histogram{
		Timestamp: t, IsFloat: true, Schema: 3, Sum: -2.25, ZeroThreshold: 0.001, CountFloat: 7.5, ZeroCountFloat: 0.5,
		PositiveSpans: []promwire.BucketSpan{{Offset: -2, Length: 2}}, PositiveCounts: []float64{2.5, 4.5},
	}
}

func gaugeHistogram(t int64) promwire.Histogram {
	h := integerHistogram(t)
	h.ResetHint = promwire.ResetGauge
	return h
}

func customHistogram(t int64) promwire.Histogram {
	return promwire.Histogram{
		Timestamp: t, Schema: promwire.CustomBucketsSchema, Sum: 5.5, Count: 3, CustomValues: []float64{0.1, 1},
		PositiveSpans: []promwire.BucketSpan{{Offset: 0, Length: 1}, {Offset: 1, Length: 1}}, PositiveDeltas: []int64{2, -1},
	}
}

func staleHistogram(t int64) promwire.Histogram {
	return promwire.Histogram{Timestamp: t, Sum: promwire.StaleNaN()}
}

// histogramChecks are about native histograms, over 2.0.
func histogramChecks() []check {
	const needs = needWrite | needV2 | needHistograms
	var all []check
	for _, c := range []struct {
		name, sent string
		make       func(int64) promwire.Histogram
	}{
		{"integer", "an integer histogram with zero bucket and negative buckets", integerHistogram},
		{"float", "a float histogram", floatHistogram},
		{"gauge", "a gauge histogram", gaugeHistogram},
		{"custom", "a histogram with custom buckets", customHistogram},
	} {
		all = append(all, check{
			name: "write/v2/histogram/" + c.name, spec: "Native histograms; Remote Write 2.0, Protobuf message", needs: needs,
			sent: c.sent + ", twice, and the stale marker of one", want: "2xx and 0, 3, 0 written; read back as sent",
			run: func(p *probe) {
				p.stored(promwire.WriteV2, promwire.TimeSeries{Labels: p.labels(), Histograms: []promwire.Histogram{
					c.make(p.at(0)), c.make(p.at(1)), staleHistogram(p.at(2)),
				}})
			},
		})
	}
	for _, c := range []struct {
		name, sent string
		spoil      func(*promwire.Histogram)
	}{
		{"count", "a histogram whose count is not the sum of its buckets", func(h *promwire.Histogram) { h.Count++ }},
		{"spans", "a histogram with fewer buckets than its spans have", func(h *promwire.Histogram) { h.PositiveDeltas = h.PositiveDeltas[:2] }},
		{"schema", "a histogram with an unknown schema", func(h *promwire.Histogram) { h.Schema = 100 }},
	} {
		all = append(all, check{
			name: "write/v2/histogram/bad-" + c.name, spec: "Native histograms; Remote Write 2.0, Invalid samples", needs: needs,
			sent: c.sent + ", beside two good series", want: "400 with a text, the good ones counted and stored",
			run: func(p *probe) {
				h := integerHistogram(p.at(0))
				c.spoil(&h)
				p.badBetweenGood(promwire.WriteV2, promwire.TimeSeries{Labels: p.labels("part", "bad"), Histograms: []promwire.Histogram{h}})
			},
		})
	}
	return all
}
