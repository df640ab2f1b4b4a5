package metrics_test

import (
	"errors"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

// job is a program with a state that runs again and again, in this process.
type job struct {
	sink
	clock clock
	path  string
}

func newJob(t *testing.T) *job {
	return &job{clock: clock{t0}, path: filepath.Join(t.TempDir(), "job.state")}
}

// run runs it once, a second after the last time.
func (j *job) run(t *testing.T, record func(reg *metrics.Registry)) error {
	t.Helper()
	j.clock.advance(time.Second)
	st, err := metrics.OpenState(t.Context(), j.path)
	if err != nil {
		t.Fatal(err)
	}
	reg := metrics.NewRegistry(metrics.WithState(st), metrics.WithClock(j.clock.Now))
	record(reg)
	return errors.Join(metrics.NewPusher(reg, j).Push(t.Context()), st.Close())
}

func (j *job) mustRun(t *testing.T, record func(reg *metrics.Registry)) {
	t.Helper()
	if err := j.run(t, record); err != nil {
		t.Fatal(err)
	}
}

func TestStateContinues(t *testing.T) {
	j := newJob(t)
	for range 3 {
		j.mustRun(t, func(reg *metrics.Registry) {
			metrics.Must(reg.Counter("hits")).Add(1.5)
			metrics.Must(reg.Gauge("depth")).Add(2)
			took := metrics.Must(reg.HistogramVec("took", []string{"k"}, metrics.WithBounds(1, 2))).With("v")
			took.Observe(1)
			took.Observe(5)
		})
	}
	j.wantRequests(t, 3)
	j.want(t, "hits_total", point{3, 4.5})
	j.want(t, "depth", point{3, 2}) // gauges do not go on
	j.want(t, `took_bucket{k="v",le="1.0"}`, point{3, 3})
	j.want(t, `took_bucket{k="v",le="2.0"}`, point{3, 3})
	j.want(t, `took_bucket{k="v",le="+Inf"}`, point{3, 6})
	j.want(t, `took_count{k="v"}`, point{3, 6})
	j.want(t, `took_sum{k="v"}`, point{3, 18})

	first := j.requests[0].Timeseries[0].Samples
	if want := (promwire.Sample{Timestamp: after(1).UnixMilli() - 1}); first[0] != want {
		t.Errorf("first sample %+v, want %+v: zero at the start", first[0], want)
	}
	for i, r := range j.requests {
		for _, ts := range r.Timeseries {
			newest := ts.Samples[len(ts.Samples)-1]
			want := first[0].Timestamp
			if ts.Metadata.Type == promwire.TypeGauge {
				want = 0
			}
			if newest.StartTimestamp != want {
				t.Errorf("run %d, %v: start %d, want %d", i, ts.Labels, newest.StartTimestamp, want)
			}
		}
	}
}

func TestStateKeepsWhatWasNotDelivered(t *testing.T) {
	j := newJob(t)
	j.err = errDown
	err := j.run(t, func(reg *metrics.Registry) {
		metrics.Must(reg.CounterVec("hits", []string{"k"})).With("a").Add(2)
		metrics.Must(reg.CounterVec("hits", []string{"k"})).With("b").Add(3)
		timed := metrics.Must(reg.Counter("timed"))
		if err := timed.AddAt(1, after(0.5)); err != nil {
			t.Fatal(err)
		}
		metrics.Must(reg.Gauge("depth")).Set(7)
		metrics.Must(reg.Histogram("took", metrics.WithBounds(1))).Observe(1)
	})
	if !errors.Is(err, errDown) || !errors.Is(err, metrics.ErrKept) {
		t.Fatalf("got %v, want the writer's error and ErrKept", err)
	}
	// The next run touches a alone, and fails as well.
	err = j.run(t, func(reg *metrics.Registry) {
		metrics.Must(reg.CounterVec("hits", []string{"k"})).With("a").Inc()
	})
	if !errors.Is(err, metrics.ErrKept) {
		t.Fatalf("got %v, want ErrKept", err)
	}
	j.err = nil
	j.mustRun(t, func(reg *metrics.Registry) {
		metrics.Must(reg.Histogram("took", metrics.WithBounds(1))).Observe(1)
	})
	zero := point{0.999, 0}
	j.want(t, `hits_total{k="a"}`, zero, point{3, 3})
	j.want(t, `hits_total{k="b"}`, zero, point{3, 3})
	j.want(t, "timed_total", point{0.499, 0}, point{0.5, 1})
	j.want(t, "depth", point{1, 7}) // with its own time: nobody knows what it is now
	j.want(t, "took_count", zero, point{3, 2})
	j.want(t, `took_bucket{le="1.0"}`, zero, point{3, 2})
	j.mustRun(t, func(*metrics.Registry) {})
	j.wantRequests(t, 3) // all delivered
}

// The receiver judges the data: what it refused for good is not kept, and totals are sent once more.
func TestStateAfterRefusal(t *testing.T) {
	j := newJob(t)
	j.err = &promwire.HTTPError{StatusCode: 400}
	record := func(reg *metrics.Registry) { metrics.Must(reg.Counter("hits")).Inc() }
	if err := j.run(t, record); !errors.Is(err, metrics.ErrKept) {
		t.Errorf("got %v, want ErrKept", err)
	}
	j.err = nil
	j.mustRun(t, func(*metrics.Registry) {})
	j.want(t, "hits_total", point{2, 1})
	j.err = &promwire.PartialWriteError{}
	if err := j.run(t, record); !errors.Is(err, metrics.ErrKept) {
		t.Errorf("got %v, want ErrKept", err)
	}
	j.err = nil
	j.mustRun(t, func(*metrics.Registry) {})
	j.want(t, "hits_total", point{4, 2})
	j.err = &promwire.PartialWriteError{Refused: []promwire.Refusal{{Reason: promwire.ErrInvalidName}}}
	if err := j.run(t, record); err == nil || errors.Is(err, metrics.ErrKept) {
		t.Errorf("got %v, want an error that is not ErrKept: the series can't be delivered", err)
	}
	j.err = nil
	j.mustRun(t, func(*metrics.Registry) {})
	j.wantRequests(t, 5)
	j.mustRun(t, record)
	j.want(t, "hits_total", point{7, 4})
}

func TestStateClockGoesBack(t *testing.T) {
	j := newJob(t)
	record := func(reg *metrics.Registry) { metrics.Must(reg.Counter("hits")).Inc() }
	j.mustRun(t, record)
	j.clock.advance(-time.Hour)
	j.mustRun(t, record)
	j.want(t, "hits_total", point{1.001, 2})
	err := j.run(t, func(reg *metrics.Registry) {
		j.clock.advance(time.Hour)
		if err := metrics.Must(reg.Counter("hits")).AddAt(1, after(1)); !errors.Is(err, metrics.ErrLate) {
			t.Errorf("got %v, want ErrLate: an earlier run has sent a newer sample", err)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

func TestStateDoesNotFit(t *testing.T) {
	j := newJob(t)
	j.mustRun(t, func(reg *metrics.Registry) {
		metrics.Must(reg.Histogram("took", metrics.WithBounds(1, 2))).Observe(1)
		metrics.Must(reg.Counter("hits")).Inc()
	})
	j.mustRun(t, func(reg *metrics.Registry) {
		for _, bounds := range [][]float64{{1}, {1, 3}, {1, 2, 3}} {
			if _, err := reg.Histogram("took", metrics.WithBounds(bounds...)); !errors.Is(err, metrics.ErrConflict) {
				t.Errorf("bounds %v: got %v, want ErrConflict", bounds, err)
			}
		}
		if _, err := reg.Gauge("hits_total"); !errors.Is(err, metrics.ErrConflict) {
			t.Errorf("gauge: got %v, want ErrConflict", err)
		}
		if _, err := reg.Histogram("took", metrics.WithBounds(1, 2)); err != nil {
			t.Error(err)
		}
	})
}

func TestStateOfTwoRegistries(t *testing.T) {
	st, err := metrics.OpenState(t.Context(), filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	metrics.NewRegistry(metrics.WithState(st))
	if _, err := metrics.NewRegistry(metrics.WithState(st)).Counter("hits"); !errors.Is(err, metrics.ErrConflict) {
		t.Errorf("got %v, want ErrConflict", err)
	}
	if err := errors.Join(st.Close(), st.Close()); err != nil {
		t.Error(err)
	}
}

func TestPushAfterCloseOfState(t *testing.T) {
	st, err := metrics.OpenState(t.Context(), filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{}
	reg := metrics.NewRegistry(metrics.WithState(st))
	metrics.Must(reg.Counter("hits")).Inc()
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if err := metrics.NewPusher(reg, s).Push(t.Context()); !errors.Is(err, metrics.ErrStateClosed) {
		t.Errorf("got %v, want ErrStateClosed", err)
	}
	s.wantRequests(t, 0)
}

func TestPeekState(t *testing.T) {
	j := newJob(t)
	j.mustRun(t, func(reg *metrics.Registry) { metrics.Must(reg.Counter("hits")).Inc() })
	for range 2 {
		st, err := metrics.PeekState(j.path)
		if err != nil {
			t.Fatal(err)
		}
		reg := metrics.NewRegistry(metrics.WithState(st), metrics.WithClock(j.clock.Now))
		metrics.Must(reg.Counter("hits")).Inc()
		j.clock.advance(time.Second)
		if err := metrics.NewPusher(reg, j).Push(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	j.want(t, "hits_total", point{3, 2})
}

func TestStateContinuesNativeHistograms(t *testing.T) {
	for name, opts := range map[string][]metrics.HistogramOption{
		"exponential": {metrics.WithNativeGrowth(1.1)},
		"reduced":     {metrics.WithNativeGrowth(1.1), metrics.WithMaxNativeBuckets(2)},
		"custom":      {metrics.WithNativeBounds(1, 2)},
		"both":        {metrics.WithNativeGrowth(1.1), metrics.WithBounds(1)},
	} {
		t.Run(name, func(t *testing.T) {
			j, values := newJob(t), []float64{0.5, 1.5, 7, 0.5}
			if name != "custom" {
				values = append(values, 0, -3)
			}
			for run := range 4 {
				j.err = nil
				if run == 2 {
					j.err = errDown
				}
				err := j.run(t, func(reg *metrics.Registry) {
					h := metrics.Must(reg.Histogram("took", opts...))
					for _, v := range values {
						h.Observe(v)
					}
				})
				if !errors.Is(err, j.err) {
					t.Fatal(err)
				}
			}
			// One process that observes the same.
			_, _, s, c := setup()
			reg := metrics.NewRegistry(metrics.WithClock(c.Now), metrics.WithZeroSamples())
			p := metrics.NewPusher(reg, s)
			c.advance(time.Second)
			h := metrics.Must(reg.Histogram("took", opts...))
			for run := range 4 {
				for _, v := range values {
					h.Observe(v)
				}
				if run != 2 { // as if that push had failed
					push(t, p)
				}
				c.advance(time.Second)
			}
			got, want := j.requests[3].Timeseries, s.requests[2].Timeseries
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			j.mustRun(t, func(reg *metrics.Registry) {
				if _, err := reg.Histogram("took"); name != "both" && !errors.Is(err, metrics.ErrConflict) {
					t.Errorf("classic: got %v, want ErrConflict", err)
				}
				if _, err := reg.Histogram("took", metrics.WithNativeGrowth(4)); name != "reduced" && !errors.Is(err, metrics.ErrConflict) {
					t.Errorf("coarser: got %v, want ErrConflict", err)
				}
			})
		})
	}
}

func TestRunLabel(t *testing.T) {
	seen := map[string]bool{}
	for range 2 {
		reg, p, s, _ := setup(metrics.WithRunLabel("run"))
		metrics.Must(reg.Counter("hits")).Inc()
		push(t, p)
		ts := s.requests[0].Timeseries[0]
		if len(ts.Samples) != 2 || ts.Samples[0].Value != 0 || ts.Samples[1].Value != 1 {
			t.Errorf("samples %+v, want a zero first", ts.Samples)
		}
		seen[ts.Labels.Get("run")] = true
	}
	if len(seen) != 2 || seen[""] {
		t.Errorf("labels of two runs: %v", seen)
	}
}

// A summary does not go on from the state, but what a former run did not deliver of it must not contradict it.
func TestStateAndSummary(t *testing.T) {
	j := newJob(t)
	j.err = errDown
	for run := range 2 {
		err := j.run(t, func(reg *metrics.Registry) {
			s := metrics.Must(reg.Summary("took", []float64{0.5}))
			s.Set(metrics.SummaryValue{Count: uint64(5 - run), Sum: 3, Quantiles: []float64{1}})
		})
		if !errors.Is(err, j.err) {
			t.Fatal(err)
		}
		j.err = nil
	}
	seen := map[string]int{}
	for _, ts := range j.requests[1].Timeseries {
		seen[ts.Labels.String()]++
	}
	for _, series := range []string{`took{quantile="0.5"}`, "took_count", "took_sum"} {
		if seen[series] != 1 {
			t.Errorf("%s was sent %d times, want once", series, seen[series])
		}
	}
	if p := j.points(t, "took_count"); len(p) == 0 || p[len(p)-1] != (point{2, 4}) {
		t.Errorf("took_count: %v, want 4 in the end", p)
	}
}
