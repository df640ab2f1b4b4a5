package tsdbstore

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/promwire/promwire"
)

// TestMetrics gathers before and after the TSDB was opened anew, and after the end, from a collector registered once.
func TestMetrics(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(s.Metrics())
	mustWrite(t, s, float("a", 0, 1), float("b", 0, 1))
	check := func(want map[string]float64) {
		t.Helper()
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]float64{}
		for _, f := range families {
			for _, m := range f.Metric {
				got[f.GetName()] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
		for name, v := range want {
			if found, ok := got[name]; (v >= 0) != ok || ok && found != v {
				t.Errorf("%s: %v (%t), want %v", name, found, ok, v)
			}
		}
	}
	check(map[string]float64{
		"prometheus_tsdb_head_series": 2, "promwire_store_failed": 0, "promwire_store_reopens_total": 0,
		"prometheus_tsdb_wal_writes_failed_total": 0, "prometheus_tsdb_head_samples_appended_total": 2,
	})
	s.failed.Store(true) // as after a log write that failed
	check(map[string]float64{"promwire_store_failed": 1})
	req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{float("c", 1, 2)}}
	if _, err := s.Write(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	check(map[string]float64{"prometheus_tsdb_head_series": 3, "promwire_store_failed": 0, "promwire_store_reopens_total": 1})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	check(map[string]float64{"prometheus_tsdb_head_series": -1, "promwire_store_reopens_total": 1})
}
