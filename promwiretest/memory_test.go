package promwiretest_test

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
	"github.com/promwire/promwire/promwiretest"
)

func TestMemoryJudges(t *testing.T) {
	nan := math.Float64frombits(0x7ff0000000000002)
	tests := []struct {
		name      string
		rule      promwiretest.OrderRule
		timestamp int64
		value     float64
		want      error
		holds     int
	}{
		{"newer", promwiretest.RefuseOlder, 30, 1, nil, 3},
		{"same again", promwiretest.RefuseOlder, 20, nan, nil, 2},
		{"same again, not the newest", promwiretest.RefuseOlder, 10, 1, nil, 2},
		{"other value", promwiretest.RefuseOlder, 20, math.NaN(), promwire.ErrDuplicateTimestamp, 2},
		{"older", promwiretest.RefuseOlder, 15, 1, promwire.ErrOutOfOrder, 2},
		{"older taken", promwiretest.TakeOlder, 15, 1, nil, 3},
		{"oldest taken", promwiretest.TakeOlder, 5, 1, nil, 3},
		{"other value, older", promwiretest.TakeOlder, 10, 2, promwire.ErrDuplicateTimestamp, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := promwiretest.NewMemory(tt.rule)
			nanThere := nan
			for _, s := range []promwire.Sample{{Timestamp: 10, Value: 1}, {Timestamp: 20, Value: nanThere}} {
				if _, err := once(m, gauge(1, s.Timestamp, s.Value)); err != nil {
					t.Fatal(err)
				}
			}
			req := gauge(2, tt.timestamp, tt.value)
			req.Timeseries[0], req.Timeseries[1] = req.Timeseries[1], req.Timeseries[0]
			stats, err := once(m, req)
			if promwire.Reason(err) != tt.want {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			var partial *promwire.PartialWriteError
			if errors.As(err, &partial) && (len(partial.Refused) != 1 || partial.Refused[0].Series != 1 || stats.Samples != 1) {
				t.Errorf("refused %v, stats %v", partial.Refused, stats)
			}
			all := m.All()
			if n := len(all[0].Samples); n != tt.holds {
				t.Errorf("%d samples, want %d", n, tt.holds)
			}
			if !slices.IsSortedFunc(all[0].Samples, func(a, b promwire.Sample) int { return int(a.Timestamp - b.Timestamp) }) {
				t.Errorf("out of order: %v", all[0].Samples)
			}
		})
	}
}

// TestMemoryKindsShareTime mixes samples, histograms and exemplars of one series.
func TestMemoryKindsShareTime(t *testing.T) {
	h := workload.Histograms().Timeseries[0].Histograms[0]
	one := func(ts promwire.TimeSeries) *promwire.WriteRequest {
		ts.Labels = labels(0)
		return &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{ts}}
	}
	at := func(timestamp int64) promwire.TimeSeries {
		h := h.Clone()
		h.Timestamp = timestamp
		return promwire.TimeSeries{Histograms: []promwire.Histogram{h}}
	}
	other := at(20)
	other.Histograms[0].Sum++
	exemplar := func(timestamp int64, id string) promwire.TimeSeries {
		return promwire.TimeSeries{Exemplars: []promwire.Exemplar{{Labels: promwire.LabelsFromStrings("t", id), Timestamp: timestamp}}}
	}
	m := promwiretest.NewMemory(promwiretest.RefuseOlder)
	for i, step := range []struct {
		ts   promwire.TimeSeries
		want error
	}{
		{exemplar(1, "a"), promwire.ErrUnknownSeries},
		{promwire.TimeSeries{Samples: []promwire.Sample{{Timestamp: 10}}}, nil},
		{at(10), promwire.ErrDuplicateTimestamp},
		{at(20), nil},
		{at(20), nil},
		{other, promwire.ErrDuplicateTimestamp},
		{promwire.TimeSeries{Samples: []promwire.Sample{{Timestamp: 15}}}, promwire.ErrOutOfOrder},
		{promwire.TimeSeries{Samples: []promwire.Sample{{Timestamp: 20}}}, promwire.ErrDuplicateTimestamp},
		{exemplar(5, "a"), nil},
		{exemplar(5, "a"), nil},
		{exemplar(5, "b"), promwire.ErrDuplicateTimestamp},
		{exemplar(4, "b"), promwire.ErrOutOfOrder},
	} {
		if _, err := once(m, one(step.ts)); promwire.Reason(err) != step.want {
			t.Errorf("step %d: %v, want %v", i, err, step.want)
		}
	}
	if got, want := m.Stats(), (promwire.WriteStats{Samples: 1, Histograms: 1, Exemplars: 1}); got != want {
		t.Errorf("holds %v, want %v", got, want)
	}
}

func TestMemoryReads(t *testing.T) {
	m := promwiretest.NewMemory(promwiretest.RefuseOlder)
	req := workload.ReadSeries(20, 25_000)
	req.Metadata = []promwire.MetricMetadata{{Family: "f", Metadata: promwire.Metadata{Help: "h"}}}
	if _, err := once(m, req); err != nil {
		t.Fatal(err)
	}
	if md, ok := m.Metadata("f"); !ok || md.Help != "h" {
		t.Errorf("metadata %v, %v", md, ok)
	}
	cpu, err := promwire.NewMatcher(promwire.MatchRegexp, "cpu", "1|2")
	if err != nil {
		t.Fatal(err)
	}
	q := promwire.Query{
		Start: time.UnixMilli(workload.Now + workload.ReadStep), End: time.UnixMilli(workload.Now + 24_000*workload.ReadStep),
		Matchers: []promwire.Matcher{cpu},
	}
	var before promwire.Labels
	counts := map[string]int{}
	for part, err := range m.Read(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		if before.Compare(part.Labels) > 0 || len(part.Samples) > 10_000 {
			t.Errorf("part of %d samples: %s after %s", len(part.Samples), part.Labels, before)
		}
		before = part.Labels
		counts[part.Labels.String()] += len(part.Samples)
	}
	if len(counts) != 4 {
		t.Errorf("%d series", len(counts))
	}
	for ls, n := range counts {
		if n != 24_000 {
			t.Errorf("%s: %d samples", ls, n)
		}
	}
}

// TestMemoryManySeries is the size that large tests have: new series with each request, which are sorted once.
func TestMemoryManySeries(t *testing.T) {
	m := promwiretest.NewMemory(promwiretest.TakeOlder)
	for block := range 20 {
		req := gauge(5000, 1, 1)
		for i := range req.Timeseries {
			req.Timeseries[i].Labels = promwire.LabelsFromStrings("__name__", "g", "block", strconv.Itoa(block), "i", strconv.Itoa(i))
		}
		if stats, err := once(m, req); err != nil || stats.Samples != 5000 {
			t.Fatal(stats, err)
		}
	}
	all := m.All()
	if len(all) != 100_000 || !slices.IsSortedFunc(all, func(a, b promwire.TimeSeries) int { return a.Labels.Compare(b.Labels) }) {
		t.Errorf("%d series, or not in order", len(all))
	}
}
