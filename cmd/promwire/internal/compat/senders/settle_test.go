package senders

import (
	"fmt"
	"math"
	"testing"

	"github.com/promwire/promwire"
)

// TestSettle: what lacks or differs is found, and only the sender's own word excuses it.
func TestSettle(t *testing.T) {
	x := &sender{source: newSource(t, true), up: true, exemplars: true}
	for range 3 {
		if _, err := x.source.advance(); err != nil {
			t.Fatal(err)
		}
	}
	second := int64(2) // the time of page 2
	for name, test := range map[string]struct {
		change         func(s *stored)
		faults, missed int
	}{
		"all is there": {func(*stored) {}, 0, 0},
		"a page lacks": {func(s *stored) { delete(s.floats["scrapes_total"], second) }, 1, 0},
		"a page was missed": {func(s *stored) {
			delete(s.floats["scrapes_total"], second)
			s.failed = []int64{x.source.pages[1].arrived}
		}, 0, 1},
		"a value too many":  {func(s *stored) { s.floats["scrapes_total"][9] = 4 }, 1, 0},
		"a bit differs":     {func(s *stored) { s.floats["random"][second] = math.Nextafter(s.floats["random"][second], 0) }, 1, 0},
		"a bucket lacks":    {func(s *stored) { delete(s.floats["classic_seconds_bucket 1"], second) }, 1, 0},
		"an exemplar lacks": {func(s *stored) { delete(s.exemplars, "2") }, 1, 0},
	} {
		s := storedOf(x)
		test.change(&s)
		if a := x.settle(s); len(a.faults) != test.faults || a.missed != test.missed {
			t.Errorf("%s: %d missed, faults %q", name, a.missed, a.faults)
		}
	}
}

// storedOf is what should be there, each page at the time of its number.
func storedOf(x *sender) stored {
	s := stored{floats: map[string]map[int64]float64{}, native: map[int64]promwire.Histogram{}, exemplars: map[string]bool{}}
	put := func(name string, k int64, v float64) {
		if s.floats[name] == nil {
			s.floats[name] = map[int64]float64{}
		}
		s.floats[name][k] = v
	}
	for i, p := range x.source.pages {
		k := int64(i + 1)
		put("scrapes_total", k, float64(k))
		put("random", k, p.gauge)
		put("classic_seconds_count", k, float64(p.classic.GetSampleCount()))
		put("classic_seconds_sum", k, p.classic.GetSampleSum())
		for _, b := range p.classic.Bucket {
			put(fmt.Sprint("classic_seconds_bucket ", b.GetUpperBound()), k, float64(b.GetCumulativeCount()))
		}
		s.exemplars[fmt.Sprint(k)] = true
	}
	return s
}
