package backends

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
)

// stored is what a server says that it has of a series.
type stored struct {
	Labels     promwire.Labels
	Samples    []promwire.Sample
	Histograms []point
}

// point is a native histogram: what a query shows of it in figures.
type point struct {
	Timestamp  int64
	Count, Sum float64
}

func get(t *testing.T, url string) []byte { return getFor(t, "", url) }

// getFor asks for a tenant, "" for none.
func getFor(t *testing.T, tenant, url string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if tenant != "" {
		req.Header.Set(promwire.HeaderTenant, tenant)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode/100 != 2 {
		t.Fatalf("%s: %d, %v: %s", url, resp.StatusCode, err, body)
	}
	return body
}

func decode(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// sorted brings what a server says into one order.
func sorted(all []stored) []stored {
	for _, s := range all {
		slices.SortFunc(s.Samples, func(a, b promwire.Sample) int { return int(a.Timestamp - b.Timestamp) })
	}
	slices.SortFunc(all, func(a, b stored) int { return a.Labels.Compare(b.Labels) })
	return all
}

// prometheusAPI is the URL of a server with Prometheus' API.
type prometheusAPI string

func (a prometheusAPI) query(t *testing.T, name, value string) []stored {
	return a.queryFor(t, "", name, value)
}

func (a prometheusAPI) queryFor(t *testing.T, tenant, name, value string) []stored {
	t.Helper()
	args := url.Values{
		"query": {fmt.Sprintf("{%s=%q}[5h]", name, value)},
		"time":  {strconv.FormatInt(time.Now().Unix()+2*3600, 10)},
	}
	var answer struct {
		Data struct {
			Result []struct {
				Metric     map[string]string
				Values     [][2]json.RawMessage
				Histograms [][2]json.RawMessage
			}
		}
	}
	decode(t, getFor(t, tenant, string(a)+"/api/v1/query?"+args.Encode()), &answer)
	var out []stored
	for _, r := range answer.Data.Result {
		s := stored{Labels: promwire.LabelsFromMap(r.Metric)}
		for _, v := range r.Values {
			s.Samples = append(s.Samples, promwire.Sample{Timestamp: milliseconds(t, v[0]), Value: number(t, v[1])})
		}
		for _, h := range r.Histograms {
			var shown struct{ Count, Sum json.RawMessage }
			decode(t, h[1], &shown)
			s.Histograms = append(s.Histograms, point{milliseconds(t, h[0]), number(t, shown.Count), number(t, shown.Sum)})
		}
		out = append(out, s)
	}
	return sorted(out)
}

func milliseconds(t *testing.T, text []byte) int64 {
	t.Helper()
	return int64(math.Round(number(t, text) * 1000))
}

// number reads a number, in a string or not; null is NaN.
func number(t *testing.T, text []byte) float64 {
	t.Helper()
	if string(text) == "null" {
		return math.NaN()
	}
	v, err := strconv.ParseFloat(strings.Trim(string(text), `"`), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

var infinity = regexp.MustCompile(`([\[,])([+-])Inf`)

// victoriaAPI is the URL of a VictoriaMetrics, whose export shows what is stored, stale markers included.
type victoriaAPI string

func (a victoriaAPI) query(t *testing.T, name, value string) []stored {
	t.Helper()
	get(t, string(a)+"/internal/force_flush") // new data are seen after some seconds otherwise
	now := time.Now().Unix()                  // the end is now otherwise
	args := url.Values{
		"match[]": {fmt.Sprintf("{%s=%q}", name, value)}, "reduce_mem_usage": {"1"},
		"start": {strconv.FormatInt(now-3*3600, 10)}, "end": {strconv.FormatInt(now+2*3600, 10)},
	}
	var out []stored
	for line := range bytes.Lines(get(t, string(a)+"/api/v1/export?"+args.Encode())) {
		var series struct {
			Metric     map[string]string
			Values     []json.RawMessage
			Timestamps []int64
		}
		line = infinity.ReplaceAll(line, []byte(`$1"${2}Inf"`)) // 1.79 writes what is no JSON
		line = bytes.Replace(line, []byte(`"values":[NaN`), []byte(`"values":[null`), 1)
		decode(t, line, &series)
		s := stored{Labels: promwire.LabelsFromMap(series.Metric)}
		for i, v := range series.Values {
			s.Samples = append(s.Samples, promwire.Sample{Timestamp: series.Timestamps[i], Value: number(t, v)})
		}
		out = append(out, s)
	}
	return sorted(out)
}

// influxAPI is the URL of an InfluxDB with a database "prom".
type influxAPI string

func (a influxAPI) query(t *testing.T, name, value string) []stored {
	t.Helper()
	args := url.Values{
		"db": {"prom"}, "epoch": {"ms"},
		"q": {fmt.Sprintf(`SELECT value FROM /.*/ WHERE %q = '%s' GROUP BY *`, name, value)},
	}
	var answer struct {
		Results []struct {
			Error  string
			Series []struct {
				Name   string
				Tags   map[string]string
				Values [][2]json.RawMessage
			}
		}
	}
	decode(t, get(t, string(a)+"/query?"+args.Encode()), &answer)
	var out []stored
	for _, r := range answer.Results {
		if r.Error != "" {
			t.Fatal(r.Error)
		}
		for _, series := range r.Series {
			tags := map[string]string{promwire.MetricName: series.Name}
			for k, v := range series.Tags {
				if v != "" && k != promwire.MetricName { // tags of other series of the measurement are shown empty
					tags[k] = v
				}
			}
			s := stored{Labels: promwire.LabelsFromMap(tags)}
			for _, v := range series.Values {
				s.Samples = append(s.Samples, promwire.Sample{Timestamp: int64(number(t, v[0])), Value: number(t, v[1])})
			}
			out = append(out, s)
		}
	}
	return sorted(out)
}
