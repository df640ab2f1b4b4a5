package protocol

import "github.com/promwire/promwire"

// orderChecks are about samples that come again, or late.
func orderChecks() []check {
	var all []check
	for _, t := range messages {
		prefix := "write/" + short(t) + "/"
		all = append(all, check{
			name: prefix + "same-again", spec: spec(t, "Retries & Backoff"), needs: needOf(t),
			sent: "a request twice, as after an answer that got lost", want: "2xx both times, the samples counted both times and kept once",
			run: func(p *probe) {
				ts := p.series(p.labels(), 1, 2)
				ts.Samples = ts.Samples[1:]
				for range 2 {
					if !p.wantStored(p.write(t, ts), t, samples(1)) {
						return
					}
				}
				p.wantRead(ts)
			},
		}, check{
			name: prefix + "other-value", spec: spec(t, "Ordering; Invalid samples"), needs: needOf(t),
			sent: "another value for the time of the newest sample, beside a good series", want: "400, the good series stored in 2.0; or 2xx where there is a rule for which value counts",
			run: func(p *probe) {
				first, good := p.series(p.labels("part", "a"), 1), p.series(p.labels("part", "b"), 1)
				if !p.wantStored(p.write(t, first), t, samples(1)) {
					return
				}
				second := p.series(p.labels("part", "a"), 2)
				a := p.write(t, second, good)
				if a.ok() {
					p.wantStored(a, t, samples(2))
					p.warn("status %d: of two values for one time, one gets lost without a word", a.status)
					return
				}
				p.refusedBeside(a, t, first, good)
			},
		}, check{
			name: prefix + "late", spec: spec(t, "Ordering; Invalid samples"), needs: needOf(t),
			sent: "a sample older than the newest one, beside a good series", want: "2xx and all in order of time, or 400 and the good series stored in 2.0",
			run: func(p *probe) {
				whole, good := p.series(p.labels("part", "a"), 1, 2), p.series(p.labels("part", "b"), 1)
				newer, older := whole, whole
				newer.Samples, older.Samples = whole.Samples[1:], whole.Samples[:1]
				if !p.wantStored(p.write(t, newer), t, samples(1)) {
					return
				}
				a := p.write(t, older, good)
				if a.ok() {
					if p.wantStored(a, t, samples(2)) {
						p.wantRead(whole, good)
					}
					return
				}
				p.refusedBeside(a, t, newer, good)
			},
		})
	}
	return all
}

// refusedBeside judges a refusal of an item of a series that is already there, beside a good series.
func (p *probe) refusedBeside(a *answer, t promwire.MessageType, there, good promwire.TimeSeries) {
	if !p.wantRefused(a, 400) {
		return
	}
	if t == promwire.WriteV1 { // of the rest, nothing is said
		p.wantQuery(p.query(promwire.Matcher{Name: "part", Value: "a"}), there)
		return
	}
	stats, complete := a.written()
	switch {
	case !complete:
		p.fail("status %d without the three Written headers", a.status)
	case stats == samples(1):
		p.wantRead(there, good)
	case stats == promwire.WriteStats{}:
		p.warn("a good series is refused with the bad sample")
		p.wantRead(there)
	default:
		p.fail("the Written headers count %d samples, one is good", stats.Samples)
	}
}
