package queryapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
)

// newest is the time of the newest samples, in seconds.
const newest = 1_772_366_400

// newStore returns a store with an hour of samples, one a minute: requests_total{instance="0".."3"} and up.
func newStore(t testing.TB) *tsdbstore.Store {
	t.Helper()
	s, err := tsdbstore.Open(t.TempDir(), tsdbstore.Options{MinFree: -1, Retention: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	req := &promwire.WriteRequest{Metadata: []promwire.MetricMetadata{
		{Family: "requests_total", Metadata: promwire.Metadata{Type: promwire.TypeCounter, Help: "Requests.", Unit: "requests"}},
		{Family: "up", Metadata: promwire.Metadata{Type: promwire.TypeGauge, Help: "Is it up?"}},
		{Family: "odd", Metadata: promwire.Metadata{Type: 99}},
	}}
	for _, instance := range []string{"0", "1", "2", "3"} {
		ts := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "requests_total", "instance", instance)}
		for i := range 61 {
			ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: (newest - int64(60-i)*60) * 1000, Value: float64(i * 60)})
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	req.Timeseries[0].Exemplars = []promwire.Exemplar{{
		Labels: promwire.LabelsFromStrings("trace_id", "abc"), Value: 1, Timestamp: newest * 1000,
	}}
	req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
		Labels: promwire.LabelsFromStrings("__name__", "up"), Samples: []promwire.Sample{{Timestamp: newest * 1000, Value: 1}},
	})
	if _, err := s.Write(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	return s
}

// answer is what the API answered.
type answer struct {
	code int
	head http.Header
	body string
}

// data returns the JSON of the data.
func (a answer) data(t testing.TB) string {
	t.Helper()
	var parsed struct {
		Status string          `json:"status"`
		Data   json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal([]byte(a.body), &parsed); err != nil || parsed.Status != "success" {
		t.Fatalf("%d %s (%v)", a.code, a.body, err)
	}
	return string(parsed.Data)
}

// demand demands a status and parts of the body.
func (a answer) demand(t testing.TB, code int, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(a.body, p) {
			t.Errorf("no %q in: %.500s", p, a.body)
		}
	}
	if a.code != code {
		t.Errorf("answered %d, want %d: %.500s", a.code, code, a.body)
	}
}

// params makes parameters of names and values in turn.
func params(namesAndValues ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(namesAndValues); i += 2 {
		v.Add(namesAndValues[i], namesAndValues[i+1])
	}
	return v
}

func get(h http.Handler, path string, v url.Values) answer {
	return ask(h, httptest.NewRequest(http.MethodGet, Prefix+path+"?"+v.Encode(), nil))
}

func post(h http.Handler, path string, v url.Values) answer {
	r := httptest.NewRequest(http.MethodPost, Prefix+path, strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return ask(h, r)
}

func ask(h http.Handler, r *http.Request) answer {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), w.Body.String()}
}

const long = time.Hour // a timeout that never comes
