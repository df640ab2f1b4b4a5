package queryapi

import (
	"maps"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// TestCounts counts requests by path and status.
func TestCounts(t *testing.T) {
	registry := prometheus.NewRegistry()
	h := New(newStore(t), Options{Registerer: registry, MaxSamples: 100, Timeout: long})
	get(h, "query", params("query", "1")).demand(t, 200)
	get(h, "query", params("query", "(")).demand(t, 400)
	get(h, "query", params("query", "requests_total[1h]", "time", "1772366400")).demand(t, 422)
	get(h, "query", params("query", "up", "timeout", "0.000000001")).demand(t, 503)
	post(h, "format_query", params("query", nested(500, selector(90_000)))).demand(t, 400)
	post(h, "series", params("match[]", strings.Repeat("x", 1<<20))).demand(t, 413)
	get(h, "label/a/values", nil).demand(t, 200)
	get(h, "label/b/values", nil).demand(t, 200)
	get(h, "status/config", nil).demand(t, 200)
	get(h, "none", nil).demand(t, 404)
	federate(h, "?match[]=up").demand(t, 200)
	federate(h, "?match[]=(").demand(t, 400)
	want := map[string]float64{
		"200 federate": 1, "200 label/values": 2, "200 query": 1, "200 status/config": 1, "400 federate": 1, "400 format_query": 1,
		"400 query": 1, "413 series": 1, "422 query": 1, "503 query": 1,
	}
	if got := counted(t, registry); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// counted returns how many requests were counted, by status and path.
func counted(t *testing.T, from prometheus.Gatherer) map[string]float64 {
	t.Helper()
	all, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range all {
		for _, m := range f.Metric {
			if f.GetName() == "promwire_query_requests_total" {
				got[m.Label[0].GetValue()+" "+m.Label[1].GetValue()] = m.Counter.GetValue()
			}
		}
	}
	return got
}
