package realserver

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"testing"

	"github.com/promwire/promwire"
)

// series is what the API says of one series. Times are in milliseconds.
type series struct {
	Labels     promwire.Labels
	Samples    []promwire.Sample
	Histograms []apiHistogram
}

// apiHistogram is a native histogram as the API shows it: its buckets that are not empty, with their bounds.
type apiHistogram struct {
	Timestamp  int64
	Count, Sum float64
	Buckets    []apiBucket
}

type apiBucket struct {
	Rule                int // 0: open left, 1: open right, 2: open both, 3: closed both
	Lower, Upper, Count float64
}

// get asks the API and decodes the data of its answer.
func (s *instance) get(t *testing.T, path string, args url.Values, data any) {
	t.Helper()
	resp, err := http.Get(s.url + path + "?" + args.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatalf("%s?%s: status %d: %v", path, args.Encode(), resp.StatusCode, err)
	}
	if answer.Status != "success" {
		t.Fatalf("%s?%s: %s", path, args.Encode(), answer.Error)
	}
}

// query evaluates an expression at a time; with a range selector, that gives samples as they are stored.
func (s *instance) query(t *testing.T, expr string, at int64) []series {
	t.Helper()
	return s.evaluate(t, "/api/v1/query", url.Values{"query": {expr}, "time": {seconds(at)}})
}

// queryRange evaluates an expression at every step, in milliseconds.
func (s *instance) queryRange(t *testing.T, expr string, start, end, step int64) []series {
	t.Helper()
	return s.evaluate(t, "/api/v1/query_range", url.Values{
		"query": {expr}, "start": {seconds(start)}, "end": {seconds(end)}, "step": {seconds(step)},
	})
}

func (s *instance) evaluate(t *testing.T, path string, args url.Values) []series {
	t.Helper()
	var data struct {
		ResultType string
		Result     json.RawMessage
	}
	s.get(t, path, args, &data)
	var result []struct {
		Metric     map[string]string
		Value      *apiPoint
		Values     []apiPoint
		Histogram  *apiPoint
		Histograms []apiPoint
	}
	if data.ResultType == "scalar" {
		var p apiPoint
		decode(t, data.Result, &p)
		return []series{{Samples: []promwire.Sample{{Timestamp: p.time, Value: p.float(t)}}}}
	}
	decode(t, data.Result, &result)
	var out []series
	for _, r := range result {
		got := series{Labels: promwire.LabelsFromMap(r.Metric)}
		if r.Value != nil {
			r.Values = append(r.Values, *r.Value)
		}
		for _, p := range r.Values {
			got.Samples = append(got.Samples, promwire.Sample{Timestamp: p.time, Value: p.float(t)})
		}
		if r.Histogram != nil {
			r.Histograms = append(r.Histograms, *r.Histogram)
		}
		for _, p := range r.Histograms {
			got.Histograms = append(got.Histograms, p.histogram(t))
		}
		out = append(out, got)
	}
	slices.SortFunc(out, func(a, b series) int { return a.Labels.Compare(b.Labels) })
	return out
}

// apiPoint is a pair of time and value.
type apiPoint struct {
	time int64
	raw  json.RawMessage
}

func (p *apiPoint) UnmarshalJSON(text []byte) error {
	var pair []json.RawMessage
	if err := json.Unmarshal(text, &pair); err != nil || len(pair) != 2 {
		return fmt.Errorf("not a pair: %s", text)
	}
	at, err := strconv.ParseFloat(string(pair[0]), 64)
	p.time, p.raw = int64(math.Round(at*1000)), pair[1]
	return err
}

func (p apiPoint) float(t *testing.T) float64 {
	t.Helper()
	var v apiFloat
	decode(t, p.raw, &v)
	return float64(v)
}

func (p apiPoint) histogram(t *testing.T) apiHistogram {
	t.Helper()
	var h struct {
		Count, Sum apiFloat
		Buckets    [][]json.RawMessage
	}
	decode(t, p.raw, &h)
	out := apiHistogram{Timestamp: p.time, Count: float64(h.Count), Sum: float64(h.Sum)}
	for _, raw := range h.Buckets {
		var b [4]apiFloat
		decode(t, raw[0], &b[0])
		for i := 1; i < 4; i++ {
			decode(t, raw[i], &b[i])
		}
		out.Buckets = append(out.Buckets, apiBucket{int(b[0]), float64(b[1]), float64(b[2]), float64(b[3])})
	}
	return out
}

// apiFloat is a number, in a string or not.
type apiFloat float64

func (f *apiFloat) UnmarshalJSON(text []byte) error {
	s := string(text)
	if s[0] == '"' {
		s = s[1 : len(s)-1]
	}
	v, err := strconv.ParseFloat(s, 64)
	*f = apiFloat(v)
	return err
}

func decode(t *testing.T, text json.RawMessage, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// seconds formats milliseconds as the API takes them.
func seconds(ms int64) string { return strconv.FormatFloat(float64(ms)/1000, 'f', 3, 64) }

// exemplars returns the exemplars of the series that expr selects, by labels.
func (s *instance) exemplars(t *testing.T, expr string, start, end int64) map[string][]promwire.Exemplar {
	t.Helper()
	var data []struct {
		SeriesLabels map[string]string
		Exemplars    []struct {
			Labels    map[string]string
			Value     apiFloat
			Timestamp float64
		}
	}
	s.get(t, "/api/v1/query_exemplars", url.Values{"query": {expr}, "start": {seconds(start)}, "end": {seconds(end)}}, &data)
	out := map[string][]promwire.Exemplar{}
	for _, d := range data {
		name := promwire.LabelsFromMap(d.SeriesLabels).String()
		for _, e := range d.Exemplars {
			out[name] = append(out[name], promwire.Exemplar{
				Labels: promwire.LabelsFromMap(e.Labels), Value: float64(e.Value), Timestamp: int64(math.Round(e.Timestamp * 1000)),
			})
		}
	}
	return out
}
