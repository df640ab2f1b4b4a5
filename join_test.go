package promwire

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
)

// partsOf yields parts the way a reader may: all in the same memory, overwritten for the next one.
func partsOf(err error, parts ...TimeSeries) iter.Seq2[TimeSeries, error] {
	return func(yield func(TimeSeries, error) bool) {
		var shared TimeSeries
		for _, p := range parts {
			shared.Reset()
			shared.Labels = append(shared.Labels, p.Labels...)
			shared.Samples = append(shared.Samples, p.Samples...)
			for i := range p.Histograms {
				shared.Histograms = extend(shared.Histograms)
				p.Histograms[i].copyTo(&shared.Histograms[i])
			}
			shared.Exemplars = append(shared.Exemplars, p.Exemplars...)
			shared.Metadata = p.Metadata
			if !yield(shared, nil) {
				return
			}
			clear(shared.Labels)
			clear(shared.Samples)
			for i := range shared.Histograms {
				clear(shared.Histograms[i].PositiveDeltas)
				clear(shared.Histograms[i].PositiveSpans)
			}
		}
		if err != nil {
			yield(TimeSeries{}, err)
		}
	}
}

func part(name string, times ...int64) TimeSeries {
	ts := TimeSeries{Labels: LabelsFromStrings(MetricName, name, "job", "x")}
	for _, t := range times {
		ts.Samples = append(ts.Samples, Sample{Timestamp: t, Value: float64(t)})
		h := validHistogram(t)
		ts.Histograms = append(ts.Histograms, h)
	}
	return ts
}

func TestJoinSeries(t *testing.T) {
	broken := errors.New("broken")
	tests := []struct {
		name  string
		parts []TimeSeries
		err   error
		want  string
	}{
		{"nothing", nil, nil, ""},
		{"one series", []TimeSeries{part("a", 1, 2)}, nil, "a[1 2] "},
		{"one series in parts", []TimeSeries{part("a", 1), part("a"), part("a", 2, 3)}, nil, "a[1 2 3] "},
		{"several", []TimeSeries{part("a", 1, 2, 3), part("b", 4), part("b", 5), part("c"), part("d", 6)}, nil, "a[1 2 3] b[4 5] c[] d[6] "},
		{"the same again later is another one", []TimeSeries{part("a", 1), part("b", 2), part("a", 3)}, nil, "a[1] b[2] a[3] "},
		{"no labels at all", []TimeSeries{{}, {}}, nil, "[] "},
		{"error at once", nil, broken, "broken "},
		{"error within a series", []TimeSeries{part("a", 1), part("b", 2)}, broken, "a[1] broken "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			for ts, err := range JoinSeries(partsOf(tt.err, tt.parts...)) {
				if err != nil {
					got += err.Error() + " "
					continue
				}
				var times []int64
				for i, s := range ts.Samples {
					times = append(times, s.Timestamp)
					if h := &ts.Histograms[i]; h.Timestamp != s.Timestamp || h.Validate() != nil || len(h.PositiveDeltas) != 3 {
						t.Errorf("histogram %+v next to sample %+v", h, s)
					}
				}
				got += fmt.Sprintf("%s%v ", ts.Labels.Get(MetricName), times)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestJoinSeriesKeepsExemplarsAndMetadata(t *testing.T) {
	first, second := part("a", 1), part("a", 2)
	first.Metadata = Metadata{TypeCounter, "help", "s"}
	first.Exemplars = []Exemplar{{Labels: LabelsFromStrings("id", "1"), Timestamp: 1}}
	second.Exemplars = []Exemplar{{Labels: LabelsFromStrings("id", "2"), Timestamp: 2}}
	for ts, err := range JoinSeries(partsOf(nil, first, second)) {
		if err != nil || ts.Metadata != first.Metadata || len(ts.Exemplars) != 2 || ts.Exemplars[0].Labels.Get("id") != "1" ||
			ts.Exemplars[1].Labels.Get("id") != "2" || ts.Exemplars[1].Timestamp != 2 {
			t.Errorf("got %+v, %v", ts, err)
		}
	}
}

func TestJoinSeriesBreak(t *testing.T) {
	released := false
	parts := func(yield func(TimeSeries, error) bool) {
		defer func() { released = true }()
		partsOf(nil, part("a", 1), part("b", 2), part("c", 3))(yield)
	}
	n := 0
	for range JoinSeries(parts) {
		n++
		break
	}
	if n != 1 || !released {
		t.Errorf("%d series, released %t", n, released)
	}
}

// Neither the number of parts nor that of series costs memory, apart from the labels' two allocations per series.
func TestJoinSeriesMemory(t *testing.T) {
	var parts []TimeSeries
	for i := range 100 {
		for k := range 10 {
			parts = append(parts, part(fmt.Sprint("series", i), int64(k), int64(k)))
		}
	}
	total := 0
	one := func(yield func(TimeSeries, error) bool) {
		for i := range parts {
			if !yield(parts[i], nil) {
				return
			}
		}
	}
	n := testing.AllocsPerRun(5, func() {
		total = 0
		for ts := range JoinSeries(one) {
			total += len(ts.Samples)
		}
	})
	if total != 2000 || n > 2*100+100 {
		t.Errorf("%v allocations for %d samples in 100 series", n, total)
	}
}

func TestClone(t *testing.T) {
	ts := part("a", 1, 2)
	ts.Exemplars = []Exemplar{{Labels: LabelsFromStrings("trace_id", "x"), Value: 1, Timestamp: 2}}
	ts.Metadata = Metadata{TypeCounter, "help", "unit"}
	req := WriteRequest{Timeseries: []TimeSeries{ts}, Metadata: []MetricMetadata{{Metadata{TypeGauge, "h", "u"}, "f"}}}
	before, err := req.AppendProto(nil, WriteV1)
	if err != nil {
		t.Fatal(err)
	}
	clone := req.Clone()
	clear(ts.Labels)
	clear(ts.Samples)
	clear(ts.Exemplars[0].Labels)
	for i := range ts.Histograms {
		clear(ts.Histograms[i].PositiveSpans)
		clear(ts.Histograms[i].PositiveDeltas)
	}
	clear(ts.Histograms)
	clear(ts.Exemplars)
	clear(req.Metadata)
	clear(req.Timeseries)
	if after, err := clone.AppendProto(nil, WriteV1); err != nil || !slices.Equal(after, before) {
		t.Errorf("the copy changed with the original: %v", err)
	}
}
