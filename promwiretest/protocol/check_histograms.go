package protocol

import (
	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/native"
)

// histogramChecks are about native histograms, over 2.0.
func histogramChecks() []check {
	const needs = needWrite | needV2 | needHistograms
	var all []check
	for _, c := range []struct {
		name, sent string
		make       func(int64) promwire.Histogram
	}{
		{"integer", "an integer histogram with zero bucket and negative buckets", native.Int},
		{"float", "a float histogram", native.Float},
		{"gauge", "a gauge histogram", native.Gauge},
		{"custom", "a histogram with custom buckets", native.Custom},
	} {
		all = append(all, check{
			name: "write/v2/histogram/" + c.name, spec: "Native histograms; Remote Write 2.0, Protobuf message", needs: needs,
			sent: c.sent + ", twice, and the stale marker of one", want: "2xx and 0, 3, 0 written; read back as sent",
			run: func(p *probe) {
				p.stored(promwire.WriteV2, promwire.TimeSeries{Labels: p.labels(), Histograms: []promwire.Histogram{
					c.make(p.at(0)), c.make(p.at(1)), native.Stale(p.at(2)),
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
				h := native.Int(p.at(0))
				c.spoil(&h)
				p.badBetweenGood(promwire.WriteV2, promwire.TimeSeries{Labels: p.labels("part", "bad"), Histograms: []promwire.Histogram{h}})
			},
		})
	}
	return all
}
