package metrics_test

import (
	"context"
	"errors"
	"log"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

// histograms returns the native histograms of the series in the latest request, all of them valid.
func (s *sink) histograms(t *testing.T, series string) []promwire.Histogram {
	t.Helper()
	for _, ts := range s.requests[len(s.requests)-1].Timeseries {
		if ts.Labels.String() != series {
			continue
		}
		for i := range ts.Histograms {
			if err := ts.Histograms[i].Validate(); err != nil {
				t.Fatal(err)
			}
		}
		return ts.Histograms
	}
	return nil
}

func TestNativeHistogramOnTheWire(t *testing.T) {
	reg, p, s, c := setup()
	h := metrics.Must(reg.Histogram("took_seconds", metrics.WithNativeSchema(0), metrics.WithUnit("seconds"), metrics.WithHelp("Time.")))
	c.advance(time.Second)
	for _, v := range []float64{1, 1.5, 2, 40, -3, 0, 1e-40} {
		h.Observe(v)
	}
	push(t, p)
	if n := len(s.requests[0].Timeseries); n != 1 {
		t.Errorf("%d series, want only the native one", n)
	}
	if got, want := s.requests[0].Timeseries[0].Metadata, (promwire.Metadata{
		Type: promwire.TypeHistogram, Help: "Time.", Unit: "seconds",
	}); got != want {
		t.Errorf("metadata %+v, want %+v", got, want)
	}
	got := s.histograms(t, "took_seconds")
	want := promwire.Histogram{
		Timestamp: after(1).UnixMilli(), StartTimestamp: t0.UnixMilli(),
		Count: 7, Sum: 41.5 + 1e-40, Schema: 0, ZeroThreshold: 0x1p-128, ZeroCount: 2,
		PositiveSpans: []promwire.BucketSpan{{Offset: 0, Length: 2}, {Offset: 4, Length: 1}}, PositiveDeltas: []int64{1, 1, -1},
		NegativeSpans: []promwire.BucketSpan{{Offset: 2, Length: 1}}, NegativeDeltas: []int64{1},
	}
	if len(got) != 1 || !equalHistograms(&got[0], &want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func equalHistograms(a, b *promwire.Histogram) bool {
	return a.Timestamp == b.Timestamp && a.StartTimestamp == b.StartTimestamp && a.Count == b.Count && a.Sum == b.Sum &&
		a.Schema == b.Schema && a.ZeroThreshold == b.ZeroThreshold && a.ZeroCount == b.ZeroCount && !a.IsFloat &&
		slices.Equal(a.PositiveSpans, b.PositiveSpans) && slices.Equal(a.PositiveDeltas, b.PositiveDeltas) &&
		slices.Equal(a.NegativeSpans, b.NegativeSpans) && slices.Equal(a.NegativeDeltas, b.NegativeDeltas) &&
		slices.Equal(a.CustomValues, b.CustomValues)
}

func TestCustomBucketsOnTheWire(t *testing.T) {
	reg, p, s, _ := setup()
	h := metrics.Must(reg.Histogram("h", metrics.WithNativeBounds(-1, 0.5, 1, 2, 3, 4)))
	for _, v := range []float64{-5, -1, 0.5, 4, 4.1, 1e9} {
		h.Observe(v)
	}
	push(t, p)
	got := s.histograms(t, "h")
	want := promwire.Histogram{
		Timestamp: t0.UnixMilli(), StartTimestamp: t0.UnixMilli() - 1, Count: 6, Sum: 1e9 + 2.6, Schema: promwire.CustomBucketsSchema,
		PositiveSpans:  []promwire.BucketSpan{{Offset: 0, Length: 2}, {Offset: 3, Length: 2}},
		PositiveDeltas: []int64{2, -1, 0, 1}, CustomValues: []float64{-1, 0.5, 1, 2, 3, 4},
	}
	if len(got) != 1 || !equalHistograms(&got[0], &want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	none := metrics.Must(reg.Histogram("none", metrics.WithNativeBounds()))
	none.Observe(3)
	push(t, p)
	if got := s.histograms(t, "none"); got[0].Count != 1 || len(got[0].CustomValues) != 0 {
		t.Errorf("without bounds: %+v", got)
	}
}

// One cumulative histogram per observation time, next to the classic series of the same instrument.
func TestNativeAndClassicAtOnce(t *testing.T) {
	reg, p, s, c := setup()
	h := metrics.Must(reg.HistogramVec("h", []string{"a"}, metrics.WithNativeGrowth(2), metrics.WithBounds(1))).With("x")
	for _, o := range []point{{-60, 0.5}, {-120, 3}, {-60, 8}} {
		if err := h.ObserveAt(o.v, after(o.at)); err != nil {
			t.Fatal(err)
		}
	}
	h.Observe(3)
	s.err = errDown
	if err := p.Push(t.Context()); !errors.Is(err, errDown) {
		t.Fatal(err)
	}
	h.Observe(4)
	s.err = nil
	c.advance(time.Second)
	push(t, p) // the floating sample is made anew, the others stay
	s.want(t, `h_bucket{a="x",le="1.0"}`, point{-120, 0}, point{-60, 1}, point{1, 1})
	s.want(t, `h_count{a="x"}`, point{-120, 1}, point{-60, 3}, point{1, 5})
	s.want(t, `h_sum{a="x"}`, point{-120, 3}, point{-60, 11.5}, point{1, 18.5})
	var got []point
	for _, n := range s.histograms(t, `h{a="x"}`) {
		got = append(got, point{float64(n.Timestamp-t0.UnixMilli()) / 1000, float64(n.Count)})
		if n.StartTimestamp != after(-120).UnixMilli()-1 {
			t.Errorf("start %d, want that of the classic series", n.StartTimestamp)
		}
	}
	if want := []point{{-120, 1}, {-60, 3}, {1, 5}}; !slices.Equal(got, want) {
		t.Errorf("native: got %v, want %v", got, want)
	}
	var order []string
	for _, ts := range s.requests[1].Timeseries {
		order = append(order, ts.Labels.Get(promwire.MetricName))
	}
	if want := "h h_bucket h_bucket h_count h_sum"; strings.Join(order, " ") != want {
		t.Errorf("series %v, want %s", order, want)
	}
	push(t, p)
	s.wantRequests(t, 2)
}

func TestNativeResolutionIsReduced(t *testing.T) {
	reg, p, s, _ := setup()
	h := metrics.Must(reg.Histogram("h", metrics.WithNativeSchema(2), metrics.WithMaxNativeBuckets(4), metrics.WithZeroThreshold(0)))
	for _, v := range []float64{0.9, 1.1, 1.3, 1.5} { // buckets 0 to 3
		h.Observe(v)
	}
	push(t, p)
	if got := s.histograms(t, "h")[0]; got.Schema != 2 || got.Count != 4 || got.ZeroThreshold != 0 {
		t.Errorf("at the limit: %+v", got)
	}
	h.Observe(2)
	h.Observe(0)
	push(t, p)
	got := s.histograms(t, "h")[0]
	if want := []int64{1, 1, 0}; got.Schema != 1 || got.Count != 6 || got.ZeroCount != 1 || !slices.Equal(got.PositiveDeltas, want) {
		t.Errorf("above the limit: %+v, want schema 1 and deltas %v", got, want)
	}
	// Recordings with a time, into a series whose others are coarser.
	if err := h.ObserveAt(2, t0.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		h.Observe(-math.Exp2(float64(i)))
	}
	push(t, p)
	hs := s.histograms(t, "h")
	if last := hs[len(hs)-1]; last.Count != 47 || last.Schema != promwire.MinSchema {
		t.Errorf("in the end: %+v", last)
	}
}

func TestNativeOptions(t *testing.T) {
	for growth, schema := range map[float64]int32{
		65536: -4, 1e9: -4, 4: -1, 3: 0, 2: 0, 1.5: 1, 1.1: 3, 1.01: 7, 1.0028: 8, math.Exp2(1. / 256): 8, math.Exp2(0.25): 2,
	} {
		reg, p, s, _ := setup()
		metrics.Must(reg.Histogram("h", metrics.WithNativeGrowth(growth))).Observe(1)
		push(t, p)
		if got := s.histograms(t, "h")[0].Schema; got != schema {
			t.Errorf("growth %v: schema %d, want %d", growth, got, schema)
		}
	}
	type opts = []metrics.HistogramOption
	tests := []struct {
		name string
		opts opts
		is   error
		text string
	}{
		{"growth 1", opts{metrics.WithNativeGrowth(1)}, metrics.ErrInvalidNative, "growth factor 1, use at least 1.0028"},
		{"growth NaN", opts{metrics.WithNativeGrowth(math.NaN())}, metrics.ErrInvalidNative, "growth factor NaN"},
		{"growth +Inf", opts{metrics.WithNativeGrowth(math.Inf(1))}, metrics.ErrInvalidNative, "growth factor +Inf"},
		{"schema 9", opts{metrics.WithNativeSchema(9)}, metrics.ErrInvalidNative, "schema 9, use -4 to 8"},
		{"schema -5", opts{metrics.WithNativeSchema(-5)}, metrics.ErrInvalidNative, "schema -5, use -4 to 8"},
		{
			"no buckets",
			opts{metrics.WithNativeSchema(1), metrics.WithMaxNativeBuckets(0)},
			metrics.ErrInvalidNative,
			"at most 0 buckets, use 1 or more",
		},
		{
			"threshold",
			opts{metrics.WithZeroThreshold(-1), metrics.WithNativeSchema(1)},
			metrics.ErrInvalidNative,
			"zero threshold -1, use a finite number, not negative",
		},
		{"limit of classic", opts{metrics.WithMaxNativeBuckets(5)}, metrics.ErrInvalidNative, "are of exponential buckets"},
		{"both", opts{metrics.WithNativeSchema(1), metrics.WithNativeBounds(1)}, metrics.ErrInvalidNative, "exclude each other"},
		{"bounds", opts{metrics.WithNativeBounds(1, 1)}, metrics.ErrInvalidBounds, "1 does not exceed 1"},
		{"bound +Inf", opts{metrics.WithNativeBounds(math.Inf(1))}, metrics.ErrInvalidBounds, "leave +Inf out"},
	}
	for _, tt := range tests {
		_, err := metrics.NewRegistry().Histogram("h", tt.opts...)
		if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.text)
		}
	}
}

func TestNativeConflicts(t *testing.T) {
	reg := metrics.NewRegistry()
	same := metrics.Must(reg.Histogram("h", metrics.WithNativeGrowth(1.1)))
	if again, err := reg.Histogram("h", metrics.WithNativeSchema(3)); again != same || err != nil {
		t.Errorf("growth 1.1 is not schema 3: %v", err)
	}
	for name, o := range map[string][]metrics.HistogramOption{
		"schema": {metrics.WithNativeSchema(4)}, "limit": {metrics.WithNativeSchema(3), metrics.WithMaxNativeBuckets(5)},
		"classic": nil, "classic too": {metrics.WithNativeSchema(3), metrics.WithBounds(1)},
		"threshold": {metrics.WithNativeSchema(3), metrics.WithZeroThreshold(0)}, "custom": {metrics.WithNativeBounds(1)},
	} {
		_, err := reg.Histogram("h", o...)
		if !errors.Is(err, metrics.ErrConflict) || !strings.Contains(err.Error(), "native schema 3, at most 160 buckets, zero threshold") {
			t.Errorf("%s: got %v, want ErrConflict", name, err)
		}
	}
}

func TestNativeRecordingDoesNotAllocate(t *testing.T) {
	reg, _, _, clock := setup()
	p := metrics.NewPusher(reg, discard)
	h := metrics.Must(reg.Histogram("h", metrics.WithNativeGrowth(1.1), metrics.WithBounds(1)))
	custom := metrics.Must(reg.Histogram("c", metrics.WithNativeBounds(1, 2)))
	run := func() {
		for i := range 10 {
			h.Observe(float64(i))
			custom.Observe(float64(i))
			clock.advance(time.Second)
			if h.ObserveAt(float64(-i), clock.now) != nil || custom.ObserveAt(1, clock.now) != nil {
				t.Error("refused")
			}
		}
		push(t, p)
	}
	run() // each sample grows to the number of buckets
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations for recordings and a push, want 0", n)
	}
}

// The memory of a large push is let go of, and the next one is right.
func TestNativePushAfterLargerOne(t *testing.T) {
	reg, p, s, c := setup()
	h := metrics.Must(reg.Histogram("h", metrics.WithNativeSchema(0)))
	for i := range 100 {
		if err := h.ObserveAt(float64(1+i), after(float64(i))); err != nil {
			t.Fatal(err)
		}
	}
	push(t, p)
	if got := s.histograms(t, "h"); len(got) != 100 || got[99].Count != 100 {
		t.Fatalf("%d histograms", len(got))
	}
	c.advance(time.Hour)
	h.Observe(1)
	s.err = &promwire.HTTPError{StatusCode: 400} // the floating one is to be sent again
	if err := p.Push(t.Context()); err == nil {
		t.Fatal("no error")
	}
	s.err = nil
	push(t, p)
	if got := s.histograms(t, "h"); len(got) != 1 || got[0].Count != 101 {
		t.Errorf("got %+v", got)
	}
}

func TestNativeConcurrently(t *testing.T) {
	const workers, rounds = 4, 300
	reg := metrics.NewRegistry()
	var last promwire.Histogram
	p := metrics.NewPusher(reg, writerFunc(func(req *promwire.WriteRequest) error {
		h := req.Timeseries[0].Histograms
		last = h[len(h)-1].Clone()
		return last.Validate()
	}))
	took := metrics.Must(reg.Histogram("took", metrics.WithNativeSchema(8), metrics.WithMaxNativeBuckets(20)))
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for i := range rounds {
				took.Observe(float64((i*7 + worker) % 100))
			}
		})
	}
	wg.Go(func() {
		for range 30 {
			if err := p.Push(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	took.Observe(1)
	push(t, p)
	if last.Count != workers*rounds+1 {
		t.Errorf("count %d, want %d", last.Count, workers*rounds+1)
	}
}

// A native histogram is one series, whatever number of buckets it has.
func ExampleWithNativeGrowth() {
	reg := metrics.NewRegistry()
	took := metrics.Must(reg.Histogram("took_seconds", metrics.WithNativeGrowth(2)))
	for _, seconds := range []float64{0.4, 3, 3.5} {
		took.Observe(seconds)
	}
	if err := metrics.NewPusher(reg, metrics.NewDebugWriter(os.Stdout, nil)).Push(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// [DEBUG] remote_write_req_seq: 1
	// # TYPE took_seconds histogram
	// took_seconds {count:3, sum:6.9, (0.25,0.5]:1, (2,4]:2}
}

// Bounds of one's own in a native histogram, next to the classic series for older dashboards.
func ExampleWithNativeBounds() {
	reg := metrics.NewRegistry()
	took := metrics.Must(reg.Histogram("took_seconds", metrics.WithNativeBounds(0.5, 1), metrics.WithBounds(1)))
	took.Observe(0.75)
	if err := metrics.NewPusher(reg, metrics.NewDebugWriter(os.Stdout, nil)).Push(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// [DEBUG] remote_write_req_seq: 1
	// # TYPE took_seconds histogram
	// took_seconds {count:1, sum:0.75, (0.5,1]:1}
	// took_seconds_bucket{le="1"} 1
	// took_seconds_bucket{le="+Inf"} 1
	// took_seconds_count 1
	// took_seconds_sum 0.75
}

// A push in several requests that fails halfway keeps the newest histograms, in order.
func TestNativePushInPartsThatFails(t *testing.T) {
	reg, _, s, _ := setup()
	p := metrics.NewPusher(reg, s, metrics.WithMaxSamples(2))
	h := metrics.Must(reg.Histogram("h", metrics.WithNativeSchema(0)))
	for i := range 5 {
		if err := h.ObserveAt(1, after(float64(i))); err != nil {
			t.Fatal(err)
		}
	}
	requests := 0
	flaky := metrics.NewPusher(reg, writerFunc(func(*promwire.WriteRequest) error {
		if requests++; requests == 2 {
			return errDown
		}
		return nil
	}), metrics.WithMaxSamples(2))
	if err := flaky.Push(t.Context()); !errors.Is(err, errDown) {
		t.Fatal(err)
	}
	push(t, p)
	s.wantRequests(t, 2)
	var got []uint64
	for _, req := range s.requests {
		for _, n := range req.Timeseries[0].Histograms {
			got = append(got, n.Count)
		}
	}
	if !slices.Equal(got, []uint64{3, 4, 5}) {
		t.Errorf("counts %v, want those that were not delivered, 3 to 5", got)
	}
}
