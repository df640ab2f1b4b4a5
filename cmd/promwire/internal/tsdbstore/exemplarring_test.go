package tsdbstore

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/promwire/promwire"
)

// Exemplars get their memory when the first one comes, and keep it over a restart while there are some.
func TestExemplarRing(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir, Options{MaxExemplars: 10})
	checkRing(t, s, "at first", 0, 0)
	if err := s.Reconfigure(Options{MaxExemplars: 20}); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, s, float("m", 0, 1))
	checkRing(t, s, "without exemplars, with a new bound", 0, 0)
	ts := float("m", 1, 1)
	ts.Exemplars = []promwire.Exemplar{exemplarAt(1, "a", 1)}
	mustWrite(t, s, ts)
	checkRing(t, s, "after the first", 20, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	checkRing(t, openStore(t, dir, Options{MaxExemplars: 30}), "after a restart", 30, 1)
}

func checkRing(t *testing.T, s *Store, when string, size, used float64) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(s.Metrics())
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, f := range families {
		want, ok := map[string]float64{
			"prometheus_tsdb_exemplar_max_exemplars": size, "prometheus_tsdb_exemplar_exemplars_in_storage": used,
		}[f.GetName()]
		if !ok {
			continue
		}
		seen++
		if got := f.Metric[0].GetGauge().GetValue(); got != want {
			t.Errorf("%s: %s is %v, want %v", when, f.GetName(), got, want)
		}
	}
	if seen != 2 {
		t.Errorf("%d of 2 metrics", seen)
	}
}
