package remote

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
)

// preflightNow is the clock of these tests.
var preflightNow = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// ago returns a timestamp in milliseconds.
func ago(d time.Duration) int64 { return preflightNow.Add(-d).UnixMilli() }

// entryOf makes an entry of a request; the labels stay as they are.
func entryOf(labels ...string) promwire.TimeSeries {
	ts := promwire.TimeSeries{Samples: []promwire.Sample{{Timestamp: ago(0), Value: 1}}}
	for i := 0; i < len(labels); i += 2 {
		ts.Labels = append(ts.Labels, promwire.Label{Name: labels[i], Value: labels[i+1]})
	}
	return ts
}

// sampled makes an entry with samples: seconds ago and value in pairs.
func sampled(points ...float64) promwire.TimeSeries {
	ts := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "m")}
	for i := 0; i < len(points); i += 2 {
		t := ago(time.Duration(points[i]) * time.Second)
		ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: t, Value: points[i+1]})
	}
	return ts
}

func stamped(times ...int64) promwire.TimeSeries {
	ts := sampled()
	for _, t := range times {
		ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: t, Value: 1})
	}
	return ts
}

func with(ts promwire.TimeSeries, hs ...promwire.Histogram) promwire.TimeSeries {
	ts.Samples, ts.Histograms = nil, hs
	return ts
}

func exemplified(labels ...string) promwire.TimeSeries {
	ts := entryOf("__name__", "m")
	ts.Exemplars = []promwire.Exemplar{{Labels: entryOf(labels...).Labels, Timestamp: ago(0), Value: 1}}
	return ts
}

// shown spells an entry out in short.
func shown(ts *promwire.TimeSeries) string {
	var b strings.Builder
	for _, l := range ts.Labels {
		fmt.Fprintf(&b, "%s=%.10s ", l.Name, l.Value)
	}
	for _, s := range ts.Samples {
		fmt.Fprintf(&b, "%d:%g ", (ago(0)-s.Timestamp)/1000, s.Value)
	}
	for _, h := range ts.Histograms {
		fmt.Fprintf(&b, "h%d ", h.Count)
	}
	for _, e := range ts.Exemplars {
		b.WriteString("e")
		for _, l := range e.Labels {
			fmt.Fprintf(&b, "%s=%s,", l.Name, l.Value)
		}
	}
	return strings.TrimSpace(b.String())
}

func preflight(next promwire.Writer, profile PreflightProfile, mode PreflightMode, names PreflightNames) *Preflight {
	return NewPreflight(next, PreflightOptions{
		Profile: profile, Mode: mode, Names: names, Now: func() time.Time { return preflightNow },
	})
}

var (
	goodHistogram   = promwire.Histogram{Timestamp: ago(0), Count: 1, ZeroCount: 1}
	badHistogram    = promwire.Histogram{Timestamp: ago(0), Count: 2, ZeroCount: 1}
	customHistogram = promwire.Histogram{
		Timestamp: ago(0), Count: 1, Schema: promwire.CustomBucketsSchema, CustomValues: []float64{1},
		PositiveSpans: []promwire.BucketSpan{{Length: 1}}, PositiveDeltas: []int64{1},
	}
	noNativeProfile = PreflightProfile{Name: "old", NoHistograms: true}
	long            = strings.Repeat("x", 5000)
)

// labelled makes an entry of n labels, the metric name included.
func labelled(n int) promwire.TimeSeries {
	ts := entryOf("__name__", "m")
	for i := range n - 1 {
		ts.Labels = append(ts.Labels, promwire.Label{Name: fmt.Sprintf("l%03d", i), Value: "x"})
	}
	return ts
}

// preflightCases are entries with one kind of badness. repaired is what is sent in mode repair, dropped in mode drop;
// "" is nothing, "=" the entry as it is.
var preflightCases = []struct {
	name              string
	profile           PreflightProfile
	names             PreflightNames
	ts                promwire.TimeSeries
	rule              PreflightRule
	reason            error
	repaired, dropped string
}{
	{"order", LimitsThanos, 0, entryOf("b", "1", "__name__", "m"), RuleLabelOrder, promwire.ErrUnsortedLabels, "__name__=m b=1 0:1", ""},
	{"order, sorted there", LimitsPrometheus, 0, entryOf("b", "1", "__name__", "m"), RuleLabelOrder, promwire.ErrUnsortedLabels, "__name__=m b=1 0:1", "="},
	{"copy", LimitsStrict, 0, entryOf("__name__", "m", "a", "1", "a", "1"), RuleDuplicateLabel, promwire.ErrDuplicateLabel, "__name__=m a=1 0:1", ""},
	{"duplicate", LimitsPrometheus, 0, entryOf("__name__", "m", "a", "1", "a", "2"), RuleDuplicateLabel, promwire.ErrDuplicateLabel, "", ""},
	{"empty name", LimitsStrict, 0, entryOf("", "1", "__name__", "m"), RuleEmptyLabelName, promwire.ErrEmptyLabelName, "", ""},
	{"empty value", LimitsThanos, 0, entryOf("__name__", "m", "a", ""), RuleEmptyLabelValue, promwire.ErrEmptyLabelValue, "__name__=m 0:1", ""},
	{"nameless", LimitsPrometheus, 0, entryOf("a", "1"), RuleMetricName, promwire.ErrNoMetricName, "", ""},
	{"nameless, taken", LimitsVictoriaMetrics, 0, entryOf("a", "1"), RuleMetricName, promwire.ErrNoMetricName, "=", "="},
	{"dots", LimitsMimir, 0, entryOf("__name__", "a.b"), RuleName, promwire.ErrInvalidName, "", ""},
	{"dots, refused", LimitsPrometheus, NamesRefuse, entryOf("__name__", "a.b"), RuleName, promwire.ErrInvalidName, "", ""},
	{"dots, escaped", LimitsMimir, NamesEscape, entryOf("__name__", "a.b:c", "9d.é", "v.w"), RuleName, promwire.ErrInvalidName, "__name__=a_b:c _d__=v.w 0:1", ""},
	{"dots, one name", LimitsMimir, NamesEscape, entryOf("__name__", "m", "a.b", "1", "a_b", "2"), RuleDuplicateLabel, promwire.ErrDuplicateLabel, "", ""},
	{"dots, a name", LimitsMimir, NamesEscape, entryOf("_.name__", "m", "a", "1"), RuleMetricName, promwire.ErrNoMetricName, "", ""},
	{"no UTF-8", LimitsPrometheus, 0, entryOf("__name__", "m", "a", "\xff"), RuleUTF8, promwire.ErrInvalidUTF8, "", ""},
	{"value too long", LimitsMimir, 0, entryOf("__name__", "m", "a", long[:2049]), RuleLabelLength, promwire.ErrLabelTooLong, "", ""},
	{"name too long", LimitsVictoriaMetrics, 0, entryOf("__name__", "m", long[:257], "a"), RuleLabelLength, promwire.ErrLabelTooLong, "", ""},
	{"too many", LimitsCortex, 0, labelled(31), RuleLabelCount, promwire.ErrTooManyLabels, "", ""},
	{"empty", LimitsStrict, 0, sampled(), RuleEmptySeries, promwire.ErrEmptySeries, "", ""},
	{"time order", LimitsPrometheus, 0, sampled(1, 1, 3, 3, 2, 2, 0, 9), RuleTimeOrder, promwire.ErrOutOfOrder, "__name__=m 3:3 2:2 1:1 0:9", "__name__=m 1:1 0:9"},
	{"time order, taken", LimitsVictoriaMetrics, 0, sampled(1, 1, 3, 3), RuleTimeOrder, promwire.ErrOutOfOrder, "__name__=m 3:3 1:1", "="},
	{"repeated", LimitsMimir, 0, sampled(1, 1, 1, 1, 0, 2), RuleRepeated, promwire.ErrDuplicateTimestamp, "__name__=m 1:1 0:2", "__name__=m 1:1 0:2"},
	{"repeated NaN", LimitsMimir, 0, sampled(1, math.NaN(), 1, math.NaN()), RuleRepeated, promwire.ErrDuplicateTimestamp, "__name__=m 1:NaN", "__name__=m 1:NaN"},
	{"conflict", LimitsMimir, 0, sampled(1, 1, 1, 2, 0, 3), RuleConflict, promwire.ErrDuplicateTimestamp, "__name__=m 1:2 0:3", "__name__=m 1:1 0:3"},
	{"conflict of signs", LimitsMimir, 0, sampled(1, math.Copysign(0, -1), 1, 0), RuleConflict, promwire.ErrDuplicateTimestamp, "__name__=m 1:0", "__name__=m 1:-0"},
	{"conflict, taken", LimitsVictoriaMetrics, 0, sampled(1, 1, 1, 2), RuleConflict, promwire.ErrDuplicateTimestamp, "=", "="},
	{"time 0", LimitsStrict, 0, stamped(0, ago(0)), RuleTimeUnit, promwire.ErrOutOfBounds, "__name__=m 0:1", "__name__=m 0:1"},
	{"seconds", LimitsStrict, 0, stamped(ago(0) / 1000), RuleTimeUnit, promwire.ErrOutOfBounds, "", ""},
	{"microseconds", LimitsStrict, 0, stamped(ago(0), ago(0)*1000), RuleTimeUnit, promwire.ErrOutOfBounds, "__name__=m 0:1", "__name__=m 0:1"},
	{"nanoseconds", LimitsThanos, 0, stamped(ago(0) * 1_000_000), RuleTimeUnit, promwire.ErrOutOfBounds, "", ""},
	{"future", LimitsPrometheus, 0, stamped(ago(0), ago(-601*time.Second)), RuleFuture, promwire.ErrTooFarInFuture, "__name__=m 0:1", "__name__=m 0:1"},
	{"past", LimitsVictoriaMetrics, 0, stamped(ago(32*24*time.Hour), ago(0)), RuleAge, promwire.ErrTooOld, "__name__=m 0:1", "__name__=m 0:1"},
	{"bad histogram", LimitsStrict, 0, with(sampled(), badHistogram), RuleHistogram, promwire.ErrInvalidHistogram, "", ""},
	{"histogram twice", LimitsStrict, 0, with(sampled(), goodHistogram, goodHistogram), RuleRepeated, promwire.ErrDuplicateTimestamp, "__name__=m h1", "__name__=m h1"},
	{"custom buckets", LimitsThanos, 0, with(sampled(), customHistogram), RuleHistogramSupport, promwire.ErrInvalidHistogram, "", ""},
	{"native", noNativeProfile, 0, with(sampled(), goodHistogram), RuleHistogramSupport, promwire.ErrInvalidHistogram, "", ""},
	{"exemplar order", LimitsStrict, 0, exemplified("b", "1", "a", "2"), RuleExemplar, promwire.ErrInvalidExemplar, "__name__=m 0:1 ea=2,b=1,", "__name__=m 0:1"},
	{"exemplar twice", LimitsStrict, 0, exemplified("a", "1", "a", "2"), RuleExemplar, promwire.ErrInvalidExemplar, "__name__=m 0:1", "__name__=m 0:1"},
	{"exemplar length", LimitsPrometheus, 0, exemplified("a", long[:128]), RuleExemplar, promwire.ErrInvalidExemplar, "__name__=m 0:1", "__name__=m 0:1"},
}

func TestPreflightRules(t *testing.T) {
	for _, tt := range preflightCases {
		for mode, want := range map[PreflightMode]string{PreflightRepair: tt.repaired, PreflightDrop: tt.dropped} {
			t.Run(fmt.Sprintf("%s/%d", tt.name, mode), func(t *testing.T) {
				if tt.names == NamesEscape && mode == PreflightDrop {
					tt.rule, tt.reason = RuleName, promwire.ErrInvalidName // nothing is escaped
				}
				for range 2 { // pooled memory
					testPreflightRule(t, preflight(nil, tt.profile, mode, tt.names), &tt.ts, tt.rule, tt.reason, want)
				}
			})
		}
	}
}

// testPreflightRule writes ts behind a good entry and before another one.
func testPreflightRule(t *testing.T, p *Preflight, ts *promwire.TimeSeries, rule PreflightRule, reason error, want string) {
	t.Helper()
	if want == "=" {
		want = shown(ts)
	}
	first, last := entryOf("__name__", "first"), entryOf("__name__", "last")
	req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{first, *ts, last}}
	before, copied := fmt.Sprint(req), req.Clone()
	next, told := newSink(nil), []Finding(nil)
	p.next = next
	p.options.OnFinding = func(_ context.Context, f Finding) { told = append(told, f) }
	stats, err := p.Write(context.Background(), req)
	if fmt.Sprint(req) != before {
		t.Error("the request was changed")
	}
	sent := next.took[0].req.Timeseries
	if shown(&sent[0]) != shown(&first) || shown(&sent[len(sent)-1]) != shown(&last) {
		t.Errorf("neighbours: sent %v", sent)
	}
	got := ""
	if len(sent) == 3 {
		got = shown(&sent[1])
	}
	if got != want || stats != next.took[0].req.Stats() {
		t.Errorf("sent %q, want %q; stats %+v", got, want, stats)
	}
	dropped, named := 0, false
	for _, f := range told {
		named = named || f.Rule == rule && errors.Is(f, reason)
		if f.Series != 1 || promwire.Reason(f) == nil || len(f.Labels) != min(len(ts.Labels), 64) {
			t.Errorf("finding %v", f)
		}
		if f.Action == PreflightDropped {
			dropped++
		}
	}
	var partial *promwire.PartialWriteError
	if errors.As(err, &partial); !named || (dropped > 0) != (partial != nil) {
		t.Errorf("findings %v, error %v", told, err)
	}
	if partial != nil && (partial.Refused[0].Series != 1 || promwire.Retryable(err) || partial.Written != stats) {
		t.Errorf("error %v", err)
	}
	if again := p.Check(copied); fmt.Sprint(again) != fmt.Sprint(told) {
		t.Errorf("Check says %v, Write %v", again, told)
	}
}

func TestPreflightStrict(t *testing.T) {
	for _, tt := range preflightCases {
		next := newSink(nil)
		p := preflight(next, tt.profile, PreflightStrict, tt.names)
		req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{entryOf("__name__", "good"), tt.ts}}
		stats, err := p.Write(context.Background(), req)
		if tt.dropped == "=" {
			if err != nil || next.calls != 1 || stats != req.Stats() {
				t.Errorf("%s: %v, %+v", tt.name, err, stats)
			}
			continue
		}
		var partial *promwire.PartialWriteError
		if !errors.As(err, &partial) || next.calls != 0 || partial.Written != (promwire.WriteStats{}) || stats != partial.Written {
			t.Errorf("%s: %v after %d calls", tt.name, err, next.calls)
			continue
		}
		if first := partial.Refused[0]; first.Series != 1 || promwire.Reason(first.Reason) == nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		var held bool
		for _, r := range partial.Refused {
			held = held || r.Series == 0 && errors.Is(r.Reason, ErrHeldBack)
		}
		if !held {
			t.Errorf("%s: the good entry is not named: %v", tt.name, err)
		}
	}
}

func TestPreflightOrphans(t *testing.T) {
	ts := exemplified("trace", "1")
	ts.Samples[0].Timestamp = 0
	_, err := preflight(newSink(nil), LimitsStrict, PreflightRepair, 0).Write(context.Background(),
		&promwire.WriteRequest{Timeseries: []promwire.TimeSeries{ts}})
	var partial *promwire.PartialWriteError
	if !errors.As(err, &partial) || len(partial.Refused) != 2 || !errors.Is(partial.Refused[1].Reason, promwire.ErrUnknownSeries) {
		t.Error(err)
	}
}

func TestPreflightErrorsOfNext(t *testing.T) {
	bad, good := entryOf("a", "1"), entryOf("__name__", "good")
	for _, tt := range []struct {
		name    string
		err     error
		series  []promwire.TimeSeries
		refused string
		retry   bool
	}{
		{"refusals", refusing(0, 1), []promwire.TimeSeries{bad, good, bad, good}, "0 1 2 3", false},
		{"may pass", errBusy, []promwire.TimeSeries{bad, good}, "", true},
		{"all refused", errBad, []promwire.TimeSeries{bad, good}, "0", false},
		{"repaired only", refusing(1), []promwire.TimeSeries{sampled(), entryOf("b", "1", "__name__", "m"), good}, "2", false},
		{"nothing left", errBad, []promwire.TimeSeries{bad}, "0", false},
	} {
		next := &answering{err: tt.err}
		_, err := preflight(next, LimitsStrict, PreflightRepair, 0).Write(context.Background(), &promwire.WriteRequest{Timeseries: tt.series})
		if err == nil || indices(err) != tt.refused || promwire.Retryable(err) != tt.retry {
			t.Errorf("%s: refused %q, retry %v: %v", tt.name, indices(err), promwire.Retryable(err), err)
		}
		if left := len(next.took) > 0; left != (tt.name != "nothing left") {
			t.Errorf("%s: next was called: %v", tt.name, left)
		}
	}
}

func TestPreflightBounds(t *testing.T) {
	req := &promwire.WriteRequest{}
	for range 3000 {
		req.Timeseries = append(req.Timeseries, entryOf("a", "1"))
	}
	p := preflight(newSink(nil), LimitsStrict, PreflightDrop, 0)
	if n := len(p.Check(req)); n != maxFindings {
		t.Errorf("%d findings", n)
	}
	_, err := p.Write(context.Background(), req)
	var partial *promwire.PartialWriteError
	if !errors.As(err, &partial) || len(partial.Refused) != 3000 || partial.Refused[2999].Labels != nil || partial.Refused[0].Labels == nil {
		t.Errorf("%.300v", err)
	}
}

// pass takes everything.
type pass struct{ got *promwire.WriteRequest }

func (w *pass) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	w.got = req
	return promwire.WriteStats{}, nil
}

func cleanRequest() *promwire.WriteRequest {
	req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{exemplified("trace_id", "1"), with(sampled(), goodHistogram)}}
	for i := range 100 {
		ts := sampled(3, 1, 2, 2, 1, 3, 0, 4)
		ts.Labels = promwire.LabelsFromStrings("__name__", "m", "instance", fmt.Sprint("host-", i), "job", "node")
		req.Timeseries = append(req.Timeseries, ts)
	}
	return req
}

func TestPreflightCleanCostsNothing(t *testing.T) {
	req := cleanRequest()
	for _, profile := range []PreflightProfile{
		LimitsStrict, LimitsPrometheus, LimitsMimir, LimitsCortex, LimitsThanos, LimitsVictoriaMetrics,
	} {
		next := &pass{}
		p := preflight(next, profile, PreflightRepair, 0)
		allocs := testing.AllocsPerRun(100, func() {
			if _, err := p.Write(context.Background(), req); err != nil || next.got != req {
				t.Fatal("not passed on as it is", err)
			}
		})
		if allocs > 0 && !raceEnabled {
			t.Errorf("%s: %g allocations", profile.Name, allocs)
		}
	}
}

func BenchmarkPreflightClean(b *testing.B) {
	req, p := cleanRequest(), preflight(&pass{}, LimitsMimir, PreflightRepair, 0)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = p.Write(context.Background(), req)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(req.Timeseries)), "ns/series")
}
