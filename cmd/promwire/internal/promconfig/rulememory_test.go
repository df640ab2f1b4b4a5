package promconfig

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/prometheus/prometheus/model/relabel"

	"github.com/promwire/promwire"
)

func testRules(t testing.TB) []*relabel.Config {
	t.Helper()
	blocks, err := Parse([]byte(`remote_write:
  - url: http://127.0.0.1:9/w
    write_relabel_configs:
      - {source_labels: [id], regex: '.*7', action: drop}
      - {action: labeldrop, regex: gone}
      - {source_labels: [id], target_label: copy}
`), "")
	if err != nil {
		t.Fatal(err)
	}
	return blocks[0].relabel
}

func numberedLabels(i int) promwire.Labels {
	return promwire.LabelsFromStrings("__name__", "m", "gone", "x", "id", fmt.Sprint(i))
}

// Whatever the order of series, and however often the memory forgets, the outcome is what the rules say.
func TestRuleMemoryAgreesWithRules(t *testing.T) {
	rules := testRules(t)
	m, plain := ruleMemory{rules: ruleSet{rules: rules}, newer: map[string]*ruled{}}, ruleSet{rules: rules}
	r := rand.New(rand.NewPCG(1, 1))
	for round := range 200 {
		if round%5 == 0 {
			m.bytes = maxKnown + 1 // with the next entry, the newer map becomes the older one
		}
		from, n, step := r.IntN(100), r.IntN(50), 1+r.IntN(3)
		for i := from; i < from+n; i += step {
			ls := numberedLabels(i)
			if got, want := m.outcome(ls), plain.apply(ls); !got.Equal(want) || (got == nil) != (want == nil) {
				t.Fatalf("round %d: %s became %s, want %s", round, ls, got, want)
			}
		}
		for _, e := range m.newer {
			if e.generation != m.generation || e.next != nil && e.next.generation != m.generation {
				t.Fatalf("round %d: an entry of generation %d refers to an older one", round, m.generation)
			}
		}
	}
	if m.generation < 10 {
		t.Errorf("generation %d: it has hardly forgotten", m.generation)
	}
}

func TestRuleMemoryKeys(t *testing.T) {
	ls := promwire.LabelsFromStrings("a", "b", "c", "d")
	r := ruled{key: string(appendKey(nil, ls))}
	if !r.is(ls) {
		t.Error("not itself")
	}
	for _, other := range []promwire.Labels{
		nil, ls[:1], promwire.LabelsFromStrings("a", "b", "c", "de"), promwire.LabelsFromStrings("a", "b", "c", ""),
		promwire.LabelsFromStrings("a", "b", "c", "d", "e", "f"), promwire.LabelsFromStrings("ab", "", "c", "d"),
	} {
		if r.is(other) {
			t.Errorf("%s passes for %s", other, ls)
		}
	}
}

func TestRuleMemoryAllocs(t *testing.T) {
	m := ruleMemory{rules: ruleSet{rules: testRules(t)}, newer: map[string]*ruled{}}
	var all []promwire.Labels
	for i := range 100 {
		all = append(all, numberedLabels(i))
	}
	pass := func() {
		for _, ls := range all {
			m.outcome(ls)
		}
	}
	pass()
	if n := testing.AllocsPerRun(10, pass); n != 0 {
		t.Errorf("%v allocations for known series", n)
	}
}
