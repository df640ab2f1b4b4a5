package queryapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire/cmd/promwire/internal/promconfig"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
)

// TestAnswers asks each path once, by GET and, where the API takes it, by POST.
func TestAnswers(t *testing.T) {
	h := New(newStore(t), Options{Flags: map[string]string{"data": "dir"}})
	for _, c := range []struct {
		path, want string
		params     []string
		post       bool
	}{
		{
			"query", `{"resultType":"vector","result":[{"metric":{"instance":"1"},"value":[1772366400,"1"]}]}`,
			[]string{"query", `rate(requests_total{instance="1"}[5m])`, "time", "1772366400"},
			true,
		},
		{"query", `{"resultType":"scalar","result":[10,"3"]}`, []string{"query", "1+2", "time", "10"}, true},
		{
			"query_range", `{"resultType":"matrix","result":[{"metric":{},"values":[[1772366280,"13920"],[1772366340,"14160"],[1772366400,"14400"]]}]}`,
			[]string{"query", "sum(requests_total)", "start", "1772366280", "end", "2026-03-01T12:00:00Z", "step", "1m"},
			true,
		},
		{
			"query_exemplars", `[{"seriesLabels":{"__name__":"requests_total","instance":"0"},"exemplars":[{"labels":{"trace_id":"abc"},"value":"1","timestamp":1772366400}]}]`,
			[]string{"query", "rate(requests_total[1m])", "start", "0", "end", "1772366400"},
			true,
		},
		{"series", `[{"__name__":"requests_total","instance":"2"},{"__name__":"up"}]`, []string{"match[]", `requests_total{instance="2"}`, "match[]", "up"}, true},
		{"labels", `["__name__","instance"]`, nil, true},
		{"label/instance/values", `["0","1","2","3"]`, nil, false},
		{"label/instance/values", `["1"]`, []string{"match[]", `{instance="1"}`}, false},
		{"label/__name__/values", `["requests_total"]`, []string{"limit", "1"}, false},
		{"metadata", `{"requests_total":[{"type":"counter","unit":"requests","help":"Requests."}]}`, []string{"metric", "requests_total"}, false},
		{"metadata", `{"odd":[{"type":"unknown","unit":"","help":""}],"requests_total":[{"type":"counter","unit":"requests","help":"Requests."}],"up":[{"type":"gauge","unit":"","help":"Is it up?"}]}`, nil, false},
		{"metadata", `{}`, []string{"metric", "none"}, false},
		{"format_query", `"sum by (b) (a)"`, []string{"query", "sum(a)by(b)"}, true},
		{"parse_query", `{"type":"numberLiteral","val":"1"}`, []string{"query", "1"}, true},
		{"status/flags", `{"data":"dir"}`, nil, false},
		{"status/walreplay", `{"min":0,"max":0,"current":0}`, nil, false},
		{"status/tsdb/blocks", `{"blocks":[]}`, nil, false},
		{"rules", `{"groups":[]}`, nil, false},
		{"alerts", `{"alerts":[]}`, nil, false},
	} {
		t.Run(strings.ReplaceAll(c.path, "/", " "), func(t *testing.T) {
			answers := []answer{get(h, c.path, params(c.params...))}
			if c.post {
				answers = append(answers, post(h, c.path, params(c.params...)))
			}
			for _, a := range answers {
				if got := a.data(t); got != c.want && !sameJSON(got, c.want) {
					t.Errorf("got  %s\nwant %s", got, c.want)
				}
			}
		})
	}
}

// sameJSON compares where the order of names is not given.
func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// TestStatus looks for what clients look for.
func TestStatus(t *testing.T) {
	store := newStore(t)
	read := time.Unix(1772366400, 0)
	h := New(store, Options{LastReload: func() (time.Time, bool) { return read, false }})
	get(h, "status/buildinfo", nil).demand(t, 200, `"version":"3.`, `"branch":"promwire-`)
	get(h, "status/runtimeinfo", nil).demand(t, 200, `"storageRetention":""`, `"reloadConfigSuccess":false`,
		`"lastConfigTime":"2026-03-01T12:00:00Z"`, `"corruptionCount":0`, `"GOGC":"`+gogc(), started.UTC().Format(`"startTime":"2006-01-02T15:04:05`))
	get(h, "status/tsdb", nil).demand(t, 200, `"numSeries":5`, `"chunkCount":9`, `{"name":"requests_total","value":4}`)
}

// TestShownConfig reads status/config as a configuration, which has to be the one that was set.
func TestShownConfig(t *testing.T) {
	store := newStore(t)
	h := New(store, Options{})
	for _, o := range []tsdbstore.Options{
		{},
		{Retention: -1, OutOfOrderWindow: -1},
		{Retention: 100 * time.Hour, RetentionBytes: 50<<30 + 1, OutOfOrderWindow: 90 * time.Second, MaxExemplars: 7},
	} {
		if err := store.Reconfigure(o); err != nil {
			t.Fatal(err)
		}
		var data struct{ YAML string }
		if err := json.Unmarshal([]byte(get(h, "status/config", nil).data(t)), &data); err != nil {
			t.Fatal(err)
		}
		s, err := promconfig.ParseServe([]byte(data.YAML))
		if err != nil {
			t.Fatalf("%v: %s", err, data.YAML)
		}
		want := store.Options()
		if *s.Retention != want.Retention || *s.RetentionBytes != want.RetentionBytes || *s.OutOfOrderWindow != want.OutOfOrderWindow || *s.MaxExemplars != want.MaxExemplars {
			t.Errorf("%s for %+v", data.YAML, want)
		}
	}
	get(h, "status/runtimeinfo", nil).demand(t, 200, `"storageRetention":"4d4h or 50GiB1B"`)
}

// TestNotServed demands 404 of what would write, and of what has nothing to say here.
func TestNotServed(t *testing.T) {
	h := New(newStore(t), Options{})
	for _, path := range []string{
		"write", "read", "otlp/v1/metrics", "admin/tsdb/delete_series", "admin/tsdb/snapshot",
		"admin/tsdb/clean_tombstones", "targets", "targets/metadata", "scrape_pools", "alertmanagers", "notifications/live",
		"search/metric_names", "openapi.yaml", "status/self_metrics", "label/x", "query/", "",
	} {
		for _, a := range []answer{get(h, path, nil), post(h, path, nil)} {
			a.demand(t, http.StatusNotFound)
		}
	}
	ask(h, httptest.NewRequest(http.MethodGet, "/query", nil)).demand(t, http.StatusNotFound)
	ask(h, httptest.NewRequest(http.MethodDelete, Prefix+"query", nil)).demand(t, http.StatusMethodNotAllowed)
}

// TestErrors demands the errors of Prometheus.
func TestErrors(t *testing.T) {
	h := New(newStore(t), Options{})
	get(h, "query", params("query", "sum(")).demand(t, 400, `"errorType":"bad_data"`, `1:5: parse error: unclosed left parenthesis`)
	get(h, "query", params("query", "1", "time", "x")).demand(t, 400, `invalid parameter \"time\"`)
	get(h, "query", params("query", "1", "timeout", "x")).demand(t, 400, `invalid parameter \"timeout\"`)
	get(h, "query_range", params("query", "1", "start", "0", "end", "20000", "step", "1")).demand(t, 400, "exceeded maximum resolution of 11,000 points")
	get(h, "query", params("query", "up + on() group_left() requests_total", "time", "1772366400")).demand(t, 422, `"errorType":"execution"`)
	get(h, "series", nil).demand(t, 400, "no match[] parameter provided")
	get(h, "label/a%FFb/values", nil).demand(t, 400, "invalid label name")
}

// TestNoCORS demands that scripts of other sites are not let in.
func TestNoCORS(t *testing.T) {
	h := New(newStore(t), Options{})
	for _, method := range []string{http.MethodGet, http.MethodOptions} {
		r := httptest.NewRequest(method, Prefix+"query?query=1", nil)
		r.Header.Set("Origin", "http://elsewhere")
		for name := range ask(h, r).head {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s is answered with %s", method, name)
			}
		}
	}
}

// TestServerVersion reads the server's version from that of the library.
func TestServerVersion(t *testing.T) {
	for library, want := range map[string]string{
		"v0.315.0": "3.15.0", "v0.309.12": "3.9.12", "v0.400.1-rc.0": "4.0.1", "(devel)": fallbackVersion, "": fallbackVersion,
	} {
		if got := serverVersion(library); got != want {
			t.Errorf("%s is %s, want %s", library, got, want)
		}
	}
}

// TestClosedStore demands 503 of everything that reads a store that is closed, or opened anew.
func TestClosedStore(t *testing.T) {
	store := newStore(t)
	h := New(store, Options{})
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	v := params("query", "up", "match[]", "up", "start", "1", "end", "2", "step", "1")
	for _, path := range []string{"query", "query_range", "query_exemplars", "series", "labels", "label/a/values", "status/tsdb", "status/tsdb/blocks"} {
		get(h, path, v).demand(t, 503, `"errorType":"unavailable"`, "the store is closed")
	}
	get(h, "status/runtimeinfo", nil).demand(t, 200)
}
