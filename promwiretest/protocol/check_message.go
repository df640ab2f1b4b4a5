package protocol

import (
	"math"
	"net/http"

	"github.com/promwire/promwire"
)

func floatBits(v float64) uint64 { return math.Float64bits(v) }

// The symbols of raw 2.0 messages, behind the empty one: references 1 to 8 are a complete label set.
func (p *probe) symbols() []string {
	ls := p.labels()
	out := []string{""}
	for _, l := range ls {
		out = append(out, l.Name, l.Value)
	}
	return append(out, "x")
}

var goodRefs = []uint64{1, 2, 3, 4, 5, 6}

// messageChecks are about the form of messages.
func messageChecks() []check {
	good := needWrite | needV2
	return []check{
		{
			name: "write/v1/metadata-only", spec: "Remote Write 1.0, Protocol", needs: needWrite,
			sent: "a message with family metadata and no series, as Prometheus sends it", want: "2xx",
			run: func(p *probe) {
				req := promwire.WriteRequest{Metadata: []promwire.MetricMetadata{{
					Family: metric, Metadata: promwire.Metadata{Type: promwire.TypeGauge, Help: "of a check"},
				}}}
				msg, _ := req.AppendProto(nil, promwire.WriteV1) // 1.0 takes family metadata
				p.wantStored(p.writeMessage(promwire.WriteV1, msg), promwire.WriteV1, promwire.WriteStats{})
			},
		},
		{
			name: "write/v1/unknown-fields", spec: "Remote Write 1.0, Protocol; proto3", needs: needWrite,
			sent: "a message with fields that no version has", want: "2xx, and the sample stored",
			run: func(p *probe) {
				ts := p.series(p.labels(), 1)
				msg := append(message(promwire.WriteV1, ts), tagUnknownString, 3, 'a', 'b', 'c', tagUnknownInt, 7)
				if p.wantStored(p.writeMessage(promwire.WriteV1, msg), promwire.WriteV1, samples(1)) {
					p.wantRead(ts)
				}
			},
		},
		{
			name: "write/v2/unknown-fields", spec: "Remote Write 2.0, Protobuf message", needs: good,
			sent: "a message with fields that no version has, in the request and in a series", want: "2xx, and the sample counted and stored",
			run: func(p *probe) {
				s := rawSeries{refs: goodRefs, samples: p.series(nil, 1).Samples, more: []byte{tagUnknownString, 1, 'a'}}
				msg := s.append(appendSymbols([]byte{tagUnknownInt, 7}, p.symbols()...))
				p.rawStored(append(msg, tagUnknownString, 3, 'a', 'b', 'c'))
			},
		},
		{
			name: "write/v2/unpacked", spec: "proto3, packed repeated fields", needs: good,
			sent: "a series whose references are not packed", want: "2xx, and the sample counted and stored",
			run: func(p *probe) {
				s := rawSeries{refs: goodRefs, unpacked: true, samples: p.series(nil, 1).Samples}
				p.rawStored(s.append(appendSymbols(nil, p.symbols()...)))
			},
		},
		{
			name: "write/v2/symbols/late", spec: "proto3, order of fields", needs: good,
			sent: "a message with its series in front of its symbols", want: "2xx, and the sample counted and stored",
			run: func(p *probe) {
				s := rawSeries{refs: goodRefs, samples: p.series(nil, 1).Samples}
				p.rawStored(appendSymbols(s.append(nil), p.symbols()...))
			},
		},
		badRefs("odd", "an odd number of references", []uint64{1, 2, 3}),
		badRefs("out-of-range", "a reference behind the symbols", []uint64{1, 2, 3, 4000}),
		badRefs("huge", "a reference of 32 bits", []uint64{1, 2, 3, math.MaxUint32}),
		{
			name: "write/v2/symbols/first", spec: "Remote Write 2.0, Symbols", needs: good,
			sent: "a message whose first symbol is not the empty string", want: "400; some receivers do not look",
			run: func(p *probe) {
				s := rawSeries{refs: []uint64{0, 1, 2, 3, 4, 5}, samples: p.series(nil, 1).Samples}
				a := p.writeMessage(promwire.WriteV2, s.append(appendSymbols(nil, p.symbols()[1:]...)))
				if a.ok() {
					p.warn("status %d for a message that senders must not send", a.status)
					return
				}
				p.wantRefused(a, http.StatusBadRequest)
			},
		},
		{
			name: "write/v2/text", spec: "Remote Write 2.0, Invalid samples", needs: good,
			sent: "a series without a metric name", want: "a text that says what is wrong, and counts of zero",
			run: func(p *probe) {
				ts := p.series(promwire.LabelsFromStrings("check", p.check.name, "run", p.run), 1)
				p.wantPartial(p.write(promwire.WriteV2, ts), promwire.WriteV2, promwire.WriteStats{})
			},
		},
	}
}

// rawStored sends a 2.0 message of one series and one sample.
func (p *probe) rawStored(msg []byte) {
	if p.wantStored(p.writeMessage(promwire.WriteV2, msg), promwire.WriteV2, samples(1)) {
		p.wantRead(p.series(p.labels(), 1))
	}
}

// badRefs is about a series with bad references between two good ones.
func badRefs(name, sent string, refs []uint64) check {
	return check{
		name: "write/v2/symbols/" + name, spec: "Remote Write 2.0, Symbols", needs: needWrite | needV2,
		sent: "a good series, and one with " + sent, want: "400, a text, Written headers; the good one stored if they count it",
		run: func(p *probe) {
			one := p.series(nil, 1).Samples
			msg := appendSymbols(nil, p.symbols()...)
			msg = rawSeries{refs: goodRefs, samples: one}.append(msg)
			msg = rawSeries{refs: refs, samples: one}.append(msg)
			a := p.writeMessage(promwire.WriteV2, msg)
			if !p.wantRefused(a, http.StatusBadRequest) {
				return
			}
			stats, complete := a.written()
			switch {
			case !complete:
				p.fail("status %d without the three Written headers", a.status)
			case stats == samples(1):
				p.wantRead(p.series(p.labels(), 1))
			case stats == promwire.WriteStats{}:
				p.wantRead()
			default:
				p.fail("the Written headers count %d samples of one good series", stats.Samples)
			}
		},
	}
}
