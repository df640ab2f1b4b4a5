package tsdbstore

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/promwire/promwire"
)

// step is one request of a test, and what becomes of it.
type step struct {
	series  []promwire.TimeSeries
	written promwire.WriteStats
	refused []error // in order
}

func samples(n int) promwire.WriteStats { return promwire.WriteStats{Samples: n} }

func TestWriteJudgesTime(t *testing.T) {
	for _, tc := range []struct {
		name   string
		window int64 // out-of-order window in hours; 0: off
		steps  []step
		stored []int64 // times of series m
	}{
		{"in order", 1, []step{{[]promwire.TimeSeries{float("m", -2, 1, -1, 2, 0, 3)}, samples(3), nil}}, []int64{-2, -1, 0}},
		{"same time and value as the newest", 0, []step{
			{[]promwire.TimeSeries{float("m", 0, 1)}, samples(1), nil},
			{[]promwire.TimeSeries{float("m", 0, 1)}, samples(1), nil},
		}, []int64{0}},
		{"same time, other value", 1, []step{
			{[]promwire.TimeSeries{float("m", 0, 1)}, samples(1), nil},
			{[]promwire.TimeSeries{float("m", 0, 2), float("n", 0, 2)}, samples(1), []error{promwire.ErrDuplicateTimestamp}},
		}, []int64{0}},
		{"out of order without window", 0, []step{
			{[]promwire.TimeSeries{float("m", 0, 1)}, samples(1), nil},
			{[]promwire.TimeSeries{float("m", -1000, 1, 1000, 2)}, samples(1), []error{promwire.ErrOutOfOrder}},
		}, []int64{0, 1000}},
		{"out of order in the window", 1, []step{
			{[]promwire.TimeSeries{float("m", 0, 1)}, samples(1), nil},
			{[]promwire.TimeSeries{float("m", -30*60000, 1)}, samples(1), nil},
			{[]promwire.TimeSeries{float("m", -30*60000, 1)}, samples(1), nil},
		}, []int64{-30 * minute, 0}},
		{"too old for the window", 1, []step{
			{[]promwire.TimeSeries{float("m", 0, 1)}, samples(1), nil},
			{[]promwire.TimeSeries{float("m", -61*60000, 1, -59*60000, 2)}, samples(1), []error{promwire.ErrTooOld}},
		}, []int64{-59 * minute, 0}},
		{"out of bounds without window", 0, []step{
			{[]promwire.TimeSeries{float("m", 0, 1)}, samples(1), nil},
			{[]promwire.TimeSeries{float("n", -61*60000, 1), float("n", -59*60000, 2)}, samples(1), []error{promwire.ErrOutOfBounds}},
		}, []int64{0}},
		{"too far in the future", 1, []step{
			{[]promwire.TimeSeries{float("m", 0, 1, 10*60000, 2, 10*60000+1, 3)}, samples(2), []error{promwire.ErrTooFarInFuture}},
		}, []int64{0, 10 * minute}},
		{"before all time", 1, []step{
			{
				[]promwire.TimeSeries{{Labels: labelsOf("__name__", "m"), Samples: []promwire.Sample{{Timestamp: math.MinInt64}}}},
				samples(0),
				[]error{promwire.ErrOutOfBounds},
			},
			{[]promwire.TimeSeries{float("m", 0, 1)}, samples(1), nil},
		}, []int64{0}},
		{"descending in one series", 0, []step{
			{[]promwire.TimeSeries{float("m", 0, 3, -2, 1, -1, 2)}, samples(3), nil},
		}, []int64{-2, -1, 0}},
		{"descending over series of one request", 0, []step{
			{[]promwire.TimeSeries{float("m", 0, 3), float("m", -1, 2), float("m", 1, 4)}, samples(2), []error{promwire.ErrOutOfOrder}},
		}, []int64{0, 1}},
		{"descending over series of one request, in the window", 1, []step{
			{[]promwire.TimeSeries{float("m", 0, 3), float("m", -1, 2), float("m", 1, 4)}, samples(3), nil},
		}, []int64{-1, 0, 1}},
		{"two values at one time in one series", 1, []step{
			{[]promwire.TimeSeries{float("m", 0, 3, 0, 4, 0, 3, 1, 5)}, samples(3), []error{promwire.ErrDuplicateTimestamp}},
		}, []int64{0, 1}},
		{"two values at one time in one request", 1, []step{
			{[]promwire.TimeSeries{float("m", 0, 3), float("m", 0, 4), float("m", 0, 3)}, samples(2), []error{promwire.ErrDuplicateTimestamp}},
		}, []int64{0}},
		{"one bad sample between good ones", 0, []step{
			{[]promwire.TimeSeries{float("m", 0, 1)}, samples(1), nil},
			{[]promwire.TimeSeries{float("a", 0, 1), float("m", 0, 2), float("m", 5, 2), float("z", 0, 1)}, samples(3), []error{promwire.ErrDuplicateTimestamp}},
		}, []int64{0, 5}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := Options{OutOfOrderWindow: -1}
			if tc.window > 0 {
				o.OutOfOrderWindow = 0
			}
			s := openStore(t, t.TempDir(), o)
			for i, st := range tc.steps {
				stats, err := s.Write(t.Context(), &promwire.WriteRequest{Timeseries: st.series})
				if stats != st.written {
					t.Errorf("request %d: wrote %+v, want %+v", i, stats, st.written)
				}
				refused := refusalsOf(t, err)
				if len(refused) != len(st.refused) {
					t.Fatalf("request %d: refused %v, want %v", i, refused, st.refused)
				}
				for k, r := range refused {
					if !errors.Is(r.Reason, st.refused[k]) {
						t.Errorf("request %d: reason %v, want %v", i, r.Reason, st.refused[k])
					}
				}
			}
			for _, ts := range readAll(t, s) {
				if got := times(ts); ts.Labels.Get("__name__") == "m" && !slices.Equal(got, tc.stored) {
					t.Errorf("stored %v, want %v", got, tc.stored)
				}
			}
		})
	}
}

func TestWriteNamesTheRefused(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	mustWrite(t, s, float("m", 0, 1))
	req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
		float("a", 0, 1),
		{Labels: promwire.Labels{{Name: "job", Value: "x"}, {Name: "job", Value: "y"}}, Samples: []promwire.Sample{{Timestamp: base}}},
		{Labels: promwire.Labels{{Name: "b", Value: "x"}, {Name: "a", Value: "x"}, {Name: "b", Value: "y"}}, Samples: []promwire.Sample{{Timestamp: base}}},
		{Samples: []promwire.Sample{{Timestamp: base}}},
		float("m", 0, 2),
	}}
	stats, err := s.Write(t.Context(), req)
	if stats != samples(1) {
		t.Errorf("wrote %+v", stats)
	}
	refused := refusalsOf(t, err)
	want := []promwire.Refusal{
		{Series: 1, Labels: req.Timeseries[1].Labels, Reason: promwire.ErrDuplicateLabel},
		{Series: 2, Labels: req.Timeseries[2].Labels, Reason: promwire.ErrDuplicateLabel},
		{Series: 3, Reason: promwire.ErrNoMetricName},
		{Series: 4, Labels: req.Timeseries[4].Labels, Timestamp: base, Reason: promwire.ErrDuplicateTimestamp},
	}
	if len(refused) != len(want) {
		t.Fatalf("refused %v", refused)
	}
	for i, r := range refused {
		w := want[i]
		if r.Series != w.Series || r.Timestamp != w.Timestamp || !r.Labels.Equal(w.Labels) || !errors.Is(r.Reason, w.Reason) {
			t.Errorf("refusal %d is %v, want %v", i, r, w)
		}
	}
}

func TestWriteSortsLabels(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	unsorted := promwire.Labels{{Name: "z", Value: "1"}, {Name: "__name__", Value: "m"}, {Name: "empty", Value: ""}}
	for v := range 2 {
		mustWrite(t, s, promwire.TimeSeries{Labels: unsorted, Samples: []promwire.Sample{{Timestamp: base + int64(v)}}})
	}
	got := readAll(t, s)
	if len(got) != 1 || !got[0].Labels.Equal(labelsOf("__name__", "m", "z", "1")) || len(got[0].Samples) != 2 {
		t.Errorf("stored %v", got)
	}
}

func TestWriteKeepsNothingOfTheRequest(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	name := []byte("metric_a")
	h := intHistogram(0, 1)
	req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
		{Labels: promwire.Labels{{Name: "__name__", Value: unsafeString(name)}}, Histograms: []promwire.Histogram{h}},
	}}
	if _, err := s.Write(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	copy(name, "CLOBBER!")
	h.PositiveDeltas[0], h.PositiveSpans[0].Offset = 99, 99
	got := readAll(t, s)
	if len(got) != 1 || got[0].Labels.Get("__name__") != "metric_a" {
		t.Fatalf("stored %v", got)
	}
	if h := got[0].Histograms[0]; h.PositiveDeltas[0] != 1 || h.PositiveSpans[0].Offset != 1 {
		t.Errorf("histogram changed: %+v", h)
	}
}

func TestWriteAfterContextEnds(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	stats, err := s.Write(ctx, &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{float("m", 0, 1)}})
	if !errors.Is(err, context.Canceled) || stats != samples(0) {
		t.Errorf("got %+v, %v", stats, err)
	}
	if got := readAll(t, s); len(got) != 0 {
		t.Errorf("stored %v", got)
	}
}

func TestWriteBoundsItsRefusals(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	mustWrite(t, s, float("m", 0, 1))
	bad := promwire.TimeSeries{Labels: labelsOf("__name__", "m", "job", "test")}
	for range 6000 {
		bad.Samples = append(bad.Samples, promwire.Sample{Timestamp: base + 24*hour}, promwire.Sample{Timestamp: base - 24*hour})
	}
	stats, err := s.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{float("m", 0, 2), bad}})
	refused := refusalsOf(t, err)
	if stats != samples(0) || len(refused) != 12_001 {
		t.Fatalf("wrote %+v, refused %d", stats, len(refused))
	}
	if r := refused[0]; !r.Labels.Equal(bad.Labels) || r.Timestamp != base {
		t.Errorf("first refusal %v", r)
	}
	if r := refused[1_999]; !r.Labels.Equal(bad.Labels) || &r.Labels[0] != &refused[1].Labels[0] {
		t.Errorf("refusal %v has labels of its own", r)
	}
	if r := refused[12_000]; r.Series != 1 || r.Labels != nil || r.Reason == nil {
		t.Errorf("last refusal %v", r)
	}
}

// The TSDB panics on labels of more than 16 MiB.
func TestWriteLongLabels(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	long := strings.Repeat("x", 16<<20)
	exemplar := float("m", 0, 1)
	exemplar.Exemplars = []promwire.Exemplar{{Timestamp: base, Value: 1, Labels: promwire.Labels{{Name: "a", Value: long}}}}
	tests := []struct {
		name   string
		series promwire.TimeSeries
		reason error
	}{
		{"value", float(long, 0, 1), promwire.ErrLabelTooLong},
		{"name", promwire.TimeSeries{Labels: labelsOf("__name__", "m", long, "a"), Samples: []promwire.Sample{{Timestamp: base}}}, promwire.ErrLabelTooLong},
		{"exemplar", exemplar, promwire.ErrInvalidExemplar},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := s.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{tt.series}})
			var partial *promwire.PartialWriteError
			if !errors.As(err, &partial) || len(partial.Refused) != 1 || !errors.Is(partial.Refused[0].Reason, tt.reason) {
				t.Fatalf("got %T", err)
			}
			if text := err.Error(); len(text) > 5<<10 {
				t.Errorf("error of %d bytes, refusal with %d labels", len(text), len(partial.Refused[0].Labels))
			}
		})
	}
	mustWrite(t, s, float("other", 0, 1))
}
