package order_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/formats"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/order"
	"github.com/promwire/promwire/internal/native"
)

const half = 1_800_000 // a window, in milliseconds

// sorted is what comes out, in lines, a line per point; conflicts at the end.
func sorted(t *testing.T, s *order.Sorter) []string {
	t.Helper()
	var out []string
	conflicts := map[string]bool{}
	for ts, err := range s.All(func(ls promwire.Labels, at int64) { conflicts[fmt.Sprint("conflict ", ls, at)] = true }) {
		if err != nil {
			t.Fatal(err)
		}
		if len(ts.Samples) > 0 && len(ts.Histograms) > 0 || len(ts.Samples) > order.MaxPart {
			t.Fatalf("part with %d samples, %d histograms", len(ts.Samples), len(ts.Histograms))
		}
		for _, p := range ts.Samples {
			out = append(out, fmt.Sprint(ts.Labels, p.Timestamp, " ", p.Value, p.StartTimestamp))
		}
		for i := range ts.Histograms {
			out = append(out, fmt.Sprint(ts.Labels, ts.Histograms[i].Timestamp, " histogram ", ts.Histograms[i].Count))
		}
		for _, e := range ts.Exemplars {
			out = append(out, fmt.Sprint(ts.Labels, " exemplar ", e))
		}
	}
	var last []string
	for c := range conflicts {
		last = append(last, c)
	}
	slices.Sort(last)
	return append(out, last...)
}

func random(r *rand.Rand, n int) []formats.Point {
	points := make([]formats.Point, n)
	for i := range points {
		ls := promwire.LabelsFromStrings("__name__", "m", "i", fmt.Sprint(r.IntN(20)))
		at := r.Int64N(5*half) - half
		if r.IntN(4) == 0 {
			at = at / 100_000 * 100_000 // so that times meet
		}
		points[i] = formats.Point{Labels: ls, Sample: promwire.Sample{Timestamp: at, Value: float64(r.IntN(2)), StartTimestamp: 1}}
		switch r.IntN(10) {
		case 0:
			h := native.Int(0)
			points[i].Histogram = &h
			points[i].Sample = promwire.Sample{Timestamp: at}
		case 1:
			points[i].Exemplars = []promwire.Exemplar{{Labels: promwire.LabelsFromStrings("t", fmt.Sprint(i)), Value: 1, Timestamp: at}}
		}
	}
	return points
}

// What is merged from files is what is sorted in memory, which is what a plain sort makes of it.
func TestSort(t *testing.T) {
	for _, whole := range []bool{false, true} {
		t.Run(fmt.Sprintf("whole series %t", whole), func(t *testing.T) { testSort(t, whole) })
	}
}

func testSort(t *testing.T, whole bool) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, 1000, 5000} {
		points := random(r, n)
		var want []string
		for _, memory := range []int{1 << 30, 100_000, 4000} {
			dir := t.TempDir()
			s := order.New(order.Options{Memory: memory, Dir: dir, WholeSeries: whole})
			for i := range points {
				p := points[i]
				if p.Histogram != nil {
					h := p.Histogram.Clone()
					p.Histogram = &h
				}
				if err := s.Add(&p); err != nil {
					t.Fatal(err)
				}
			}
			if s.Len() != int64(n) {
				t.Errorf("length %d", s.Len())
			}
			got := sorted(t, s)
			if again := sorted(t, s); !slices.Equal(got, again) {
				t.Error("the second time it is something else")
			}
			if want == nil {
				want = got
				checkOrder(t, s, points, whole)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d points in %d bytes: %d lines, want %d", n, memory, len(got), len(want))
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("left in the folder: %v, %v", left, err)
			}
		}
	}
}

// checkOrder demands the promised order, and the last of the samples of one time.
func checkOrder(t *testing.T, s *order.Sorter, points []formats.Point, whole bool) {
	t.Helper()
	type key struct {
		labels string
		time   int64
	}
	values := map[key]float64{}
	for _, p := range points {
		if p.Histogram == nil {
			values[key{p.Labels.String(), p.Sample.Timestamp}] = p.Sample.Value
		}
	}
	window, last, lastTime := int64(-1<<62), promwire.Labels(nil), int64(0)
	for ts, err := range s.All(nil) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range ts.Histograms {
			ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: ts.Histograms[i].Timestamp, Value: -1})
		}
		for _, p := range ts.Samples {
			w := (p.Timestamp + 100*half) / half
			if whole {
				w = 0
			}
			c := cmp.Or(cmp.Compare(window, w), last.Compare(ts.Labels), cmp.Compare(lastTime, p.Timestamp))
			if c > 0 {
				t.Fatalf("%s at %d comes after %s at %d", ts.Labels, p.Timestamp, last, lastTime)
			}
			window, last, lastTime = w, ts.Labels, p.Timestamp
			if p.Value < 0 {
				continue
			}
			k := key{ts.Labels.String(), p.Timestamp}
			if want, known := values[k]; !known || want != p.Value {
				t.Fatalf("%v is %v, want %v (%v)", k, p.Value, want, known)
			}
			delete(values, k)
		}
	}
	for k := range values {
		t.Errorf("%v is missing", k)
	}
}
