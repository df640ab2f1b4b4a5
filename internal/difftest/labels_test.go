package difftest

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/promwire/promwire"
)

func toLabels(ls promwire.Labels) labels.Labels {
	var pairs []string
	for _, l := range ls {
		pairs = append(pairs, l.Name, l.Value)
	}
	return labels.FromStrings(pairs...)
}

// labelSets generates label sets that often have a part in common.
func (s *source) labelSets() []promwire.Labels {
	var out []promwire.Labels
	for !s.done() && len(out) < 12 {
		m := map[string]string{}
		for range s.intn(5) {
			m["abcd"[s.intn(4):][:1]] = s.text(3)
		}
		out = append(out, promwire.LabelsFromMap(m))
	}
	return out
}

func checkCompare(t *testing.T, s *source) {
	t.Helper()
	sets := s.labelSets()
	for _, a := range sets {
		for _, b := range sets {
			got, want := a.Compare(b), labels.Compare(toLabels(a), toLabels(b))
			if cmp.Compare(got, 0) != cmp.Compare(want, 0) || a.Equal(b) != (want == 0) {
				t.Fatalf("%s and %s: got %d, library %d", a, b, got, want)
			}
		}
	}
	slices.SortFunc(sets, promwire.Labels.Compare)
	if !slices.IsSortedFunc(sets, func(a, b promwire.Labels) int { return labels.Compare(toLabels(a), toLabels(b)) }) {
		t.Fatalf("the library has another order: %v", sets)
	}
}

func TestCompare(t *testing.T) { eachSource(t, 1000, checkCompare) }

// TestLe compares the spelling of bucket bounds.
func TestLe(t *testing.T) {
	for _, v := range []float64{
		0, math.Copysign(0, -1), 1, -1, 10, 0.5, 2.5, 1e6, 1e20, 1e21, 1e-6, 1e-7, 123456789, math.MaxFloat64,
		math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1), math.NaN(), 0.1 + 0.2, 100000000000,
	} {
		checkLe(t, v)
	}
	eachSource(t, 500, func(t *testing.T, s *source) {
		for !s.done() {
			checkLe(t, s.float())
		}
	})
}

func checkLe(t *testing.T, v float64) {
	t.Helper()
	if got, want := promwire.FormatLe(v), labels.FormatOpenMetricsFloat(v); got != want {
		t.Errorf("%b: got %q, library %q", v, got, want)
	}
}
