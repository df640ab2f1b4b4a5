package protocol

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/promwire/promwire"
)

// valueChecks are about values, times and labels that have to arrive as they were sent.
func valueChecks() []check {
	var all []check
	for _, t := range messages {
		prefix := "write/" + short(t) + "/"
		all = append(all, check{
			name: prefix + "stale", spec: spec(t, "Stale markers"), needs: needOf(t),
			sent: "a sample, a stale marker a second later, and a sample after it", want: "2xx; read back bit by bit",
			run: func(p *probe) { p.stored(t, p.series(p.labels(), 1, promwire.StaleNaN(), 2)) },
		}, check{
			name: prefix + "values", spec: spec(t, "Protobuf message"), needs: needOf(t),
			sent: "NaN, infinities, the smallest and the largest numbers", want: "2xx; read back bit by bit",
			run: func(p *probe) {
				p.stored(t, p.series(p.labels(), math.Float64frombits(0x7ff8000000000001), math.Inf(1), math.Inf(-1), 0,
					math.SmallestNonzeroFloat64, math.MaxFloat64, -math.MaxFloat64, 0.1))
			},
		}, check{
			name: prefix + "minus-zero", spec: "proto3, default values", needs: needOf(t) | needRead,
			sent: "the value -0", want: "2xx; read back with its sign", run: func(p *probe) { p.minusZero(t) },
		}, check{
			name: prefix + "labels/text", spec: spec(t, "Labels"), needs: needOf(t),
			sent: "label values with line feeds, quotes, blanks, emoji, and one of 1,000 bytes", want: "2xx; read back as sent",
			run: func(p *probe) {
				p.stored(t,
					p.series(p.labels("text", "\U0001F600 ünïcode"), 1), p.series(p.labels("text", `"quoted" \ {a="b"}`), 2),
					p.series(p.labels("text", "line\nfeed\ttab"), 3), p.series(p.labels("text", strings.Repeat("long", 250)), 4))
			},
		}, check{
			name: prefix + "many", spec: spec(t, "Protocol"), needs: needOf(t),
			sent: "500 series with four samples each", want: "2xx; read back as sent", run: func(p *probe) { p.many(t) },
		}, check{
			name: prefix + "parts", spec: spec(t, "Protobuf message"), needs: needOf(t),
			sent: "one series as two entries of one request", want: "2xx; read back as one series",
			run: func(p *probe) {
				whole := p.series(p.labels(), 1, 2, 3, 4)
				a, b := whole, whole
				a.Samples, b.Samples = whole.Samples[:2], whole.Samples[2:]
				if p.wantStored(p.write(t, a, b), t, samples(4)) {
					p.wantRead(whole)
				}
			},
		}, check{
			name: prefix + "parallel", spec: spec(t, "Ordering"), needs: needOf(t),
			sent: "eight requests at the same time, for different series", want: "2xx; read back as sent", run: func(p *probe) { p.parallel(t) },
		})
	}
	return append(all, check{
		name: "write/v2/exemplars", spec: "Remote Write 2.0, Exemplars; Required Written Response Headers", needs: needWrite | needV2,
		sent: "a series with two samples and an exemplar", want: "2xx and 2, 0, 1 written", run: exemplars,
	}, check{
		name: "write/v2/start-timestamps", spec: "Remote Write 2.0, Start timestamps", needs: needWrite | needV2,
		sent: "a counter with metadata and start timestamps", want: "2xx; read back as sent",
		run: func(p *probe) {
			ts := p.series(p.labels(), 1, 2)
			ts.Metadata = promwire.Metadata{Type: promwire.TypeCounter, Help: "of a check", Unit: "seconds"}
			for i := range ts.Samples {
				ts.Samples[i].StartTimestamp = p.at(-10)
			}
			p.stored(promwire.WriteV2, ts)
		},
	}, check{
		name: "write/v2/labels/utf8-names", spec: "Remote Write 2.0, Labels", needs: needWrite | needV2,
		sent: "a label name with a dot", want: "2xx and read back as sent; 400 from receivers of the classic names only",
		run: func(p *probe) {
			ts := p.series(p.labels("service.name", "x"), 1)
			a := p.write(promwire.WriteV2, ts)
			if a.refused() {
				p.wantPartial(a, promwire.WriteV2, promwire.WriteStats{})
				p.warn("names with dots are refused")
				return
			}
			if p.wantStored(a, promwire.WriteV2, samples(1)) {
				p.wantRead(ts)
			}
		},
	})
}

// stored sends series that have to be stored as they are.
func (p *probe) stored(t promwire.MessageType, series ...promwire.TimeSeries) {
	want := promwire.WriteStats{}
	for i := range series {
		want = want.Add(series[i].Stats())
	}
	if !p.wantStored(p.write(t, series...), t, want) {
		return
	}
	slices.SortFunc(series, func(a, b promwire.TimeSeries) int { return a.Labels.Compare(b.Labels) })
	p.wantRead(series...)
}

// minusZero is a check of its own, because most encoders lose the sign on one of the ways.
func (p *probe) minusZero(t promwire.MessageType) {
	minus := math.Copysign(0, -1)
	if !p.wantStored(p.write(t, p.series(p.labels(), minus, minus)), t, samples(2)) {
		return
	}
	seen := false
	p.settled(func() bool {
		got, err := p.readSamples(p.query())
		seen = err == nil && len(got) == 1 && len(got[0].Samples) == 2
		if seen && !math.Signbit(got[0].Samples[1].Value) {
			p.warn("the sign of -0 got lost")
		}
		return seen
	})
	if !seen {
		p.fail("the samples can't be read back")
	}
}

func (p *probe) many(t promwire.MessageType) {
	var all []promwire.TimeSeries
	for i := range 500 {
		all = append(all, p.series(p.labels("i", fmt.Sprintf("%03d", i)), float64(i), 1, 2, 3))
	}
	p.stored(t, all...)
}

func (p *probe) parallel(t promwire.MessageType) {
	const n = 8
	var all [n]promwire.TimeSeries
	var answers [n]*answer
	var group sync.WaitGroup
	for i := range n {
		all[i] = p.series(p.labels("i", fmt.Sprint(i)), float64(i), 1, 2, 3)
		group.Go(func() { answers[i] = p.exchange("POST", p.writeURL, headers(t), snappy(message(t, all[i]))) })
	}
	group.Wait()
	for _, a := range answers {
		p.note("%s", a)
		if !p.wantStored(a, t, samples(4)) {
			return
		}
	}
	p.wantRead(all[:]...)
}

func exemplars(p *probe) {
	ts := p.series(p.labels(), 1, 2)
	ts.Exemplars = []promwire.Exemplar{{Labels: promwire.LabelsFromStrings("trace_id", "abc"), Value: 1, Timestamp: p.at(0)}}
	a := p.write(promwire.WriteV2, ts)
	if stats, complete := a.written(); a.ok() && complete && stats == samples(2) {
		p.fail("status %d, though the exemplar was not written", a.status)
		return
	}
	if p.wantStored(a, promwire.WriteV2, promwire.WriteStats{Samples: 2, Exemplars: 1}) {
		p.wantRead(promwire.TimeSeries{Labels: ts.Labels, Samples: ts.Samples})
	}
}

// oddValues are values that encodings treat differently.
func oddValues() []float64 {
	return []float64{
		1, 1, 2, promwire.StaleNaN(), 0, math.Float64frombits(0x7ff8000000000001), math.Inf(1), math.Inf(-1), 1e-300, 1e300,
		math.MaxFloat64, 3, 3, 3, math.Float64frombits(0x7ff8000000000123), -1.5, 1 << 53, promwire.StaleNaN(),
	}
}
