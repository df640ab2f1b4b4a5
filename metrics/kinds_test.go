package metrics_test

import (
	"bytes"
	"context"
	"errors"
	"log"
	"math"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

func TestGaugeTime(t *testing.T) {
	reg, p, s, c := setup()
	g := metrics.Must(reg.Gauge("g"))
	g.SetToCurrentTime()
	push(t, p)
	s.want(t, "g", point{0, 1_700_000_000})
	c.advance(time.Second)
	g.SetTime(time.Unix(-5, 500_000_000))
	push(t, p)
	s.want(t, "g", point{1, -4.5})
}

func TestGaugeFunc(t *testing.T) {
	reg, p, s, c := setup()
	v := 1.5
	g := metrics.Must(reg.GaugeFunc("depth", func() float64 { return v }))
	c.advance(time.Second)
	push(t, p)
	s.want(t, "depth", point{1, 1.5})
	c.advance(time.Second)
	push(t, p) // unchanged, but as of now
	s.want(t, "depth", point{2, 1.5})

	s.err, v = errDown, 3
	c.advance(time.Second)
	if err := p.Push(t.Context()); !errors.Is(err, errDown) {
		t.Fatal(err)
	}
	s.err, v = nil, 4
	c.advance(time.Second)
	push(t, p) // in place of the sample that failed
	s.want(t, "depth", point{4, 4})
	if got := s.requests[0].Timeseries[0]; got.Metadata.Type != promwire.TypeGauge || got.Samples[0].StartTimestamp != 0 {
		t.Errorf("got %+v", got)
	}

	if again := metrics.Must(reg.GaugeFunc("depth", func() float64 { return 7 })); again != g {
		t.Error("the same definition gives another instrument")
	}
	push(t, p)
	s.want(t, "depth", point{4.001, 7})
	n := len(s.requests)
	g.Set(nil)
	push(t, p)
	s.wantRequests(t, n)
}

func TestFunctionThatPanics(t *testing.T) {
	reg, p, s, _ := setup()
	gauges := metrics.Must(reg.GaugeFuncVec("g", []string{"a"}))
	gauges.With("bad").Set(func() float64 { panic("out of order") })
	gauges.With("good").Set(func() float64 { return 1 })
	err := p.Push(t.Context())
	if want := `metrics: g{a="bad"}: invalid value: the function panicked: out of order`; err == nil || err.Error() != want ||
		!errors.Is(err, metrics.ErrInvalidValue) {
		t.Errorf("got %v, want %s", err, want)
	}
	s.want(t, `g{a="bad"}`)
	s.want(t, `g{a="good"}`, point{0, 1})
}

// A function may use other instruments, and even its own.
func TestFunctionMayRecord(t *testing.T) {
	reg, p, s, _ := setup()
	calls := metrics.Must(reg.Counter("calls"))
	var g *metrics.GaugeFunc
	g = metrics.Must(reg.GaugeFunc("g", func() float64 { calls.Inc(); g.Set(nil); return 1 }))
	push(t, p)
	calls.Inc()
	push(t, p)
	s.want(t, "calls_total", point{0, 2})
}

func TestCounterFunc(t *testing.T) {
	reg, p, s, c := setup()
	v := 5.0
	metrics.Must(reg.CounterFunc("reads", func() float64 { return v }, metrics.WithHelp("Reads.")))
	push(t, p)
	s.want(t, "reads_total", point{0, 5})
	ts := s.requests[0].Timeseries[0]
	if want := (promwire.Metadata{Type: promwire.TypeCounter, Help: "Reads."}); ts.Metadata != want || ts.Samples[0].StartTimestamp != 0 {
		t.Errorf("got %+v, want %+v and no start", ts, want)
	}
	for _, bad := range []float64{-1, math.NaN(), math.Inf(1)} {
		v = bad
		c.advance(time.Second)
		if err := p.Push(t.Context()); !errors.Is(err, metrics.ErrInvalidValue) || !strings.Contains(err.Error(), "a counter's function returned") {
			t.Errorf("%v: got %v", bad, err)
		}
	}
	s.wantRequests(t, 1)
	v = 4 // began anew
	push(t, p)
	s.want(t, "reads_total", point{3, 4})
}

func TestInfo(t *testing.T) {
	reg, p, s, _ := setup(metrics.WithConstLabel("job", "j"))
	ls := promwire.LabelsFromStrings("version", "1.2", "commit", "abc")
	i := metrics.Must(reg.Info("build", ls, metrics.WithHelp("The build.")))
	push(t, p)
	s.wantRequests(t, 0)
	i.Set()
	push(t, p)
	s.want(t, `build_info{commit="abc",job="j",version="1.2"}`, point{0, 1})
	if got, want := s.requests[0].Timeseries[0].Metadata, (promwire.Metadata{Type: promwire.TypeInfo, Help: "The build."}); got != want {
		t.Errorf("metadata %+v, want %+v", got, want)
	}
	if again := metrics.Must(reg.Info("build_info", ls)); again != i {
		t.Error("the suffix makes another instrument")
	}
	if err := i.SetAt(after(5)); err != nil {
		t.Fatal(err)
	}
	push(t, p)
	s.want(t, `build_info{commit="abc",job="j",version="1.2"}`, point{5, 1})
	if err := i.SetAt(after(5)); !errors.Is(err, metrics.ErrLate) {
		t.Errorf("got %v, want ErrLate", err)
	}
	metrics.Must(reg.InfoVec("target", []string{"os"})).With("linux").Set()
	push(t, p)
	s.want(t, `target_info{job="j",os="linux"}`, point{0, 1})
}

func TestStateSet(t *testing.T) {
	reg, p, s, c := setup()
	set := metrics.Must(reg.StateSetVec("phase", []string{"zone"}, []string{"idle", "busy", "down"})).With("a")
	want := func(idle, busy, down []point) {
		t.Helper()
		s.want(t, `phase{phase="idle",zone="a"}`, idle...)
		s.want(t, `phase{phase="busy",zone="a"}`, busy...)
		s.want(t, `phase{phase="down",zone="a"}`, down...)
	}
	set.Set("idle", true)
	set.Set("busy", true)
	set.Set("busy", false)
	push(t, p)
	want([]point{{0, 1}}, []point{{0, 0}}, []point{{0, 0}})
	if got := s.requests[0].Timeseries[0].Metadata.Type; got != promwire.TypeStateSet {
		t.Errorf("type %v", got)
	}

	c.advance(10 * time.Second)
	if err := errors.Join(set.SetAt("down", true, after(2)), set.SetOnlyAt("busy", after(3)), set.SetAt("busy", false, after(1))); err != nil {
		t.Fatal(err)
	}
	set.SetOnly("idle")
	push(t, p)
	want([]point{{1, 1}, {2, 1}, {3, 0}, {10, 1}}, []point{{1, 0}, {2, 0}, {3, 1}, {10, 0}}, []point{{1, 0}, {2, 1}, {3, 0}, {10, 0}})

	if err := set.SetAt("gone", true, after(20)); !errors.Is(err, metrics.ErrInvalidValue) ||
		!strings.Contains(err.Error(), `there is no state "gone", there are ["idle" "busy" "down"]`) {
		t.Errorf("got %v", err)
	}
	set.SetOnly("gone")
	if err := p.Push(t.Context()); !errors.Is(err, metrics.ErrInvalidValue) {
		t.Errorf("got %v, want ErrInvalidValue", err)
	}
	if err := set.SetOnlyAt("idle", after(3)); !errors.Is(err, metrics.ErrLate) {
		t.Errorf("got %v, want ErrLate", err)
	}
}

func TestSummary(t *testing.T) {
	reg, p, s, c := setup()
	sum := metrics.Must(reg.SummaryVec("took_seconds", []string{"a"}, []float64{0, 0.5, 1}, metrics.WithUnit("seconds"))).With("x")
	sum.Set(metrics.SummaryValue{Count: 2, Sum: 3, Quantiles: []float64{1, 1, 2}})
	for at, count := range map[float64]uint64{-2: 1, 5: 4, 3: 3} {
		v := metrics.SummaryValue{Count: count, Sum: float64(count), Quantiles: []float64{0, float64(count), 9}}
		if err := sum.SetAt(v, after(at)); err != nil {
			t.Fatal(err)
		}
	}
	s.err = errDown
	if err := p.Push(t.Context()); !errors.Is(err, errDown) {
		t.Fatal(err)
	}
	s.err = nil
	c.advance(time.Minute)
	push(t, p)
	s.want(t, `took_seconds{a="x",quantile="0.0"}`, point{-2, 0}, point{0, 1}, point{3, 0}, point{5, 0})
	s.want(t, `took_seconds{a="x",quantile="0.5"}`, point{-2, 1}, point{0, 1}, point{3, 3}, point{5, 4})
	s.want(t, `took_seconds{a="x",quantile="1.0"}`, point{-2, 9}, point{0, 2}, point{3, 9}, point{5, 9})
	s.want(t, `took_seconds_count{a="x"}`, point{-2, 1}, point{0, 2}, point{3, 3}, point{5, 4})
	s.want(t, `took_seconds_sum{a="x"}`, point{-2, 1}, point{0, 3}, point{3, 3}, point{5, 4})
	for _, ts := range s.requests[1].Timeseries {
		if want := (promwire.Metadata{Type: promwire.TypeSummary, Unit: "seconds"}); ts.Metadata != want || ts.Samples[0].StartTimestamp != 0 {
			t.Errorf("%v: %+v, start %d", ts.Labels, ts.Metadata, ts.Samples[0].StartTimestamp)
		}
	}

	// What failed is made anew, but not over what is newer.
	sum.Set(metrics.SummaryValue{Count: 10, Quantiles: []float64{0, math.NaN(), 0}})
	s.err = errDown
	if err := p.Push(t.Context()); !errors.Is(err, errDown) {
		t.Fatal(err)
	}
	s.err = nil
	if err := sum.SetAt(metrics.SummaryValue{Count: 11, Quantiles: make([]float64, 3)}, after(61)); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Minute)
	push(t, p)
	s.want(t, `took_seconds_count{a="x"}`, point{61, 11}, point{120, 11})

	bad := metrics.SummaryValue{Count: 1, Quantiles: []float64{1}}
	if err := sum.SetAt(bad, after(300)); !errors.Is(err, metrics.ErrInvalidValue) || !strings.Contains(err.Error(), "1 quantiles, the summary has 3") {
		t.Errorf("got %v", err)
	}
	sum.Set(bad)
	if err := p.Push(t.Context()); !errors.Is(err, metrics.ErrInvalidValue) {
		t.Errorf("got %v, want ErrInvalidValue", err)
	}
	if err := sum.SetAt(metrics.SummaryValue{Quantiles: make([]float64, 3)}, after(61)); !errors.Is(err, metrics.ErrLate) {
		t.Errorf("got %v, want ErrLate", err)
	}
}

func TestTimer(t *testing.T) {
	reg, p, s, c := setup()
	took := metrics.Must(reg.Histogram("took_seconds", metrics.WithBounds(1)))
	timer := metrics.NewTimer(took)
	c.advance(1500 * time.Millisecond)
	if d := timer.ObserveDuration(); d != 1500*time.Millisecond {
		t.Errorf("got %v, want 1.5s", d)
	}
	c.advance(-time.Hour)
	if d := timer.ObserveDuration(); d != 0 {
		t.Errorf("clock went back: got %v, want 0", d)
	}
	c.advance(time.Hour)
	push(t, p)
	s.want(t, "took_seconds_sum", point{1.5, 1.5})
	s.want(t, "took_seconds_count", point{1.5, 2})
	if d, err := metrics.NewTimerAt(took, after(1)).ObserveDurationAt(after(3)); d != 2*time.Second || err != nil {
		t.Errorf("got %v, %v", d, err)
	}
	if _, err := timer.ObserveDurationAt(after(-1)); !errors.Is(err, metrics.ErrInvalidValue) {
		t.Errorf("negative: got %v, want ErrInvalidValue", err)
	}
	push(t, p)
	s.want(t, "took_seconds_sum", point{3, 3.5})
}

func TestDurationUnits(t *testing.T) {
	for unit, want := range map[string]float64{
		"seconds": 5400, "milliseconds": 5.4e6, "microseconds": 5.4e9, "nanoseconds": 5.4e12, "minutes": 90, "hours": 1.5, "days": 0.0625, "": 5400,
	} {
		reg, p, s, _ := setup()
		h := metrics.Must(reg.Histogram("took_"+unit, metrics.WithUnit(unit)))
		h.ObserveDuration(90 * time.Minute)
		push(t, p)
		s.want(t, "took_"+unit+"_sum", point{0, want})
	}
	reg, p, _, _ := setup()
	h := metrics.Must(reg.Histogram("size_bytes", metrics.WithUnit("bytes")))
	h.ObserveDuration(time.Second)
	const want = "metrics: size_bytes_sum: invalid value: a histogram of bytes can't observe 1s"
	if err := p.Push(t.Context()); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := h.ObserveDurationAt(time.Second, t0); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestKindConstructorErrors(t *testing.T) {
	states := func(s ...string) func(*metrics.Registry) error {
		return func(r *metrics.Registry) error { _, err := r.StateSet("phase", s); return err }
	}
	quantiles := func(q ...float64) func(*metrics.Registry) error {
		return func(r *metrics.Registry) error { _, err := r.Summary("s", q); return err }
	}
	tests := []struct {
		name string
		make func(*metrics.Registry) error
		is   error
		text string
	}{
		{"no states", states(), metrics.ErrInvalidStates, "there is none"},
		{"empty state", states("a", ""), metrics.ErrInvalidStates, `"" is empty or not UTF-8`},
		{"state not UTF-8", states("\xff"), metrics.ErrInvalidStates, "not UTF-8"},
		{"state twice", states("a", "a"), metrics.ErrInvalidStates, `"a" is repeated`},
		{"label as the set", func(r *metrics.Registry) error {
			_, err := r.StateSetVec("phase", []string{"phase"}, []string{"a"})
			return err
		}, promwire.ErrDuplicateLabel, `"phase"`},
		{"set with colon", func(r *metrics.Registry) error {
			_, err := r.StateSet("a:b", []string{"a"})
			return err
		}, promwire.ErrInvalidName, `label name "a:b"`},
		{"unit of a set", func(r *metrics.Registry) error {
			_, err := r.StateSet("x_seconds", []string{"a"}, metrics.WithUnit("seconds"))
			return err
		}, metrics.ErrInvalidUnit, "this type has none"},
		{"unit of an info", func(r *metrics.Registry) error {
			_, err := r.Info("x_seconds", nil, metrics.WithUnit("seconds"))
			return err
		}, metrics.ErrInvalidUnit, "this type has none"},
		{"info label twice", func(r *metrics.Registry) error {
			_, err := r.Info("x", promwire.Labels{{Name: "a", Value: "1"}, {Name: "a", Value: "2"}})
			return err
		}, promwire.ErrDuplicateLabel, `"a"`},
		{"quantile above 1", quantiles(0.5, 1.1), metrics.ErrInvalidQuantiles, "1.1 is not within 0 and 1"},
		{"quantile NaN", quantiles(math.NaN()), metrics.ErrInvalidQuantiles, "NaN"},
		{"quantile twice", quantiles(0.5, 0.5), metrics.ErrInvalidQuantiles, "0.5 does not exceed 0.5"},
		{"summary over a gauge", func(r *metrics.Registry) error {
			metrics.Must(r.Gauge("s_count"))
			_, err := r.Summary("s", nil)
			return err
		}, metrics.ErrConflict, `"s_count" belongs to gauge`},
		{"gauge over a function", func(r *metrics.Registry) error {
			metrics.Must(r.GaugeFunc("x", nil))
			_, err := r.Gauge("x")
			return err
		}, metrics.ErrConflict, `"x" belongs to gauge "x" of a function`},
		{"other states", func(r *metrics.Registry) error {
			metrics.Must(r.StateSet("x", []string{"a"}))
			_, err := r.StateSet("x", []string{"b"})
			return err
		}, metrics.ErrConflict, `belongs to stateset "x" with states ["a"]`},
		{"other quantiles", func(r *metrics.Registry) error {
			metrics.Must(r.Summary("x", []float64{0.5}))
			_, err := r.Summary("x", []float64{0.9})
			return err
		}, metrics.ErrConflict, `belongs to summary "x" with quantiles [0.5]`},
		{"function without a name", func(r *metrics.Registry) error {
			_, err := r.CounterFunc("", func() float64 { return 1 })
			return err
		}, promwire.ErrInvalidName, `metric name ""`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.make(metrics.NewRegistry()); !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %v\nwant %v with %q", err, tt.is, tt.text)
			}
		})
	}
}

func TestKindsDoNotAllocate(t *testing.T) {
	reg, _, _, clock := setup()
	p := metrics.NewPusher(reg, discard)
	i := metrics.Must(reg.Info("build", promwire.LabelsFromStrings("version", "1")))
	set := metrics.Must(reg.StateSet("phase", []string{"a", "b"}))
	sum := metrics.Must(reg.Summary("s", []float64{0.5}))
	h := metrics.Must(reg.Histogram("h"))
	v := 0.0
	metrics.Must(reg.GaugeFunc("f", func() float64 { v++; return v }))
	metrics.Must(reg.CounterFunc("f", func() float64 { return v }))
	run := func() {
		for n := range 3 {
			clock.advance(time.Second)
			i.Set()
			set.Set("a", n == 1)
			set.SetOnly("b")
			sum.Set(metrics.SummaryValue{Count: 1, Quantiles: []float64{v}})
			metrics.NewTimer(h).ObserveDuration()
			if i.SetAt(clock.now) != nil || set.SetOnlyAt("a", clock.now) != nil ||
				sum.SetAt(metrics.SummaryValue{Count: 2, Quantiles: []float64{v}}, clock.now) != nil {
				t.Error("refused")
			}
		}
		push(t, p)
	}
	run()
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestKindsConcurrently(t *testing.T) {
	reg := metrics.NewRegistry()
	newest := map[string]int64{}
	p := metrics.NewPusher(reg, writerFunc(func(req *promwire.WriteRequest) error {
		for _, ts := range req.Timeseries {
			for _, s := range ts.Samples {
				if name := ts.Labels.String(); s.Timestamp > newest[name] {
					newest[name] = s.Timestamp
				} else {
					return errors.New(name + " goes back in time")
				}
			}
		}
		return nil
	}))
	infos := metrics.Must(reg.InfoVec("i", []string{"a"}))
	sets := metrics.Must(reg.StateSetVec("state", []string{"a"}, []string{"x", "y"}))
	sums := metrics.Must(reg.SummaryVec("s", []string{"a"}, []float64{0.5}))
	funcs := metrics.Must(reg.GaugeFuncVec("f", []string{"a"}))
	var wg sync.WaitGroup
	for _, name := range []string{"a", "b", "a"} {
		wg.Go(func() {
			for n := range 200 {
				infos.With(name).Set()
				sets.With(name).SetOnly("y")
				sums.With(name).Set(metrics.SummaryValue{Count: uint64(n), Quantiles: []float64{1}})
				funcs.With(name).Set(func() float64 { return float64(n) })
			}
		})
	}
	wg.Go(func() {
		for range 50 {
			if err := p.Push(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	push(t, p)
	if len(newest) != 2*(1+2+3+1) {
		t.Errorf("%d series, want 14", len(newest))
	}
}

// Every kind as text, in one request.
func TestDebugWriterShowsAllKinds(t *testing.T) {
	var out bytes.Buffer
	reg := metrics.NewRegistry(metrics.WithClock((&clock{t0}).Now))
	metrics.Must(reg.CounterFunc("reads", func() float64 { return 3 }))
	metrics.Must(reg.GaugeFunc("depth", func() float64 { return 0.5 }))
	metrics.Must(reg.Gauge("success_time")).SetToCurrentTime()
	metrics.Must(reg.Info("build", promwire.LabelsFromStrings("version", "1.2"))).Set()
	metrics.Must(reg.StateSet("phase", []string{"idle", "busy"})).SetOnly("busy")
	metrics.Must(reg.Summary("size_bytes", []float64{0.5, 1})).Set(metrics.SummaryValue{Count: 2, Sum: 30, Quantiles: []float64{10, 20}})
	metrics.Must(reg.Histogram("n", metrics.WithNativeSchema(0))).ObserveWithExemplar(3, trace("x"))
	metrics.Must(reg.Counter("hits")).AddWithExemplar(2, trace("y"))
	push(t, metrics.NewPusher(reg, metrics.NewDebugWriter(&out, nil)))
	const want = `[DEBUG] remote_write_req_seq: 1
# TYPE reads_total counter
reads_total 3
# TYPE depth gauge
depth 0.5
# TYPE success_time gauge
success_time 1700000000
# TYPE build_info info
build_info{version="1.2"} 1
# TYPE phase stateset
phase{phase="idle"} 0
phase{phase="busy"} 1
# TYPE size_bytes summary
size_bytes{quantile="0.5"} 10
size_bytes{quantile="1"} 20
size_bytes_count 2
size_bytes_sum 30
# TYPE n histogram
n {count:1, sum:3, (2,4]:1} # {trace_id="x"} 3
# TYPE hits_total counter
hits_total 2 # {trace_id="y"} 2
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

func printed(reg *metrics.Registry) {
	if err := metrics.NewPusher(reg, metrics.NewDebugWriter(os.Stdout, nil)).Push(context.Background()); err != nil {
		log.Fatal(err)
	}
}

// A value that is there anyway is read when it is pushed.
func ExampleRegistry_GaugeFunc() {
	queue := make(chan int, 8)
	queue <- 1
	reg := metrics.NewRegistry()
	metrics.Must(reg.GaugeFunc("queue_length", func() float64 { return float64(len(queue)) }))
	printed(reg)
	// Output:
	// [DEBUG] remote_write_req_seq: 1
	// # TYPE queue_length gauge
	// queue_length 1
}

// A counter that something else keeps; series with labels get a function each.
func ExampleRegistry_CounterFuncVec() {
	reg := metrics.NewRegistry()
	bytes := metrics.Must(reg.CounterFuncVec("device_read_bytes", []string{"device"}, metrics.WithUnit("bytes")))
	bytes.With("sda").Set(func() float64 { return 4096 })
	printed(reg)
	// Output:
	// [DEBUG] remote_write_req_seq: 1
	// # TYPE device_read_bytes_total counter
	// device_read_bytes_total{device="sda"} 4096
}

// What is known about a program goes into labels of a series that is always 1.
func ExampleRegistry_Info() {
	reg := metrics.NewRegistry()
	metrics.Must(reg.Info("build", promwire.LabelsFromStrings("version", "1.4.0"))).Set()
	printed(reg)
	// Output:
	// [DEBUG] remote_write_req_seq: 1
	// # TYPE build_info info
	// build_info{version="1.4.0"} 1
}

// One of several states is on.
func ExampleRegistry_StateSet() {
	reg := metrics.NewRegistry()
	metrics.Must(reg.StateSet("job_state", []string{"waiting", "running", "done"})).SetOnly("running")
	printed(reg)
	// Output:
	// [DEBUG] remote_write_req_seq: 1
	// # TYPE job_state stateset
	// job_state{job_state="waiting"} 0
	// job_state{job_state="running"} 1
	// job_state{job_state="done"} 0
}

// Numbers of another system that computes quantiles itself.
func ExampleRegistry_Summary() {
	reg := metrics.NewRegistry()
	latency := metrics.Must(reg.Summary("latency_seconds", []float64{0.5, 0.99}))
	latency.Set(metrics.SummaryValue{Count: 1200, Sum: 96.5, Quantiles: []float64{0.05, 1.2}})
	printed(reg)
	// Output:
	// [DEBUG] remote_write_req_seq: 1
	// # TYPE latency_seconds summary
	// latency_seconds{quantile="0.5"} 0.05
	// latency_seconds{quantile="0.99"} 1.2
	// latency_seconds_count 1200
	// latency_seconds_sum 96.5
}

// A timer observes how long something took, here with times from a log.
func ExampleNewTimerAt() {
	reg := metrics.NewRegistry()
	took := metrics.Must(reg.Histogram("job_seconds", metrics.WithBounds(60)))
	start := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	if _, err := metrics.NewTimerAt(took, start).ObserveDurationAt(start.Add(90 * time.Second)); err != nil {
		log.Fatal(err)
	}
	printed(reg)
	// Output:
	// [DEBUG] remote_write_req_seq: 1
	// # TYPE job_seconds histogram
	// job_seconds_bucket{le="60"} 0
	// job_seconds_bucket{le="+Inf"} 1
	// job_seconds_count 1
	// job_seconds_sum 90
}
