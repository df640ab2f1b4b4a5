package metrics_test

import (
	"context"
	"errors"
	"fmt"
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

func trace(id string) promwire.Labels { return promwire.Labels{{Name: "trace_id", Value: id}} }

// exemplars returns the exemplars of the series in the latest request, as text with seconds relative to t0. A series with
// exemplars has samples, too.
func (s *sink) exemplars(t *testing.T, series string) string {
	t.Helper()
	var out []string
	for _, ts := range s.requests[len(s.requests)-1].Timeseries {
		if ts.Labels.String() != series {
			continue
		}
		if len(ts.Samples)+len(ts.Histograms) == 0 {
			t.Errorf("%s is sent without samples", series)
		}
		for _, e := range ts.Exemplars {
			out = append(out, fmt.Sprintf("%s %v @%v", e.Labels.Get("trace_id"), e.Value, float64(e.Timestamp-t0.UnixMilli())/1000))
		}
	}
	return strings.Join(out, ", ")
}

func (s *sink) wantExemplars(t *testing.T, series, want string) {
	t.Helper()
	if got := s.exemplars(t, series); got != want {
		t.Errorf("%s: exemplars %q, want %q", series, got, want)
	}
}

func TestCounterExemplar(t *testing.T) {
	reg, p, s, c := setup()
	hits := metrics.Must(reg.Counter("hits"))
	hits.AddWithExemplar(1, trace("a"))
	c.advance(time.Second)
	hits.AddWithExemplar(2, trace("b")) // the last one counts
	s.err = errDown
	if err := p.Push(t.Context()); !errors.Is(err, errDown) {
		t.Fatal(err)
	}
	s.wantExemplars(t, "hits_total", "b 2 @1")
	s.err = nil
	c.advance(time.Second)
	push(t, p) // sent again as it was
	s.want(t, "hits_total", point{2, 3})
	s.wantExemplars(t, "hits_total", "b 2 @1")
	c.advance(time.Second)
	hits.Inc()
	push(t, p) // sent once
	s.wantExemplars(t, "hits_total", "")
	c.advance(-time.Minute)
	hits.AddWithExemplar(1, trace("c")) // the clock went back: a millisecond after the one before
	push(t, p)
	s.wantExemplars(t, "hits_total", "c 1 @1.001")
	if err := hits.AddWithExemplarAt(4, trace("d"), after(10)); err != nil {
		t.Fatal(err)
	}
	push(t, p)
	s.wantExemplars(t, "hits_total", "d 4 @10")
	if err := hits.AddWithExemplarAt(4, trace("e"), after(9)); !errors.Is(err, metrics.ErrLate) {
		t.Errorf("got %v, want ErrLate", err)
	}
}

func TestHistogramExemplars(t *testing.T) {
	reg, p, s, c := setup()
	h := metrics.Must(reg.Histogram("h", metrics.WithBounds(1, 2), metrics.WithNativeSchema(0)))
	for i, v := range []float64{0.7, 0.9, 5, 1.5, 6} {
		h.ObserveWithExemplar(v, trace(string(rune('a'+i))))
		c.advance(time.Second)
	}
	push(t, p)
	s.wantExemplars(t, `h_bucket{le="1.0"}`, "b 0.9 @1")
	s.wantExemplars(t, `h_bucket{le="2.0"}`, "d 1.5 @3")
	s.wantExemplars(t, `h_bucket{le="+Inf"}`, "e 6 @4")
	s.wantExemplars(t, "h_count", "")
	s.wantExemplars(t, "h", "b 0.9 @1, d 1.5 @3, e 6 @4")

	if err := h.ObserveWithExemplarAt(1.5, trace("f"), after(7)); err != nil {
		t.Fatal(err)
	}
	if err := h.ObserveWithExemplarAt(8.5, trace("g"), after(6)); err != nil {
		t.Fatal(err)
	}
	push(t, p)
	s.wantExemplars(t, `h_bucket{le="1.0"}`, "")
	s.wantExemplars(t, `h_bucket{le="2.0"}`, "f 1.5 @7")
	s.wantExemplars(t, "h", "g 8.5 @6, f 1.5 @7")
}

func TestNativeExemplarsAreBounded(t *testing.T) {
	reg, p, s, c := setup()
	h := metrics.Must(reg.Histogram("h", metrics.WithNativeSchema(0)))
	for i := range 20 {
		h.ObserveWithExemplar(math.Exp2(float64(i)), trace(fmt.Sprint(i)))
		c.advance(time.Second)
	}
	if err := h.ObserveWithExemplarAt(0.1, trace("old"), after(1)); err != nil { // older than all ten
		t.Fatal(err)
	}
	push(t, p)
	got := s.exemplars(t, "h")
	if n := strings.Count(got, "@"); n != 10 || !strings.HasPrefix(got, "10 1024 @10,") || !strings.HasSuffix(got, "19 524288 @19") {
		t.Errorf("%d exemplars: %s", n, got)
	}
	// Of one millisecond the last one counts.
	h.ObserveWithExemplar(1, trace("x"))
	h.ObserveWithExemplar(9, trace("y"))
	push(t, p)
	s.wantExemplars(t, "h", "y 9 @20")
}

func TestRefusedExemplars(t *testing.T) {
	long := strings.Repeat("ü", metrics.MaxExemplarCharacters-len("trace_id"))
	tests := []struct {
		name string
		ls   promwire.Labels
		want string // of the error, empty if it is allowed
	}{
		{"at the limit", trace(long), ""},
		{"no labels", nil, ""},
		{"unsorted", promwire.Labels{{Name: "b", Value: "1"}, {Name: "a", Value: "2"}}, ""},
		{"above the limit", trace(long + "x"), "its labels have 129 characters in names and values, the limit is 128"},
		{"name", promwire.Labels{{Name: "a-b", Value: "1"}}, `invalid name: label name "a-b"`},
		{"twice", promwire.Labels{{Name: "a", Value: "1"}, {Name: "a", Value: "2"}}, `label name is repeated: "a"`},
		{"empty", trace(""), `"trace_id"`},
		{"not UTF-8", trace("\xff"), `value of label "trace_id"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reg, p, s, _ := setup()
			c := metrics.Must(reg.Counter("c"))
			h := metrics.Must(reg.Histogram("h"))
			for _, err := range []error{c.AddWithExemplarAt(1, tt.ls, after(1)), h.ObserveWithExemplarAt(1, tt.ls, after(1))} {
				if tt.want == "" && err != nil || tt.want != "" && (!errors.Is(err, metrics.ErrInvalidValue) ||
					!errors.Is(err, promwire.ErrInvalidExemplar) || !strings.Contains(err.Error(), tt.want)) {
					t.Errorf("with a time: got %v, want %q", err, tt.want)
				}
			}
			c.AddWithExemplar(1, tt.ls)
			h.ObserveWithExemplar(1, tt.ls)
			err := p.Push(t.Context())
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, metrics.ErrInvalidValue) || !strings.Contains(err.Error(), "and 1 more") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("push: got %v, want %q", err, tt.want)
			}
			s.want(t, "c_total", point{0, 1}) // counted all the same, once
			s.wantExemplars(t, "c_total", "")
			s.want(t, "h_count", point{0, 1})
		})
	}
	// A value that is refused takes its exemplar with it.
	reg, p, s, _ := setup()
	c := metrics.Must(reg.Counter("c"))
	c.AddWithExemplar(-1, trace("a"))
	c.Inc()
	if err := p.Push(t.Context()); !errors.Is(err, metrics.ErrInvalidValue) {
		t.Error(err)
	}
	s.wantExemplars(t, "c_total", "")
}

// Exemplars go with the last part of a push in several requests, and wait if it does not get there.
func TestExemplarsOfAPushInParts(t *testing.T) {
	reg, _, s, _ := setup()
	c := metrics.Must(reg.Counter("c"))
	for i := range 4 {
		if err := c.AddWithExemplarAt(1, trace(fmt.Sprint(i)), after(float64(i))); err != nil {
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
	push(t, metrics.NewPusher(reg, s))
	s.want(t, "c_total", point{2, 3}, point{3, 4})
	s.wantExemplars(t, "c_total", "3 1 @3")
}

func TestExemplarsDoNotAllocate(t *testing.T) {
	reg, _, _, clock := setup()
	p := metrics.NewPusher(reg, discard)
	c := metrics.Must(reg.Counter("c"))
	h := metrics.Must(reg.Histogram("h", metrics.WithBounds(1, 2), metrics.WithNativeSchema(3)))
	ls := trace("x")
	run := func() {
		for i := range 20 {
			clock.advance(time.Second)
			c.AddWithExemplar(1, ls)
			h.ObserveWithExemplar(float64(i), ls)
		}
		push(t, p)
	}
	run()
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// Exemplars of a series are sent in order of time, whoever records them.
func TestExemplarsConcurrently(t *testing.T) {
	reg := metrics.NewRegistry()
	h := metrics.Must(reg.Histogram("h", metrics.WithNativeSchema(2), metrics.WithBounds(1, 2)))
	newest := map[string]int64{}
	p := metrics.NewPusher(reg, writerFunc(func(req *promwire.WriteRequest) error {
		for _, ts := range req.Timeseries {
			for _, e := range ts.Exemplars {
				if e.Timestamp <= newest[ts.Labels.String()] {
					return fmt.Errorf("%v: %d after %d", ts.Labels, e.Timestamp, newest[ts.Labels.String()])
				}
				newest[ts.Labels.String()] = e.Timestamp
			}
		}
		return nil
	}))
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for i := range 300 {
				h.ObserveWithExemplar(float64(i%7), trace("x"))
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
	h.ObserveWithExemplar(1, trace("x"))
	push(t, p)
	if names := len(newest); names == 0 || !slices.ContainsFunc([]string{"h"}, func(n string) bool { return newest[n] > 0 }) {
		t.Errorf("no exemplars were sent: %v", newest)
	}
}

// An exemplar leads from a number to one of the cases behind it.
func ExampleHistogram_ObserveWithExemplar() {
	reg := metrics.NewRegistry()
	took := metrics.Must(reg.Histogram("took_seconds", metrics.WithBounds(1)))
	took.ObserveWithExemplar(0.4, promwire.Labels{{Name: "trace_id", Value: "4bf92f3577b34da6"}})
	if err := metrics.NewPusher(reg, metrics.NewDebugWriter(os.Stdout, nil)).Push(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// [DEBUG] remote_write_req_seq: 1
	// # TYPE took_seconds histogram
	// took_seconds_bucket{le="1"} 1 # {trace_id="4bf92f3577b34da6"} 0.4
	// took_seconds_bucket{le="+Inf"} 1
	// took_seconds_count 1
	// took_seconds_sum 0.4
}
