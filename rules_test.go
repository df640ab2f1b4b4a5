package promwire

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// validHistogram returns an integer histogram that passes: buckets 1, 2 and 1 next to a zero bucket of 1.
func validHistogram(timestamp int64) Histogram {
	return Histogram{
		Timestamp: timestamp, Count: 5, Sum: 18.5, ZeroCount: 1,
		PositiveSpans:  []BucketSpan{{1, 2}, {1, 1}},
		PositiveDeltas: []int64{1, 1, -1},
	}
}

func up(samples ...Sample) TimeSeries {
	return TimeSeries{Labels: LabelsFromStrings(MetricName, "up", "job", "a"), Samples: samples}
}

func TestRulesApplyLabels(t *testing.T) {
	sample := []Sample{{Timestamp: 1, Value: 2}}
	tests := []struct {
		name   string
		labels Labels
		names  NameScheme
		want   string // labels afterwards
		err    error
	}{
		{"valid", Labels{{MetricName, "up"}, {"job", "a"}}, UTF8Names, `up{job="a"}`, nil},
		{"unsorted", Labels{{"job", "a"}, {MetricName, "up"}, {"A", "b"}}, UTF8Names, `up{A="b",job="a"}`, nil},
		{"empty value", Labels{{MetricName, "up"}, {"job", ""}}, UTF8Names, `up`, nil},
		{"UTF-8 names", Labels{{MetricName, "my.metric"}, {"ä", "a"}}, UTF8Names, `{"my.metric","ä"="a"}`, nil},
		{"no labels", nil, UTF8Names, "", ErrNoMetricName},
		{"no name", Labels{{"job", "a"}}, UTF8Names, "", ErrNoMetricName},
		{"empty name", Labels{{MetricName, ""}, {"job", "a"}}, UTF8Names, "", ErrNoMetricName},
		{"duplicate", Labels{{"job", "a"}, {MetricName, "up"}, {"job", "a"}}, UTF8Names, "", ErrDuplicateLabel},
		{"duplicate name", Labels{{MetricName, "up"}, {MetricName, "down"}}, UTF8Names, "", ErrDuplicateLabel},
		{"empty label name", Labels{{MetricName, "up"}, {"", "a"}}, UTF8Names, "", ErrEmptyLabelName},
		{"invalid value", Labels{{MetricName, "up"}, {"job", "\xff"}}, UTF8Names, "", ErrInvalidUTF8},
		{"invalid label name", Labels{{MetricName, "up"}, {"j\xff", "a"}}, UTF8Names, "", ErrInvalidUTF8},
		{"invalid metric name", Labels{{MetricName, "up\xff"}}, UTF8Names, "", ErrInvalidUTF8},
		{"legacy", Labels{{MetricName, "a:b"}, {"job", "ä"}}, LegacyNames, `a:b{job="ä"}`, nil},
		{"legacy metric name", Labels{{MetricName, "my.metric"}}, LegacyNames, "", ErrInvalidName},
		{"legacy label name", Labels{{MetricName, "up"}, {"a:b", "c"}}, LegacyNames, "", ErrInvalidName},
	}
	for _, tt := range tests {
		for _, typ := range []MessageType{WriteV1, WriteV2} {
			t.Run(tt.name+" "+string(typ), func(t *testing.T) {
				ts := TimeSeries{Labels: slices.Clone(tt.labels), Samples: sample}
				refused, keep := Rules{Type: typ, Names: tt.names}.Apply(nil, 7, &ts)
				if tt.err == nil {
					if !keep || len(refused) > 0 || ts.Labels.String() != tt.want {
						t.Fatalf("got %v, %t, %v, want %s kept", ts.Labels, keep, refused, tt.want)
					}
					return
				}
				if keep || len(refused) != 1 {
					t.Fatalf("got %v, %t, want it refused", refused, keep)
				}
				r := refused[0]
				if r.Series != 7 || r.Timestamp != 0 || !errors.Is(r.Reason, tt.err) || len(r.Labels) != len(ts.Labels) {
					t.Errorf("got %+v, want series 7, %v", r, tt.err)
				}
			})
		}
	}
}

func TestRulesApplyEmpty(t *testing.T) {
	exemplar := []Exemplar{{Labels: LabelsFromStrings("trace_id", "x"), Value: 1, Timestamp: 5}}
	for _, tt := range []struct {
		name      string
		typ       MessageType
		exemplars []Exemplar
		keep      bool
		want      error
	}{
		{"1.0 nothing", WriteV1, nil, false, nil},
		{"2.0 nothing", WriteV2, nil, false, ErrEmptySeries},
		{"1.0 exemplars", WriteV1, exemplar, true, nil},
		{"2.0 exemplars", WriteV2, exemplar, true, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ts := up()
			ts.Exemplars = tt.exemplars
			refused, keep := Rules{Type: tt.typ}.Apply(nil, 0, &ts)
			if keep != tt.keep || (len(refused) > 0) != (tt.want != nil) {
				t.Fatalf("got %v, %t", refused, keep)
			}
			if tt.want != nil && !errors.Is(refused[0], tt.want) {
				t.Errorf("got %v, want %v", refused[0], tt.want)
			}
		})
	}
}

func TestRulesApplyRefusesItemsOnTheirOwn(t *testing.T) {
	bad := validHistogram(20)
	bad.Count = 99
	reserved := validHistogram(30)
	reserved.Schema = 9
	stale := bad.Clone()
	stale.Timestamp, stale.Sum = 40, StaleNaN()
	ts := up(Sample{Timestamp: 1})
	ts.Histograms = []Histogram{bad, validHistogram(10), bad.Clone(), reserved, stale}
	ts.Exemplars = []Exemplar{
		{Timestamp: 50, Labels: Labels{{"b", "1"}, {"a", "2"}, {"c", ""}}},
		{Timestamp: 51, Labels: Labels{{"a", "1"}, {"a", "2"}}},
		{Timestamp: 52, Labels: Labels{{"", "1"}}},
		{Timestamp: 53},
	}
	refused, keep := Rules{Type: WriteV2}.Apply(nil, 3, &ts)
	if !keep || len(ts.Samples) != 1 {
		t.Fatalf("got keep %t, %d samples", keep, len(ts.Samples))
	}
	var times []int64
	for _, r := range refused {
		times = append(times, r.Timestamp)
		if r.Series != 3 || !r.Labels.Equal(ts.Labels) {
			t.Errorf("refusal %+v names another series", r)
		}
	}
	if !slices.Equal(times, []int64{20, 20, 51, 52}) {
		t.Errorf("refused times %v", times)
	}
	if &refused[0].Labels[0] != &refused[3].Labels[0] {
		t.Error("refusals of one series do not share their labels")
	}
	if !errors.Is(refused[0], ErrInvalidHistogram) || !errors.Is(refused[2], ErrInvalidExemplar) ||
		!errors.Is(refused[2], ErrDuplicateLabel) || !errors.Is(refused[3], ErrEmptyLabelName) {
		t.Errorf("reasons %v", refused)
	}
	hs := ts.Histograms
	if len(hs) != 3 || hs[0].Timestamp != 10 || hs[1].Timestamp != 30 || hs[2].Timestamp != 40 {
		t.Fatalf("histograms left: %+v", hs)
	}
	if hs[1].Schema != MaxSchema || hs[1].Validate() != nil {
		t.Errorf("reserved schema became %+v", hs[1])
	}
	if !IsStaleNaN(hs[2].Sum) || hs[2].Count != 0 || len(hs[2].PositiveSpans) != 0 {
		t.Errorf("stale histogram became %+v", hs[2])
	}
	if es := ts.Exemplars; len(es) != 2 || es[0].Labels.String() != `{a="2",b="1"}` || es[1].Timestamp != 53 {
		t.Errorf("exemplars left: %+v", es)
	}
}

func TestRulesApplyNothingLeft(t *testing.T) {
	bad := validHistogram(20)
	bad.Count = 99
	ts := up()
	ts.Histograms = []Histogram{bad}
	refused, keep := Rules{Type: WriteV2}.Apply(nil, 0, &ts)
	if keep || len(refused) != 1 || !errors.Is(refused[0], ErrInvalidHistogram) {
		t.Errorf("got %v, %t, want the histogram refused and nothing left", refused, keep)
	}
}

// Refusals outlive the request, whose strings may alias memory that is used again.
func TestRulesApplyCopiesLabels(t *testing.T) {
	ls := Labels{{"job", "a"}}
	refused, _ := Rules{}.Apply(nil, 0, &TimeSeries{Labels: ls, Samples: []Sample{{}}})
	ls[0] = Label{"x", "y"}
	if got := refused[0].Labels.String(); got != `{job="a"}` {
		t.Errorf("labels are now %s", got)
	}
}

func TestRulesApplyBoundsRefusals(t *testing.T) {
	huge := "x" + strings.Repeat("ä", 10_000)
	var labels Labels
	for i := range 100 {
		labels = append(labels, Label{fmt.Sprintf("l%03d", i), huge})
	}
	var refused []Refusal
	for i := range maxDetailedRefusals + 2 {
		ts := TimeSeries{Labels: labels, Samples: []Sample{{}}}
		refused, _ = Rules{}.Apply(refused, i, &ts)
		if i == 0 {
			if size := len(refused[0].Labels.String()) + len(refused[0].Error()); size > 5*maxRefusedText {
				t.Errorf("the first refusal takes %d bytes", size)
			}
			if !ValidName(refused[0].Labels[0].Value, UTF8Names, false) {
				t.Error("labels are cut within a character")
			}
			labels = Labels{{"job", "a"}}
		}
	}
	bad := up()
	bad.Exemplars = []Exemplar{{Labels: Labels{{"", "x"}}}}
	bad.Histograms = []Histogram{{Count: 1}}
	bare, _ := Rules{Type: WriteV2}.Apply(refused, 1, &bad)
	bare, _ = Rules{Type: WriteV2}.Apply(bare, 2, new(TimeSeries))
	if b := bare[len(refused):]; len(b) != 3 || b[0].Reason != ErrInvalidHistogram || b[1].Reason != ErrInvalidExemplar ||
		b[2].Reason != ErrNoMetricName {
		t.Errorf("bare reasons %v", b)
	}
	last := refused[len(refused)-1]
	if last.Series != maxDetailedRefusals+1 || last.Labels != nil || last.Reason != ErrNoMetricName {
		t.Errorf("the last refusal is %+v, want the bare reason", last)
	}
}

func TestRulesApplyAll(t *testing.T) {
	var req WriteRequest
	good := func(i int) TimeSeries {
		return TimeSeries{Labels: LabelsFromStrings(MetricName, fmt.Sprint("m", i)), Samples: []Sample{{Timestamp: int64(i)}}}
	}
	for i := range 10 {
		ts := good(i)
		switch i {
		case 0, 4, 5:
			ts.Labels[0].Name = "nameless"
		case 9:
			ts.Samples = ts.Samples[:0] // 1.0: nothing to store, nothing to refuse
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	slices := map[*Sample]bool{}
	for i := range req.Timeseries {
		slices[&req.Timeseries[i].Samples[:1][0]] = true
	}
	refused, removed := Rules{Type: WriteV1}.ApplyAll(&req, nil, nil)
	if len(refused) != 3 || refused[0].Series != 0 || refused[1].Series != 4 || refused[2].Series != 5 {
		t.Errorf("refused %v", refused)
	}
	if len(req.Timeseries) != 6 || len(removed) != 4 {
		t.Fatalf("%d series left, removed %v", len(req.Timeseries), removed)
	}
	for i := range req.Timeseries {
		if name := req.Timeseries[i].Labels.Get(MetricName); name != fmt.Sprint("m", removed.Index(i)) {
			t.Errorf("series %d is %s, said to be %d", i, name, removed.Index(i))
		}
	}
	for _, ts := range req.Timeseries[:10] {
		delete(slices, &ts.Samples[:1][0])
	}
	if len(slices) != 0 {
		t.Errorf("%d sample slices are lost", len(slices))
	}
	// What a store says about the shortened request names series of the whole one.
	all := removed.AppendRefusals(refused, []Refusal{{Series: 0, Reason: ErrTooOld}, {Series: 5, Reason: ErrOutOfOrder}})
	if len(all) != 5 || all[3].Series != 1 || all[4].Series != 8 || all[4].Reason != ErrOutOfOrder {
		t.Errorf("all refusals: %v", all)
	}
}

func TestRemovedIndex(t *testing.T) {
	for _, removed := range []Removed{nil, {0}, {9}, {0, 1, 2}, {3, 4, 7}, {1, 3, 5, 7, 9}} {
		position := 0
		for original := range 12 {
			if slices.Contains(removed, original) {
				continue
			}
			if got := removed.Index(position); got != original {
				t.Errorf("%v: position %d is %d, want %d", removed, position, got, original)
			}
			position++
		}
	}
}

func TestRulesAllocations(t *testing.T) {
	var req WriteRequest
	for i := range 50 {
		ts := up(Sample{Timestamp: 1})
		ts.Histograms = []Histogram{validHistogram(1), {IsFloat: true, CountFloat: math.NaN()}}
		ts.Exemplars = []Exemplar{{Labels: LabelsFromStrings("trace_id", fmt.Sprint(i))}}
		req.Timeseries = append(req.Timeseries, ts)
	}
	unsorted := Labels{{"z", "1"}, {MetricName, "up"}, {"b", "2"}}
	shuffled := slices.Clone(unsorted)
	req.Timeseries = append(req.Timeseries, TimeSeries{Labels: shuffled, Samples: []Sample{{}}})
	rules := Rules{Type: WriteV2}
	if n := testing.AllocsPerRun(20, func() {
		copy(shuffled, unsorted)
		if refused, removed := rules.ApplyAll(&req, nil, nil); len(refused)+len(removed) > 0 {
			t.Errorf("refused %v", refused)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a valid request, want 0", n)
	}
}

// FuzzRules builds a request of the input and holds ApplyAll to what its documentation says.
func FuzzRules(f *testing.F) {
	f.Add("__name__\x00up\x00job\x00a", "\x01\x02\x03", int64(3), int32(0), false)
	f.Add("job\x00a\x00job\x00\xff", "\xff\x00", int64(0), int32(60), true)
	f.Add("\x00", "", int64(-1), int32(CustomBucketsSchema), true)
	f.Fuzz(func(t *testing.T, text, counts string, count int64, schema int32, two bool) {
		var req WriteRequest
		parts := strings.Split(text, "\x00")
		for i := range parts {
			var ls Labels
			for k := i; k+1 < len(parts); k += 2 {
				ls = append(ls, Label{parts[k], parts[k+1]})
			}
			h := Histogram{Count: uint64(count), Schema: schema, IsFloat: i%2 == 1, Timestamp: int64(i)}
			for _, c := range []byte(counts) {
				h.PositiveDeltas = append(h.PositiveDeltas, int64(int8(c)))
				h.PositiveCounts = append(h.PositiveCounts, float64(int8(c)))
				h.PositiveSpans = append(h.PositiveSpans, BucketSpan{int32(c % 3), uint32(c % 5)})
			}
			ts := TimeSeries{Labels: ls, Histograms: []Histogram{h}, Exemplars: []Exemplar{{Labels: slices.Clone(ls)}}}
			req.Timeseries = append(req.Timeseries, ts)
		}
		rules := Rules{Type: WriteV1}
		if two {
			rules.Type = WriteV2
		}
		total := len(req.Timeseries)
		refused, removed := rules.ApplyAll(&req, nil, nil)
		if len(req.Timeseries)+len(removed) != total {
			t.Fatalf("%d kept, %d removed of %d", len(req.Timeseries), len(removed), total)
		}
		for _, r := range refused {
			if r.Series < 0 || r.Series >= total || r.Reason == nil {
				t.Fatalf("refusal %+v", r)
			}
		}
		for i := range req.Timeseries {
			ts := &req.Timeseries[i]
			if err := ts.Labels.Validate(rules.Names); err != nil {
				t.Fatalf("series %d is kept: %v", i, err)
			}
			for k := range ts.Histograms {
				if h := &ts.Histograms[k]; h.Validate() != nil || h.Schema > MaxSchema {
					t.Fatalf("histogram is kept: %+v, %v", h, h.Validate())
				}
			}
		}
		// A second pass finds nothing more to do.
		if again, gone := rules.ApplyAll(&req, nil, nil); len(again)+len(gone) > 0 {
			t.Fatalf("the second pass refuses %v", again)
		}
	})
}

// TestRefusalsStayBounded: what is refused names long labels in part, and with so many refusals, only the first.
func TestRefusalsStayBounded(t *testing.T) {
	ls := LabelsFromStrings("__name__", "m", "l", strings.Repeat("x", 1<<20))
	reason := fmt.Errorf("series: %w", fmt.Errorf("%w: %w", ErrInvalidExemplar, fmt.Errorf("%w: detail", ErrInvalidUTF8)))
	var refused []Refusal
	text := 0
	for i := range 3000 {
		refused = Rules{}.Refuse(refused, i, ls, reason)
		refused = Rules{}.Refuse(refused, i, ls, reason)
		for _, l := range refused[2*i].Labels {
			text += len(l.Name) + len(l.Value)
		}
		if a, b := refused[2*i].Labels, refused[2*i+1].Labels; len(a) > 0 && (len(b) == 0 || &a[0] != &b[0]) {
			t.Fatal("refusals of one series have a copy each")
		}
	}
	if text != 1000*1034 {
		t.Errorf("refusals hold %d bytes of labels", text)
	}
	last := refused[len(refused)-1]
	if last.Series != 2999 || last.Labels != nil || last.Reason != ErrInvalidExemplar {
		t.Errorf("the last refusal is %v", last)
	}
}
