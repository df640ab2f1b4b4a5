package protocol

import (
	"net/http"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/same"
)

const readable = needRead | needWrite

// readChecks are about what a query selects.
func readChecks() []check {
	return []check{
		{
			name: "read/matchers", spec: "Remote Read, matchers", needs: readable,
			sent: "queries with all four match types on four series, among them values with a line feed and missing labels", run: matchers,
			want: "patterns anchored at both ends, a missing label as an empty one, a dot that matches a line feed",
		},
		{
			name: "read/range", spec: "Remote Read, query", needs: readable,
			sent: "ranges around, at and between the times of five samples", want: "both ends included", run: ranges,
		},
		{
			name: "read/range/backwards", spec: "Remote Read, query", needs: readable,
			sent: "a query that ends before it starts", want: "200 without samples",
			run: func(p *probe) {
				if !p.seed(p.series(p.labels(), 1, 2, 3)) {
					return
				}
				results, err := p.read(samplesOnly, p.between(2, 0)).results(1)
				if err != nil {
					p.fail("%v", err)
				} else if n := countSamples(results); n > 0 {
					p.fail("%d samples", n)
				}
			},
		},
		{
			name: "read/queries", spec: "Remote Read, request and response", needs: readable,
			sent: "three queries in one request, the second of which selects nothing", want: "three results in the order of the queries", run: severalQueries,
		},
		{
			name: "read/no-queries", spec: "Remote Read, request and response", needs: needRead,
			sent: "a request without queries", want: "200 and an empty message",
			run: func(p *probe) {
				if _, err := p.read(samplesOnly).results(0); err != nil {
					p.fail("%v", err)
				}
			},
		},
		{
			name: "read/no-matchers", spec: "Remote Read, query", needs: readable,
			sent: "a query without matchers", want: "200 without series, or 400",
			run: func(p *probe) {
				if !p.seed(p.series(p.labels(), 1)) {
					return
				}
				q := p.query()
				q.Matchers = nil
				a := p.read(samplesOnly, q)
				if a.refused() {
					return
				}
				if results, err := a.results(1); err != nil {
					p.fail("%v", err)
				} else if n := countSamples(results); n > 0 {
					p.warn("everything is selected: %d samples", n)
				}
			},
		},
		{
			name: "read/hints", spec: "Remote Read, hints", needs: readable,
			sent: "hints of step, function, grouping and range", want: "the samples as they are: hints are advice", run: hints,
		},
		{
			name: "read/order", spec: "Remote Read, order of series", needs: readable,
			sent: "a query for series written in another order", want: "each once; sorted by labels, though SAMPLES does not demand it", run: order,
		},
		{
			name: "read/negotiation", spec: "Remote Read, Streamed Chunks", needs: readable,
			sent: "accepted types 0; 0, 1; 99, 0", want: "SAMPLES: the first type that is known", run: negotiation,
		},
		{
			name: "read/negotiation/unknown", spec: "Remote Read, Streamed Chunks", needs: needRead,
			sent: "accepted types 98 and 99", want: "400",
			run: func(p *probe) {
				p.wantRefused(p.read([]promwire.ResponseType{98, 99}, p.query()), http.StatusBadRequest)
			},
		},
	}
}

// seed writes series that the check is going to read, and waits until they are there.
func (p *probe) seed(series ...promwire.TimeSeries) bool {
	t, want := p.anyMessage(), promwire.WriteStats{}
	for i := range series {
		want = want.Add(series[i].Stats())
	}
	if !p.wantStored(p.write(t, series...), t, want) {
		return false
	}
	found := p.settled(func() bool {
		got, err := p.readSamples(p.query())
		return err == nil && len(got) == len(series)
	})
	if !found {
		p.fail("what was written can't be read")
	}
	return found
}

func countSamples(results []promwire.QueryResult) int {
	n := 0
	for _, r := range results {
		for i := range r.Timeseries {
			n += len(r.Timeseries[i].Samples) + len(r.Timeseries[i].Histograms)
		}
	}
	return n
}

// matchers writes series with x = a, aa, "a\nb" and none.
func matchers(p *probe) {
	all := map[string]promwire.TimeSeries{
		"none": p.series(p.labels(), 1), "a": p.series(p.labels("x", "a"), 2),
		"a\nb": p.series(p.labels("x", "a\nb"), 3), "aa": p.series(p.labels("x", "aa"), 4),
	}
	if !p.seed(all["none"], all["a"], all["a\nb"], all["aa"]) {
		return
	}
	for _, c := range []struct {
		t     promwire.MatchType
		value string
		want  []string
	}{
		{promwire.MatchEqual, "a", []string{"a"}},
		{promwire.MatchEqual, "", []string{"none"}},
		{promwire.MatchNotEqual, "a", []string{"none", "a\nb", "aa"}},
		{promwire.MatchNotEqual, "", []string{"a", "a\nb", "aa"}},
		{promwire.MatchRegexp, "a", []string{"a"}},
		{promwire.MatchRegexp, "a|aa", []string{"a", "aa"}},
		{promwire.MatchRegexp, "a.b", []string{"a\nb"}},
		{promwire.MatchRegexp, ".*", []string{"none", "a", "a\nb", "aa"}},
		{promwire.MatchRegexp, ".+", []string{"a", "a\nb", "aa"}},
		{promwire.MatchRegexp, "", []string{"none"}},
		{promwire.MatchRegexp, "|a", []string{"none", "a"}},
		{promwire.MatchRegexp, "(?i)A+", []string{"a", "aa"}},
		{promwire.MatchNotRegexp, "a", []string{"none", "a\nb", "aa"}},
		{promwire.MatchNotRegexp, "a|aa", []string{"none", "a\nb"}},
		{promwire.MatchNotRegexp, ".+", []string{"none"}},
		{promwire.MatchNotRegexp, "", []string{"a", "a\nb", "aa"}},
	} {
		m := promwire.Matcher{Type: c.t, Name: "x", Value: c.value}
		var want []promwire.TimeSeries
		for _, name := range c.want {
			want = append(want, all[name])
		}
		got, err := p.readSamples(p.query(m))
		if err != nil {
			p.fail("%s: %v", m, err)
		} else if diff := same.All(got, want); diff != "" {
			p.fail("%s: %s", m, diff)
		}
	}
}

func ranges(p *probe) {
	ts := p.series(p.labels(), 0, 1, 2, 3, 4)
	if !p.seed(ts) {
		return
	}
	for _, c := range []struct{ from, to, first, last int }{
		{0, 4000, 0, 4},
		{1000, 3000, 1, 3},
		{1001, 2999, 2, 2},
		{2000, 2000, 2, 2},
		{4000, 9000, 4, 4},
		{-9000, 0, 0, 0},
		{2001, 2999, 3, 2},
		{4001, 9000, 3, 2},
	} {
		q := p.query()
		q.Start, q.End = time.UnixMilli(p.at(0)+int64(c.from)), time.UnixMilli(p.at(0)+int64(c.to))
		want := promwire.TimeSeries{Labels: ts.Labels, Samples: ts.Samples[c.first : c.last+1]}
		got, err := p.readSamples(q)
		switch {
		case err != nil:
			p.fail("%d to %d ms: %v", c.from, c.to, err)
		case len(want.Samples) == 0 && len(got) == 1 && len(got[0].Samples) == 0:
			p.warn("%d to %d ms: a series without samples", c.from, c.to)
		case len(want.Samples) == 0 && len(got) > 0:
			p.fail("%d to %d ms: %d series, want none", c.from, c.to, len(got))
		case len(want.Samples) > 0:
			if diff := same.All(got, []promwire.TimeSeries{want}); diff != "" {
				p.fail("%d to %d ms: %s", c.from, c.to, diff)
			}
		}
	}
}

func severalQueries(p *probe) {
	a, b := p.series(p.labels("part", "a"), 1), p.series(p.labels("part", "b"), 2)
	if !p.seed(a, b) {
		return
	}
	part := func(value string) promwire.Query { return p.query(promwire.Matcher{Name: "part", Value: value}) }
	results, err := p.read(samplesOnly, part("b"), part("none"), part("a")).results(3)
	if err != nil {
		p.fail("%v", err)
		return
	}
	for i, want := range [][]promwire.TimeSeries{{b}, nil, {a}} {
		if diff := same.All(results[i].Timeseries, want); diff != "" {
			p.fail("result %d: %s", i, diff)
		}
	}
}

func hints(p *probe) {
	ts := p.series(p.labels(), 1, 2, 3, 4, 5)
	if !p.seed(ts) {
		return
	}
	q := p.query()
	q.Hints = promwire.ReadHints{
		Step: 15 * time.Second, Func: "rate", Start: q.Start, End: q.End, Grouping: []string{"job"}, By: true, Range: time.Minute,
	}
	p.wantQuery(q, ts)
	q.Hints = promwire.ReadHints{Func: "count_values", Start: q.Start, End: q.End}
	p.wantQuery(q, ts)
}

func order(p *probe) {
	var all []promwire.TimeSeries
	for _, more := range [][]string{{"z", "1"}, {"b", "2"}, {}, {"b", "10"}, {"b", "2", "c", "1"}, {"z", "0"}} {
		all = append(all, p.series(p.labels(more...), 1))
	}
	if !p.seed(all...) {
		return
	}
	results, err := p.read(samplesOnly, p.query()).results(1)
	if err != nil {
		p.fail("%v", err)
		return
	}
	got := results[0].Timeseries
	for i := 1; i < len(got); i++ {
		switch c := got[i-1].Labels.Compare(got[i].Labels); {
		case c == 0:
			p.fail("%s comes twice", got[i].Labels)
		case c > 0:
			p.warn("%s comes behind %s", got[i].Labels, got[i-1].Labels)
		}
	}
}

func negotiation(p *probe) {
	if !p.seed(p.series(p.labels(), 1)) {
		return
	}
	for _, types := range [][]promwire.ResponseType{{0}, {0, 1}, {99, 0}} {
		results, err := p.read(types, p.query()).results(1)
		if err != nil {
			p.fail("accepted %v: %v", types, err)
		} else if n := countSamples(results); n != 1 {
			p.fail("accepted %v: %d samples, want 1", types, n)
		}
	}
}
