package promwiretest

import (
	"math"
	"time"

	"github.com/promwire/promwire"
)

// readSuite is about what a query selects.
var readSuite = []suiteCheck{
	{"read/matchers", readMatchers},
	{"read/matchers/name", readNames},
	{"read/no-matchers", readNothing},
	{"read/range", readRange},
	{"read/hints", readHints},
	{"read/order", readOrder},
	{"read/long", readLong},
}

// matcherCases are conditions on label x for series in which it is missing or has the value a, aa, "a\nb" or A; want
// are the indices of those that fulfil them.
var matcherCases = []struct {
	t     promwire.MatchType
	value string
	want  []int
}{
	{promwire.MatchEqual, "a", []int{2}},
	{promwire.MatchEqual, "", []int{0}},
	{promwire.MatchEqual, "nothing", nil},
	{promwire.MatchNotEqual, "a", []int{0, 1, 3, 4}},
	{promwire.MatchNotEqual, "", []int{1, 2, 3, 4}},
	{promwire.MatchRegexp, "a", []int{2}},
	{promwire.MatchRegexp, "a|aa", []int{2, 4}},
	{promwire.MatchRegexp, "a.*", []int{2, 3, 4}},
	{promwire.MatchRegexp, "a.b", []int{3}},
	{promwire.MatchRegexp, ".*", []int{0, 1, 2, 3, 4}},
	{promwire.MatchRegexp, ".+", []int{1, 2, 3, 4}},
	{promwire.MatchRegexp, "", []int{0}},
	{promwire.MatchRegexp, "|a", []int{0, 2}},
	{promwire.MatchRegexp, "(?i)a", []int{1, 2}},
	{promwire.MatchRegexp, "[a-z]+", []int{2, 4}},
	{promwire.MatchNotRegexp, "a", []int{0, 1, 3, 4}},
	{promwire.MatchNotRegexp, "a|aa", []int{0, 1, 3}},
	{promwire.MatchNotRegexp, "a.*", []int{0, 1}},
	{promwire.MatchNotRegexp, ".+", []int{0}},
	{promwire.MatchNotRegexp, "", []int{1, 2, 3, 4}},
	{promwire.MatchNotRegexp, ".*", nil},
}

func (s *suite) matcherSeries() []promwire.TimeSeries {
	return []promwire.TimeSeries{
		s.series(name(), 0), s.series(name("x", "A"), 1), s.series(name("x", "a"), 2), s.series(name("x", "a\nb"), 3), s.series(name("x", "aa"), 4),
	}
}

func readMatchers(s *suite) {
	all := s.matcherSeries()
	s.write(all...)
	for _, c := range matcherCases {
		m := promwire.Matcher{Type: c.t, Name: "x", Value: c.value}
		s.wantRead(m.String(), s.everything(m), pick(all, c.want)...)
	}
	// Several matchers, also on one label.
	s.wantRead(`x!="a",x=~"a.*"`, s.everything(
		promwire.Matcher{Type: promwire.MatchNotEqual, Name: "x", Value: "a"}, promwire.Matcher{Type: promwire.MatchRegexp, Name: "x", Value: "a.*"},
	), pick(all, []int{3, 4})...)
	s.wantRead(`x="a",x="aa"`, s.everything(promwire.Matcher{Name: "x", Value: "a"}, promwire.Matcher{Name: "x", Value: "aa"}))
	s.wantRead(`y="",x="a"`, s.everything(promwire.Matcher{Name: "y"}, promwire.Matcher{Name: "x", Value: "a"}), all[2])
	s.wantRead(`y!="",x="a"`, s.everything(promwire.Matcher{Type: promwire.MatchNotEqual, Name: "y"}, promwire.Matcher{Name: "x", Value: "a"}))
}

func pick(all []promwire.TimeSeries, indices []int) []promwire.TimeSeries {
	var out []promwire.TimeSeries
	for _, i := range indices {
		out = append(out, all[i])
	}
	return out
}

// readNames asks without a metric name, and for several.
func readNames(s *suite) {
	named := func(metric, x string) promwire.TimeSeries {
		return s.series(promwire.LabelsFromStrings(promwire.MetricName, metric, "x", x), 1)
	}
	all := []promwire.TimeSeries{named("first", "1"), named("first", "2"), named("second", "1"), named("second:sum", "1"), named("Second", "1")}
	s.write(all...)
	ask := func(what string, ms []promwire.Matcher, want ...int) {
		q := s.everything()
		q.Matchers = ms
		if err := promwire.CompileMatchers(q.Matchers); err != nil {
			s.fatal("%v", err)
		}
		s.wantRead(what, q, byLabels(pick(all, want))...)
	}
	ask(`x="1"`, []promwire.Matcher{{Name: "x", Value: "1"}}, 0, 2, 3, 4)
	ask(`__name__=~"second.*"`, []promwire.Matcher{{Type: promwire.MatchRegexp, Name: promwire.MetricName, Value: "second.*"}}, 2, 3)
	ask(`__name__!="first"`, []promwire.Matcher{{Type: promwire.MatchNotEqual, Name: promwire.MetricName, Value: "first"}}, 2, 3, 4)
	ask(`__name__=~"first|second"`, []promwire.Matcher{{Type: promwire.MatchRegexp, Name: promwire.MetricName, Value: "first|second"}}, 0, 1, 2)
	ask(`x=~".*"`, []promwire.Matcher{{Type: promwire.MatchRegexp, Name: "x", Value: ".*"}}, 0, 1, 2, 3, 4)
	ask(`x!="1"`, []promwire.Matcher{{Type: promwire.MatchNotEqual, Name: "x", Value: "1"}}, 1)
}

func readNothing(s *suite) {
	s.write(s.series(name(), 1))
	q := s.everything()
	q.Matchers = nil
	s.wantRead("a query without matchers selects nothing", q)
	s.wantRead("a name that does not exist", s.everything(promwire.Matcher{Name: promwire.MetricName, Value: "other"}))
}

func readRange(s *suite) {
	ts := s.series(name(), 0, 1, 2, 3, 4)
	later := s.series(name("x", "later"), 0, 1, 2, 3, 4)
	for i := range later.Samples {
		later.Samples[i].Timestamp += 60_000
	}
	s.write(ts, later)
	for _, c := range []struct{ from, to, first, last int64 }{
		{0, 4000, 0, 4},
		{1000, 3000, 1, 3},
		{1001, 2999, 2, 2},
		{999, 3001, 1, 3},
		{2000, 2000, 2, 2},
		{4000, 9000, 4, 4},
		{-9000, 0, 0, 0},
		{2001, 2999, 1, 0},
		{4001, 9000, 1, 0},
		{-9000, -1, 1, 0},
		{3000, 1000, 1, 0},
	} {
		var want []promwire.TimeSeries
		if c.first <= c.last {
			want = append(want, promwire.TimeSeries{Labels: ts.Labels, Samples: ts.Samples[c.first : c.last+1]})
		}
		what := "samples each second from 0 to 4,000 ms, asked for " + time.Duration(c.from*1e6).String() + " to " + time.Duration(c.to*1e6).String()
		s.wantRead(what, s.between(s.at(0)+c.from, s.at(0)+c.to), want...)
	}
	s.wantRead("all times", s.between(math.MinInt64, math.MaxInt64), ts, later)
}

func readHints(s *suite) {
	ts := s.series(name("job", "a"), 1, 2, 3, 4, 5)
	s.write(ts)
	q := s.everything()
	for _, hints := range []promwire.ReadHints{
		{Step: time.Minute, Func: "rate", Start: q.Start, End: q.End, Grouping: []string{"job"}, By: true, Range: time.Minute},
		{Func: "sum", Grouping: []string{"job"}},
		{Func: "series"},
		{Func: "count_values"},
		{Step: time.Millisecond, Range: time.Millisecond},
	} {
		q.Hints = hints
		s.wantRead("hints for "+hints.Func, q, ts)
	}
}

// readOrder writes series in another order than that of their labels, in which a prefix comes first.
func readOrder(s *suite) {
	var all []promwire.TimeSeries
	for _, more := range [][]string{
		{"z", "1"},
		{"b", "2"},
		{},
		{"b", "10"},
		{"b", "2", "c", "1"},
		{"B", "9"},
		{"z", "0"},
		{"b", "é"},
		{"b", "a", "z", "1"},
		{"b", "\U0001F600"},
		{"b", "a\x01"},
		{"b", "a", "d", "\x01"},
		{"bb", "1"},
		{"_", "1"},
	} {
		all = append(all, s.series(name(more...), 1))
	}
	for i := range all { // one by one: the order of their creation is none
		s.write(all[i])
	}
	s.wantRead("series", s.everything(), byLabels(all)...)
}

// readLong is a series that is longer than a part.
func readLong(s *suite) {
	const samples, requests = 25_000, 5
	ts := promwire.TimeSeries{Labels: name("long", "1")}
	for i := range samples {
		ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: s.at(0) + int64(i)*60, Value: float64(i)})
	}
	after := s.series(name("long", "2"), 1)
	for from := 0; from < samples; from += samples / requests {
		s.write(promwire.TimeSeries{Labels: ts.Labels, Samples: ts.Samples[from : from+samples/requests]})
	}
	s.write(after)
	s.wantRead("25,000 samples", s.everything(), ts, after)
	middle := promwire.TimeSeries{Labels: ts.Labels, Samples: ts.Samples[9_990:20_010]}
	s.wantRead("some 10,000 of them", s.between(middle.Samples[0].Timestamp, middle.Samples[len(middle.Samples)-1].Timestamp), middle)
}
