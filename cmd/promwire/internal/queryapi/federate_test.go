package queryapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
)

// federated is a store with new, old, stale and future samples, and a handler for it.
func federated(t *testing.T, o Options) (h *Handler, now time.Time) {
	t.Helper()
	s, err := tsdbstore.Open(t.TempDir(), tsdbstore.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	now = time.Now()
	at := func(age time.Duration, v float64) promwire.Sample {
		return promwire.Sample{Timestamp: now.Add(-age).UnixMilli(), Value: v}
	}
	req := &promwire.WriteRequest{}
	for name, samples := range map[string][]promwire.Sample{
		"new":    {at(time.Minute, 1), at(0, 2)},
		"ahead":  {at(time.Minute, 3), at(-5*time.Minute, 4)},
		"old":    {at(6*time.Minute, 5)},
		"stale":  {at(time.Minute, 6), at(0, promwire.StaleNaN())},
		"Upper":  {at(time.Second, 7)},
		"quoted": {at(0, 8)},
	} {
		labels := promwire.LabelsFromStrings("__name__", name)
		if name == "quoted" {
			labels = promwire.LabelsFromStrings("__name__", name, "instance", "i", "x", `a"\`)
		}
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{Labels: labels, Samples: samples})
	}
	if _, err := s.Write(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	return New(s, o), now
}

func federate(h http.Handler, query string) answer {
	return ask(h, httptest.NewRequest(http.MethodGet, FederatePath+query, nil))
}

// TestFederate demands the newest sample of each series that is neither old nor stale, with its time.
func TestFederate(t *testing.T) {
	h, now := federated(t, Options{})
	stamp := func(age time.Duration) string { return fmt.Sprintf(" %d", now.Add(-age).UnixMilli()) }
	want := "# TYPE Upper untyped\nUpper{instance=\"\"} 7" + stamp(time.Second) +
		"\n# TYPE ahead untyped\nahead{instance=\"\"} 3" + stamp(time.Minute) +
		"\n# TYPE new untyped\nnew{instance=\"\"} 2" + stamp(0) +
		"\n# TYPE quoted untyped\nquoted{instance=\"i\",x=\"a\\\"\\\\\"} 8" + stamp(0) + "\n"
	a := federate(h, `?match[]={__name__=~".%2B"}&match[]=new`)
	if a.demand(t, 200); a.body != want || !strings.HasPrefix(a.head.Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Errorf("%s:\n%s\nwant\n%s", a.head, a.body, want)
	}
	if a := federate(h, ""); a.code != 200 || a.body != "" {
		t.Errorf("nothing selected: %+v", a)
	}
	federate(h, "?match[]={").demand(t, 400, "unexpected end of input")
	federate(h, `?match[]={a=~"`+strings.Repeat("x{50}", 5000)+`"}`).demand(t, 400, "bad_data")
	ask(h, httptest.NewRequest(http.MethodDelete, FederatePath, nil)).demand(t, 405)
	get(h, FederatePath, nil).demand(t, 404)
}

// TestFederateBounds holds an answer against the bounds of queries.
func TestFederateBounds(t *testing.T) {
	h, _ := federated(t, Options{MaxSamples: 3})
	federate(h, `?match[]={__name__=~".%2B"}`).demand(t, 422, "too many samples")
	h, _ = federated(t, Options{MaxConcurrency: 1, Timeout: 10 * time.Millisecond})
	if _, err := h.places.Insert(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	federate(h, "?match[]=new").demand(t, 503, "--query.max-concurrency")
	h.places.Delete(0)
	if err := h.store.Close(); err != nil {
		t.Fatal(err)
	}
	federate(h, "?match[]=new").demand(t, 503, "the store is closed")
}
