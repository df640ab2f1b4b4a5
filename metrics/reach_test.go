package metrics_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

func TestRecordingsAreBoundedInTime(t *testing.T) {
	reg, p, s, _ := setup()
	forms := map[string]func(time.Time) error{
		"counter":   func(at time.Time) error { return metrics.Must(reg.Counter("c")).AddAt(1, at) },
		"inc":       func(at time.Time) error { return metrics.Must(reg.Counter("inc")).IncAt(at) },
		"add":       func(at time.Time) error { return metrics.Must(reg.Gauge("add")).AddAt(1, at) },
		"sub":       func(at time.Time) error { return metrics.Must(reg.Gauge("sub")).SubAt(1, at) },
		"gauge":     func(at time.Time) error { return metrics.Must(reg.Gauge("g")).SetAt(1, at) },
		"histogram": func(at time.Time) error { return metrics.Must(reg.Histogram("h")).ObserveAt(1, at) },
		"info":      func(at time.Time) error { return metrics.Must(reg.Info("i", nil)).SetAt(at) },
		"states":    func(at time.Time) error { return metrics.Must(reg.StateSet("st", []string{"a"})).SetAt("a", true, at) },
		"summary": func(at time.Time) error {
			return metrics.Must(reg.Summary("su", nil)).SetAt(metrics.SummaryValue{}, at)
		},
		"exemplar": func(at time.Time) error {
			return metrics.Must(reg.Counter("e")).AddWithExemplarAt(1, promwire.LabelsFromStrings("a", "b"), at)
		},
	}
	for name, record := range forms {
		for _, at := range []time.Time{
			after(600.001), t0.AddDate(1, 0, 0), time.Unix(t0.UnixMilli(), 0), time.Unix(1<<60, 0),
		} {
			if err := record(at); !errors.Is(err, promwire.ErrTooFarInFuture) {
				t.Errorf("%s at %v: got %v, want ErrTooFarInFuture", name, at, err)
			}
		}
		for _, at := range []time.Time{{}, time.UnixMilli(t0.Unix()), time.Unix(-1<<60, 0)} {
			if err := record(at); !errors.Is(err, metrics.ErrInvalidValue) {
				t.Errorf("%s at %v: got %v, want ErrInvalidValue", name, at, err)
			}
		}
	}
	push(t, p)
	s.wantRequests(t, 0)
	for name, record := range forms {
		for _, at := range []time.Time{after(600), t0.AddDate(-49, 0, 0)} {
			if err := record(at); err != nil {
				t.Errorf("%s at %v: %v", name, at, err)
			}
		}
	}
	const want = "metrics: c_total: timestamp is too far in the future: 2023-11-15T22:13:20.000Z, " +
		"more than 10m0s ahead of 2023-11-14T22:13:20.000Z (WithMaxAhead allows more)"
	if err := metrics.Must(reg.Counter("c")).AddAt(1, t0.AddDate(0, 0, 1)); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	reg, _, _, _ = setup(metrics.WithMaxAhead(48 * time.Hour))
	if err := metrics.Must(reg.Counter("c")).AddAt(1, t0.AddDate(0, 0, 1)); err != nil {
		t.Error(err)
	}
}

// judgingSink is a receiver that takes samples up to ten minutes ahead of its clock, and futureAnswers as one of several kinds does.
type judgingSink struct {
	sink
	now    time.Time
	answer func(refused []promwire.Refusal) error
	stored map[string][]point
}

func (j *judgingSink) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	j.requests = append(j.requests, req.Clone())
	var refused []promwire.Refusal
	kept := map[string][]point{}
	for i, ts := range req.Timeseries {
		for _, x := range ts.Samples {
			if x.Timestamp > j.now.Add(10*time.Minute).UnixMilli() {
				refused = append(refused, promwire.Refusal{Series: i, Timestamp: x.Timestamp, Reason: promwire.ErrTooFarInFuture})
				continue
			}
			kept[ts.Labels.String()] = append(kept[ts.Labels.String()], point{float64(x.Timestamp-t0.UnixMilli()) / 1000, x.Value})
		}
	}
	err := error(nil)
	if len(refused) > 0 {
		err = j.answer(refused)
	}
	var whole *promwire.HTTPError
	if !errors.As(err, &whole) {
		for series, points := range kept {
			j.stored[series] = append(j.stored[series], points...)
		}
	}
	return req.Stats(), err
}

var futureAnswers = map[string]func([]promwire.Refusal) error{
	"whole request": func([]promwire.Refusal) error { return &promwire.HTTPError{StatusCode: 400} },
	"counts":        func([]promwire.Refusal) error { return &promwire.PartialWriteError{} },
	"names":         func(refused []promwire.Refusal) error { return &promwire.PartialWriteError{Refused: refused} },
}

// A clock that was wrong for a while holds back only what was recorded meanwhile, whatever the receiver says.
func TestClockWasAhead(t *testing.T) {
	for name, answer := range futureAnswers {
		t.Run(name, func(t *testing.T) {
			s, c := &judgingSink{now: t0, answer: answer, stored: map[string][]point{}}, &clock{t0}
			reg := metrics.NewRegistry(metrics.WithClock(c.Now), metrics.WithZeroSamples())
			p := metrics.NewPusher(reg, s)
			hits, took := metrics.Must(reg.Counter("hits")), metrics.Must(reg.Histogram("took", metrics.WithBounds(1)))
			step := func(d time.Duration, wantErr bool) {
				t.Helper()
				c.advance(d)
				s.now = s.now.Add(time.Second)
				hits.Inc()
				took.Observe(1)
				if err := p.Push(t.Context()); (err != nil) != wantErr {
					t.Fatalf("got error %v, want one: %v", err, wantErr)
				}
			}
			step(time.Second, false)
			step(24*time.Hour, true)
			late := metrics.Must(reg.Counter("late")) // comes to be while the clock is wrong
			if err := late.AddAt(1, c.now); err != nil {
				t.Fatal(err)
			}
			late.AddWithExemplar(0, promwire.LabelsFromStrings("trace", "a"))
			step(time.Second, true)
			late.AddWithExemplar(0, promwire.LabelsFromStrings("trace", "b"))
			step(2*time.Second-24*time.Hour, false)
			late.AddWithExemplar(1, promwire.LabelsFromStrings("trace", "c"))
			step(time.Second, false)
			for _, ts := range s.requests[len(s.requests)-1].Timeseries {
				for _, e := range ts.Exemplars {
					if at := e.Timestamp - t0.UnixMilli(); at != 4000 {
						t.Errorf("exemplar at %d ms, want 4000: %+v", at, e)
					}
				}
			}
			want := []point{{0, 0}, {1, 1}, {4, 4}, {5, 5}}
			for _, series := range []string{"hits_total", "took_count"} {
				if got := s.stored[series]; !slices.Equal(got, want) {
					t.Errorf("%s: got %v, want %v", series, got, want)
				}
			}
			if got, want := s.stored["late_total"], []point{{3.999, 0}, {4, 1}, {5, 2}}; !slices.Equal(got, want) {
				t.Errorf("late_total: got %v, want %v", got, want)
			}
		})
	}
}

// The caller's times can go back to where the series really is, too.
func TestTimesAfterClockWasAhead(t *testing.T) {
	reg, p, s, c := setup()
	depth := metrics.Must(reg.Gauge("depth"))
	set := func(at float64) error { return depth.SetAt(at, after(at)) }
	if err := set(0); err != nil {
		t.Fatal(err)
	}
	push(t, p)
	c.advance(time.Hour)
	if err := set(3600); err != nil {
		t.Fatal(err)
	}
	s.err = &promwire.HTTPError{StatusCode: 400}
	if err := p.Push(t.Context()); err == nil {
		t.Fatal("no error")
	}
	s.err = nil
	if err := set(10); !errors.Is(err, metrics.ErrLate) {
		t.Errorf("as long as the clock says so, got %v, want ErrLate", err)
	}
	c.advance(time.Minute - time.Hour)
	if err := errors.Join(set(10), set(5)); err != nil {
		t.Error(err)
	}
	if err := set(0); !errors.Is(err, metrics.ErrLate) {
		t.Errorf("got %v, want ErrLate: this was delivered", err)
	}
	c.advance(time.Hour) // wrong again, and yet what was taken has its place
	push(t, p)
	s.want(t, "depth", point{5, 5}, point{10, 10})
}

// A sample that lies ahead and was delivered keeps its place, and so does one of which nobody knows.
func TestClockGoesBackAfterDelivery(t *testing.T) {
	for name, err := range map[string]error{
		"delivered": nil, "unknown": errDown,
		"another was refused": &promwire.PartialWriteError{Refused: []promwire.Refusal{{Series: 1, Timestamp: 1, Reason: promwire.ErrTooOld}}},
	} {
		reg, p, s, c := setup()
		hits, other := metrics.Must(reg.Counter("hits")), metrics.Must(reg.Counter("other"))
		hits.Inc()
		other.Inc()
		s.err = err
		if got := p.Push(t.Context()); !errors.Is(got, err) {
			t.Fatal(got)
		}
		s.err = nil
		c.advance(-time.Hour)
		hits.Inc()
		push(t, p)
		if got := s.points(t, "hits_total"); !slices.Equal(got, []point{{0.001, 2}}) {
			t.Errorf("%s: got %v, want a millisecond after the newest", name, got)
		}
	}
}

func TestStateAfterClockWasAhead(t *testing.T) {
	for name, answer := range futureAnswers {
		t.Run(name, func(t *testing.T) {
			j := newJob(t)
			record := func(reg *metrics.Registry) {
				metrics.Must(reg.Counter("hits")).Inc()
				metrics.Must(reg.Histogram("took", metrics.WithNativeSchema(0))).Observe(1)
			}
			j.mustRun(t, record)
			j.clock.advance(24 * time.Hour)
			ahead := j.clock.now.Add(time.Second).UnixMilli()
			j.err = answer([]promwire.Refusal{{Series: 0, Timestamp: ahead}, {Series: 1, Timestamp: ahead}, {Series: 2, Timestamp: ahead}})
			if err := j.run(t, record); !errors.Is(err, j.err) {
				t.Fatal(err)
			}
			if err := j.run(t, func(reg *metrics.Registry) { metrics.Must(reg.Counter("new")).Inc() }); !errors.Is(err, j.err) {
				t.Fatal(err)
			}
			j.err = nil
			j.clock.advance(-24 * time.Hour)
			j.mustRun(t, func(reg *metrics.Registry) {
				record(reg)
				metrics.Must(reg.Counter("new")).Inc()
			})
			j.want(t, "hits_total", point{4, 3})
			j.want(t, "new_total", point{3.999, 0}, point{4, 2})
			if h := j.histograms(t, "took"); len(h) != 1 || h[0].Count != 3 || h[0].Timestamp != after(4).UnixMilli() {
				t.Errorf("took: %+v", h)
			}
		})
	}
}

// What no instrument continues is delivered as of now, too.
func TestOrphanAfterClockWasAhead(t *testing.T) {
	j := newJob(t)
	j.clock.advance(24 * time.Hour)
	j.err = futureAnswers["whole request"](nil)
	if err := j.run(t, func(reg *metrics.Registry) { metrics.Must(reg.Counter("hits")).Inc() }); !errors.Is(err, metrics.ErrKept) {
		t.Fatal(err)
	}
	j.err = nil
	j.clock.advance(-24 * time.Hour)
	j.mustRun(t, func(*metrics.Registry) {})
	j.want(t, "hits_total", point{2, 1})
	if x := j.requests[1].Timeseries[0].Samples[0]; x.StartTimestamp >= x.Timestamp {
		t.Errorf("%+v starts after itself", x)
	}
}

// Files of the first version are read: their series go on after what they hold, and do not begin with a zero again.
func TestStateOfFirstVersion(t *testing.T) {
	j := newJob(t)
	record := func(reg *metrics.Registry) { metrics.Must(reg.Counter("hits")).Inc() }
	j.mustRun(t, record)
	data, err := os.ReadFile(j.path)
	if err != nil {
		t.Fatal(err)
	}
	const head = "promwire-state 2\n\x01\x00\x00"
	if string(data[:len(head)]) != head || data[len(head)] != 2 {
		t.Fatalf("the file begins with %q", data[:30])
	}
	data = append([]byte("promwire-state 1\n\x01\x00\x00"), data[len(head)+1:]...)
	if err := os.WriteFile(j.path, metrics.WithChecksum(data), 0o666); err != nil {
		t.Fatal(err)
	}
	j.mustRun(t, record)
	j.want(t, "hits_total", point{2, 2})
}

func TestStateWithBadReach(t *testing.T) {
	_, data := stateFile(t)
	const head = "promwire-state 2\n\x01\x00\x00"
	for name, reach := range map[string][]byte{
		"missing": {}, "endless": {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"too large": binary.AppendUvarint(nil, math.MaxUint64),
	} {
		bad := append([]byte(head), reach...)
		if name != "missing" {
			bad = append(bad, data[len(head)+1:]...)
		}
		if _, err := metrics.DecodeState(metrics.WithChecksum(append(bad, 0, 0, 0, 0))); !errors.Is(err, metrics.ErrStateDamaged) {
			t.Errorf("%s: got %v, want ErrStateDamaged", name, err)
		}
	}
}
