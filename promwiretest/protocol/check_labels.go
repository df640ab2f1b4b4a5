package protocol

import (
	"github.com/promwire/promwire"
)

// badLabels are label sets that no receiver may take.
func badLabels(p *probe) map[string]promwire.Labels {
	ls := p.labels("part", "bad")
	return map[string]promwire.Labels{
		"no-name":      ls[1:], // __name__ sorts first
		"none":         nil,
		"duplicate":    append(ls.Clone(), promwire.Label{Name: "run", Value: "again"}),
		"empty-name":   append(promwire.Labels{{Name: "", Value: "x"}}, ls...),
		"invalid-utf8": append(ls.Clone(), promwire.Label{Name: "z", Value: "a\xffb"}),
	}
}

// labelChecks are about label sets that are not as they have to be.
func labelChecks() []check {
	var all []check
	for _, t := range messages {
		for _, c := range []struct{ name, sent string }{
			{"no-name", "a series without a metric name"},
			{"none", "a series without labels"},
			{"duplicate", "a series with two values of one label"},
			{"empty-name", "a series with an empty label name"},
			{"invalid-utf8", "a series with a label value that is no UTF-8"},
		} {
			all = append(all, check{
				name: "write/" + short(t) + "/labels/" + c.name, spec: spec(t, "Labels; Responses, Partial write"), needs: needOf(t),
				sent: c.sent + ", between two good ones",
				want: "400 with a text, the good ones stored (in 1.0 none may be, in 2.0 as the Written headers say)",
				run: func(p *probe) {
					p.badBetweenGood(t, promwire.TimeSeries{Labels: badLabels(p)[c.name], Samples: p.series(nil, 2).Samples})
				},
			})
		}
		all = append(all, check{
			name: "write/" + short(t) + "/labels/unsorted", spec: spec(t, "Labels"), needs: needOf(t),
			sent: "a series whose labels are not sorted", want: "2xx and the series stored under sorted labels, or 400",
			run: func(p *probe) { p.mendedOrRefused(t, promwire.Labels{p.labels()[2], p.labels()[0], p.labels()[1]}) },
		}, check{
			name: "write/" + short(t) + "/labels/empty-value", spec: spec(t, "Labels"), needs: needOf(t),
			sent: "a series with a label of an empty value", want: "2xx and the series stored without that label, or 400",
			run: func(p *probe) { p.mendedOrRefused(t, append(p.labels(), promwire.Label{Name: "z"})) },
		})
	}
	return append(all, check{
		name: "write/v2/no-data", spec: "Remote Write 2.0, Protobuf message", needs: needWrite | needV2,
		sent: "a series without samples, between two good ones", want: "400 with a text, the good ones counted and stored",
		run: func(p *probe) {
			p.badBetweenGood(promwire.WriteV2, promwire.TimeSeries{Labels: p.labels("part", "bad")})
		},
	})
}

// badBetweenGood sends a bad series between good ones: it has to be refused, and what is said to be written has to be
// there.
func (p *probe) badBetweenGood(t promwire.MessageType, bad promwire.TimeSeries) {
	good := []promwire.TimeSeries{p.series(p.labels("part", "a"), 1), p.series(p.labels("part", "c"), 3)}
	a := p.write(t, good[0], bad, good[1])
	p.partOf(a, t, good...)
}

// partOf judges the answer to a request of which all but some good series of one sample is refused.
func (p *probe) partOf(a *answer, t promwire.MessageType, good ...promwire.TimeSeries) {
	if !p.wantRefused(a, 400) {
		return
	}
	if t == promwire.WriteV1 { // all or none of it
		got, err := p.readSamples(p.query())
		if p.has&needRead != 0 && (err != nil || len(got) != 0) {
			p.wantRead(good...)
		}
		return
	}
	stats, complete := a.written()
	switch {
	case !complete:
		p.fail("status %d without the three Written headers", a.status)
	case stats == promwire.WriteStats{}:
		p.warn("good series are refused with the bad one")
		p.wantRead()
	case stats == samples(len(good)):
		p.wantRead(good...)
	default:
		p.fail("the Written headers count %d samples, %d are good", stats.Samples, len(good))
	}
}

// mendedOrRefused sends a series with labels that a receiver may mend.
func (p *probe) mendedOrRefused(t promwire.MessageType, ls promwire.Labels) {
	a := p.write(t, promwire.TimeSeries{Labels: ls, Samples: p.series(nil, 1).Samples})
	if a.refused() {
		p.wantPartial(a, t, promwire.WriteStats{})
		p.wantRead()
		return
	}
	if p.wantStored(a, t, samples(1)) {
		p.wantRead(p.series(p.labels(), 1))
	}
}
