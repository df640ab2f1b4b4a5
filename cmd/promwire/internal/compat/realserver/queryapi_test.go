package realserver

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/queryapi"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
	"github.com/promwire/promwire/server"
)

// TestQueryAPIParity writes the same requests to a Prometheus of the version whose API promwire serve has, and to the
// handlers of promwire serve. What both answer to more than 400 requests is the same, byte for byte: status, content type
// and body, but for the order of series that PromQL makes at random.
func TestQueryAPIParity(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		if !sameAPI(p) {
			t.Skip("an API of another version: make compat has the one that is compared, and fails without it")
		}
		theirs := start(t, p, "", p.features()...)
		ours := startOurs(t)
		first := (time.Now().UnixMilli()/parityStep)*parityStep - 20*60_000
		for _, s := range []string{theirs.writeURL(), ours + server.WritePath} {
			w := writeClient(t, s)
			writeAll(t, w, parityData(first, true))
			mustWrite(t, w, apiExtras(first))
		}
		requests := apiRequests(first)
		t.Logf("%d requests", len(requests))
		empty := 0
		for _, r := range requests {
			want, got := r.send(t, theirs.url), r.send(t, ours)
			if strings.Contains(r.args.Get("query"), "histogram_quantile") { // it keeps its results in a map
				want, got = sorted(want), sorted(got)
			}
			if want != got {
				t.Errorf("%s %s?%s\n got %s\nwant %s", r.method, r.path, r.args.Encode(), excerpt(got, want), excerpt(want, got))
			}
			if strings.HasSuffix(want, `"result":[]}}`) {
				empty++
			}
		}
		if len(requests) < 400 || empty > len(requests)/10 {
			t.Errorf("%d requests, %d of them with empty results: they compare little", len(requests), empty)
		}
	})
}

// sorted returns the answer with the series of an instant vector in order.
func sorted(answer string) string {
	const opening = `"vector","result":[`
	begin := strings.Index(answer, opening) + len(opening)
	end := begin + strings.Index(answer[begin:], `]}]}`) + len(`]}`)
	if begin < len(opening) || end < begin+len(`]}`) {
		return answer
	}
	rows := strings.Split(answer[begin:end], `,{"metric":`)
	rows[0] = strings.TrimPrefix(rows[0], `{"metric":`)
	slices.Sort(rows)
	return answer[:begin] + strings.Join(rows, `,{"metric":`) + answer[end:]
}

// sameAPI says whether the program has the API of the library that promwire is built with.
func sameAPI(p program) bool { return p.major == 3 && p.minor == 15 }

// startOurs serves what promwire serve does, from an empty store, and returns the URL.
func startOurs(t *testing.T) string {
	t.Helper()
	store, err := tsdbstore.Open(t.TempDir(), tsdbstore.Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	mux := http.NewServeMux()
	queries := queryapi.New(store, queryapi.Options{})
	mux.Handle(queryapi.Prefix, queries)
	mux.Handle(queryapi.FederatePath, queries)
	remote := server.NewHandler(store)
	mux.Handle(server.WritePath, remote)
	mux.Handle(server.ReadPath, remote)
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv.URL
}

// apiRequest is a request to the API.
type apiRequest struct {
	method, path string
	args         url.Values
}

// send returns what the API answers: status, content type and body.
func (r apiRequest) send(t *testing.T, base string) string {
	t.Helper()
	target, body := base+queryapi.Prefix+r.path, ""
	if r.method == http.MethodPost {
		body = r.args.Encode()
	} else if len(r.args) > 0 {
		target += "?" + r.args.Encode()
	}
	req, err := http.NewRequest(r.method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Status + "\n" + resp.Header.Get("Content-Type") + "\n" + string(answer)
}

// apiExtras is what the data of other tests do not have: names in UTF-8, exemplars.
func apiExtras(first int64) *promwire.WriteRequest {
	exemplars := func(trace string) []promwire.Exemplar {
		return []promwire.Exemplar{
			{Labels: promwire.LabelsFromStrings("trace_id", trace), Value: 0.5, Timestamp: first + 1000},
			{Labels: promwire.LabelsFromStrings("trace_id", trace, "span", "ü"), Value: 3, Timestamp: first + 2000},
		}
	}
	sample := []promwire.Sample{{Timestamp: first + 3000, Value: 4}}
	return &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
		{Labels: promwire.LabelsFromStrings("__name__", "q_traced_total", "job", "a"), Samples: sample, Exemplars: exemplars("t1")},
		{Labels: promwire.LabelsFromStrings("__name__", "q_traced_total", "job", "b"), Samples: sample, Exemplars: exemplars("t2")},
		{Labels: promwire.LabelsFromStrings("__name__", "q.temperature °C", "capteur.numéro", "1"), Samples: sample},
	}}
}

// TestMetadataParity has a Prometheus scrape a target, and pushes the same metadata to promwire serve: both answer the
// same.
func TestMetadataParity(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		if !sameAPI(p) {
			t.Skip("an API of another version: make compat has the one that is compared, and fails without it")
		}
		target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
			_, _ = io.WriteString(w, "# TYPE a counter\n# HELP a Ünits.\na_total 1\n# TYPE b_seconds gauge\n# UNIT b_seconds seconds\n"+
				"b_seconds 1\n# TYPE c info\n# HELP c \\\"<&>\nc_info{d=\"e\"} 1\n# TYPE f stateset\nf{f=\"g\"} 1\n# EOF\n")
		}))
		t.Cleanup(target.Close)
		theirs := start(t, p, registryConfig(p, strings.TrimPrefix(target.URL, "http://")))
		ours := startOurs(t)
		metadata := []promwire.MetricMetadata{
			{Family: "a", Metadata: promwire.Metadata{Type: promwire.TypeCounter, Help: "Ünits."}},
			{Family: "b_seconds", Metadata: promwire.Metadata{Type: promwire.TypeGauge, Unit: "seconds"}},
			{Family: "c", Metadata: promwire.Metadata{Type: promwire.TypeInfo, Help: `"<&>`}},
			{Family: "f", Metadata: promwire.Metadata{Type: promwire.TypeStateSet}},
		}
		mustWrite(t, writeClient(t, ours+server.WritePath), &promwire.WriteRequest{Metadata: metadata})
		waitFor(t, "metadata of the target", func() bool {
			return strings.Contains(apiRequest{http.MethodGet, "metadata", nil}.send(t, theirs.url), "stateset")
		})
		for _, args := range []string{"", "metric=a", "metric=b_seconds", "metric=nothing", "limit=0", "limit=x", "limit_per_metric=1", "limit_per_metric=x", "metric=c&limit=5"} {
			values, err := url.ParseQuery(args)
			if err != nil {
				t.Fatal(err)
			}
			r := apiRequest{http.MethodGet, "metadata", values}
			if want, got := r.send(t, theirs.url), r.send(t, ours); want != got {
				t.Errorf("metadata?%s\n got %s\nwant %s", args, got, want)
			}
		}
	})
}
