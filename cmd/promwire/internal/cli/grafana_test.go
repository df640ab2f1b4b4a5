package cli

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// grafana asks a server as the data source of Grafana 10 to 13 does that is set to POST, the default: with its headers, and with
// GET for what has no POST.
type grafana struct{ srv *httpServer }

func newGrafana(t *testing.T) *grafana {
	t.Helper()
	g := &grafana{usedServer(t)}
	scrapeSelf(t, g)
	return g
}

type grafanaAnswer struct {
	code int
	body []byte
}

func (g *grafana) get(t *testing.T, path string, v url.Values) grafanaAnswer {
	t.Helper()
	return g.do(t, http.MethodGet, path+"?"+v.Encode(), "")
}

func (g *grafana) post(t *testing.T, path string, v url.Values) grafanaAnswer {
	t.Helper()
	return g.do(t, http.MethodPost, path, v.Encode())
}

func (g *grafana) do(t *testing.T, method, path, body string) grafanaAnswer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, g.srv.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"User-Agent": "Grafana/13.0.0", "Accept-Encoding": "gzip", "X-Grafana-Org-Id": "1", "X-Dashboard-Uid": "promwire-serve",
		"X-Dashboard-Title": "promwire serve", "X-Panel-Id": "4", "X-Panel-Title": "Samples written", "X-Query-Group-Id": "3f1a",
		"X-Datasource-Uid": "promwire", "X-Grafana-Referer": "http://127.0.0.1:3000/d/promwire-serve", "X-Forwarded-For": "192.0.2.7",
		"Traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	} {
		req.Header.Set(name, value)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var in io.Reader = resp.Body
	if resp.Header.Get("Content-Encoding") == "gzip" {
		if in, err = gzip.NewReader(in); err != nil {
			t.Fatal(err)
		}
	}
	text, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return grafanaAnswer{resp.StatusCode, text}
}

// results is how many series a query has as its result.
func (a grafanaAnswer) results(t *testing.T) int {
	t.Helper()
	var r struct {
		Data struct{ Result []json.RawMessage }
	}
	if err := json.Unmarshal(a.body, &r); err != nil {
		t.Fatalf("%v: %.300s", err, a.body)
	}
	return len(r.Data.Result)
}

// strings are the names or values of an answer.
func (a grafanaAnswer) strings(t *testing.T) []string {
	t.Helper()
	var r struct{ Data []string }
	if err := json.Unmarshal(a.body, &r); err != nil {
		t.Fatalf("%v: %.300s", err, a.body)
	}
	return r.Data
}

// TestGrafana plays what the data source asks for, from its check and what it looks up for its editors to panels, variables and
// alert rules.
func TestGrafana(t *testing.T) {
	g := newGrafana(t)
	writeForGrafana(t, g)
	now := time.Now()
	seconds := func(back time.Duration) string { return strconv.FormatInt(now.Add(-back).Unix(), 10) }
	start, end := seconds(time.Hour), seconds(-time.Minute)
	millis := strconv.FormatInt(now.UnixMilli(), 10) // the check for exemplars gives milliseconds
	float := strconv.FormatFloat(float64(now.UnixNano())/1e9, 'f', -1, 64)
	for _, c := range []struct {
		what, method, path, form string
		code                     int
		want                     string
	}{
		{"save and test", "POST", "query", "query=1%2B1&time=4", 200, `{"resultType":"scalar","result":[4,"2"]}`},
		{"save and test, with a time limit", "POST", "query", "query=1%2B1&time=4&timeout=60s", 200, `"2"`},
		{"which server is it", "POST", "status/buildinfo", "", 405, ""}, // then it asks again, with GET
		{"which server is it", "GET", "status/buildinfo", "", 200, `"version":"3.`},
		{"recording rules", "POST", "rules", "", 405, ""},
		{"recording rules", "GET", "rules", "", 200, `{"groups":[]}`},
		{"alerts", "GET", "alerts", "", 200, `{"alerts":[]}`},
		{"are there exemplars", "POST", "query_exemplars", "query=test&start=" + millis + "&end=" + millis, 200, `"data":[]`},
		{"metrics", "GET", "label/__name__/values?limit=40000&start=" + start + "&end=" + end, "", 200, `"shop_orders_total"`},
		{"metrics that match", "GET", "label/__name__/values?match[]=%7B__name__%3D~%22.*orders.*%22%7D&limit=1000&start=" + start + "&end=" + end, "", 200, `["shop_orders_total"]`},
		{"labels", "POST", "labels", "limit=40000&start=" + start + "&end=" + end, 200, `"shop name"`},
		{"labels of a metric", "POST", "labels", "match%5B%5D=shop_orders_total&start=" + start + "&end=" + end, 200, `["__name__","shop name"]`},
		{"types and help", "GET", "metadata?limit=40000", "", 200, `"shop_orders_total":[{"type":"counter","unit":"","help":"Orders."}]`},
		{"types of each once", "GET", "metadata?limit_per_metric=1&limit=40000", "", 200, `"Orders."`},
		{"type of one", "GET", "metadata?metric=shop_orders_total", "", 200, `"counter"`},
		{"values of a label", "GET", "label/job/values?match[]=promwire_build_info&limit=40000&start=" + start + "&end=" + end, "", 200, `["promwire"]`},
		{"values of a label with a blank", "GET", "label/U__shop_20_name/values?start=" + start + "&end=" + end, "", 200, `["a \"b\"/ü"]`},
		{"series", "POST", "series", "match%5B%5D=%7B__name__%21%3D%22%22%7D&limit=40000&start=" + start + "&end=" + end, 200, `"shop name":"a \"b\"/ü"`},
		{"a panel", "POST", "query_range", "query=sum(rate(shop_orders_total%5B1m0s%5D))&start=" + start + "&end=" + end + "&step=15", 200, `"resultType":"matrix"`},
		{"a narrow panel", "POST", "query_range", "query=up&start=" + seconds(time.Minute) + "&end=" + end + "&step=0.25", 200, `"values"`},
		{"a step as a duration", "POST", "query_range", "query=up&start=" + start + "&end=" + end + "&step=1m", 200, `"values"`},
		{"a table", "POST", "query", "query=shop_orders_total&time=" + float, 200, `"value"`},
		{"a native histogram", "POST", "query", "query=shop_seconds&time=" + float, 200, `"buckets"`},
		{"exemplars of a panel", "POST", "query_exemplars", "query=shop_orders_total&start=" + start + "&end=" + end, 200, `"trace_id":"abc"`},
		{"a wrong expression", "POST", "query_range", "query=sum(&start=" + start + "&end=" + end + "&step=15", 400, `parse error`},
		{"too many points", "POST", "query_range", "query=up&start=0&end=" + end + "&step=1", 400, `exceeded maximum resolution of 11,000 points`},
		{"the builder's formatting", "POST", "format_query", "query=sum(rate(up%5B5m%5D))by(job)", 200, `sum by (job) (rate(up[5m]))`},
		{"explain", "GET", "parse_query?query=up", "", 200, `"type":"vectorSelector"`},
		{"about the server", "GET", "status/runtimeinfo", "", 200, `"storageRetention"`},
		{"as with httpMethod GET", "GET", "query_range?query=up&start=" + start + "&end=" + end + "&step=15", "", 200, `"values"`},
	} {
		a := g.do(t, c.method, "/api/v1/"+c.path, c.form)
		if a.code != c.code || !strings.Contains(string(a.body), c.want) {
			t.Errorf("%s: %s %s %s: %d %.500s\nwant %d and %s", c.what, c.method, c.path, c.form, a.code, a.body, c.code, c.want)
		}
	}
	if a := g.get(t, "/api/v1/status/buildinfo", nil); strings.Contains(string(a.body), `"features":{`) {
		t.Errorf("Grafana takes a server with features for Mimir: %s", a.body) // and would edit rules there
	}
}

// writeForGrafana stores a counter with an exemplar and a label that is no identifier, and a native histogram.
func writeForGrafana(t *testing.T, g *grafana) {
	t.Helper()
	client, err := remote.NewWriteClient(g.srv.writeURL())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UnixMilli()
	counter := promwire.TimeSeries{
		Labels:    promwire.LabelsFromStrings("__name__", "shop_orders_total", "shop name", `a "b"/ü`),
		Samples:   []promwire.Sample{{Timestamp: now - 15000, Value: 1}, {Timestamp: now, Value: 2}},
		Exemplars: []promwire.Exemplar{{Labels: promwire.LabelsFromStrings("trace_id", "abc"), Value: 1, Timestamp: now}},
		Metadata:  promwire.Metadata{Type: promwire.TypeCounter, Help: "Orders."},
	}
	native := promwire.TimeSeries{
		Labels: promwire.LabelsFromStrings("__name__", "shop_seconds"),
		Histograms: []promwire.Histogram{{
			Timestamp: now, Count: 3, Sum: 5, PositiveSpans: []promwire.BucketSpan{{Length: 2}}, PositiveDeltas: []int64{1, 1},
		}},
	}
	if _, err := client.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{counter, native}}); err != nil {
		t.Fatal(err)
	}
}
