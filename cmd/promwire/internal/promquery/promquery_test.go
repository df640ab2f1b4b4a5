package promquery

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// hour is a range of 61 points.
func hour() *Request {
	return &Request{Expr: "x", Start: start, End: start.Add(time.Hour), Step: time.Minute}
}

// stream makes a series with a value a minute.
func stream(name string, values ...float64) *model.SampleStream {
	s := &model.SampleStream{Metric: model.Metric{"__name__": model.LabelValue(name), "job": "a"}}
	for i, v := range values {
		s.Values = append(s.Values, model.SamplePair{Timestamp: model.TimeFromUnixNano(start.Add(time.Duration(i) * time.Minute).UnixNano()), Value: model.SampleValue(v)})
	}
	return s
}

func TestQuery(t *testing.T) {
	answers := map[string]string{
		"/api/v1/query":       `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up"},"value":[1,"2"]}]},"warnings":["odd"]}`,
		"/api/v1/query_range": `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1772366400,"NaN"]],"histograms":[[1772366460,{"count":"4","sum":"2.5","buckets":[[0,"1","2","4"]]}]]}]}}`,
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, _, _ := r.BasicAuth(); r.Header.Get("X-Scope-OrgID") != "t" || user != "me" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, answers[r.URL.Path])
	}))
	defer srv.Close()
	c := Client{URL: strings.Replace(srv.URL, "http://", "http://me:secret@", 1), Header: http.Header{"X-Scope-Orgid": {"t"}}, Timeout: time.Minute}
	a, err := c.Query(t.Context(), Request{Expr: "up", Time: start})
	if err != nil || len(a.Warnings) != 1 || a.Warnings[0] != "odd" {
		t.Fatalf("%v, %v", a, err)
	}
	check(t, WriteTable, a.Value, "SERIES  VALUE\nup      2\n")
	check(t, WriteCSV, a.Value, "series,time,value\nup,1970-01-01T00:00:01Z,2\n")
	check(t, WriteJSON, a.Value, `{"resultType":"vector","result":[{"metric":{"__name__":"up"},"value":[1,"2"]}]}`+"\n")
	a, err = c.Query(t.Context(), *hour())
	if err != nil {
		t.Fatal(err)
	}
	check(t, WriteTable, a.Value, "{}\n  2026-03-01T12:00:00Z  NaN\n  2026-03-01T12:01:00Z  histogram: count 4, sum 2.5, 1 buckets\n")
	check(t, WriteCSV, a.Value, "series,time,value\n{},2026-03-01T12:00:00Z,NaN\n"+
		`{},2026-03-01T12:01:00Z,"{""count"":""4"",""sum"":""2.5"",""buckets"":[[0,""1"",""2"",""4""]]}"`+"\n")
	if _, err := WriteChart(io.Discard, hour(), a.Value, Terminal{}); err == nil || !strings.Contains(err.Error(), "histogram_quantile") {
		t.Errorf("a chart of histograms: %v", err)
	}
	delete(c.Header, "X-Scope-Orgid")
	var refused *v1.Error
	if _, err = c.Query(t.Context(), *hour()); !errors.As(err, &refused) || refused.Type != v1.ErrClient {
		t.Errorf("without a tenant: %v", err)
	}
}

func check(t *testing.T, write func(io.Writer, model.Value) error, v model.Value, want string) {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out, v); err != nil || out.String() != want {
		t.Errorf("%v, got\n%swant\n%s", err, out.String(), want)
	}
}

// TestBadServers gets answers that are none.
func TestBadServers(t *testing.T) {
	for _, body := range []string{
		"", "{}", "<html>", `{"status":"success"}`, `{"status":"success","data":{"resultType":"odd","result":[]}}`,
		`{"status":"success","data":{"resultType":"vector","result":{}}}`, `{"status":"error","errorType":"x","error":"y"}`,
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
		if a, err := (&Client{URL: srv.URL}).Query(t.Context(), Request{Expr: "up"}); err == nil {
			t.Errorf("%q is taken for %v", body, a)
		}
		srv.Close()
	}
}

// TestSteeringServers demands that nothing of what a server says steers a terminal, or is endless.
func TestSteeringServers(t *testing.T) {
	long := strings.Repeat(`\u001b[2J`, 10_000)
	for _, c := range []struct {
		status int
		body   string
	}{
		{400, `{"status":"error","errorType":"\u001b[31m","error":"\u001b[2Jboo"}`},
		{500, `{"status":"error","errorType":"\u001b[31m","error":"boo` + long + `"}`},
		{404, "\x1b[2Jboo"},
		{200, "\x1b[2Jboo"},
		{200, `{"status":"success","warnings":["\u001b[2Jboo` + long + `"],"data":{"resultType":"scalar","result":[1,"1"]}}`},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		}))
		a, err := (&Client{URL: srv.URL}).Query(t.Context(), Request{Expr: "up"})
		said := strings.Join(a.Warnings, "")
		if err != nil {
			said = err.Error()
		}
		if said == "" || len(said) > 2<<10 || strings.Contains(said, "\x1b") {
			t.Errorf("%d %.50s: %.300q", c.status, c.body, said)
		}
		srv.Close()
	}
}

// TestLongAnswer breaks off an answer that has no end.
func TestLongAnswer(t *testing.T) {
	b := &bounded{ReadCloser: io.NopCloser(zeros{}), left: 100_000}
	if n, err := io.Copy(io.Discard, b); !errors.Is(err, ErrTooLong) || n > 100_000 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// TestChart draws two series with marks, times and numbers.
func TestChart(t *testing.T) {
	m := model.Matrix{stream("up", 0, 1, 2, 3, math.NaN(), 5, 6), stream("down", 6, 5, 4, math.Inf(1), 2, 1, 0)}
	r := hour()
	r.End = start.Add(6 * time.Minute)
	var out bytes.Buffer
	left, err := WriteChart(&out, r, m, Terminal{Width: 60, Height: 6})
	if err != nil || left != "" {
		t.Fatal(left, err)
	}
	for _, want := range []string{"6┼+", "0┼*", "12:00:00", "12:06:00", "* up{job=\"a\"}\n", "+ down{job=\"a\"}\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("colors for no terminal")
	}
	out.Reset()
	if _, err := WriteChart(&out, r, m, Terminal{Color: true}); err != nil || !strings.Contains(out.String(), "\x1b[") {
		t.Errorf("no colors for a terminal: %v", err)
	}
}

// TestManySeries leaves out what has no place, and says so.
func TestManySeries(t *testing.T) {
	var m model.Matrix
	for range 30 {
		m = append(m, stream("s", 1, 2))
	}
	left, err := WriteChart(io.Discard, hour(), m, Terminal{})
	if err != nil || !strings.HasPrefix(left, "22 more series") {
		t.Errorf("%q, %v", left, err)
	}
	if _, left, err = Plot(hour(), m, "svg"); err != nil || !strings.HasPrefix(left, "10 more series") {
		t.Errorf("%q, %v", left, err)
	}
}

// TestOddNumbers draws what overflows, vanishes or is not there, without a panic.
func TestOddNumbers(t *testing.T) {
	for _, values := range [][]float64{
		{1},
		{0},
		{0, 0},
		{-math.MaxFloat64, math.MaxFloat64},
		{5e-324, 1e-323},
		{1e18, 1e18 + 256},
		{math.NaN(), 3, math.NaN()},
		{math.Copysign(0, -1)},
		{1e300, -1e-300},
		{math.Inf(1), 2},
		make([]float64, 200),
	} {
		m := model.Matrix{stream("odd", values...)}
		for _, r := range []*Request{hour(), {Start: start, End: start, Step: time.Second}} {
			for _, size := range []int{0, 1, 1000} {
				if _, err := WriteChart(io.Discard, r, m, Terminal{Width: size, Height: size}); err != nil && !strings.Contains(err.Error(), "no numbers") {
					t.Errorf("%v: %v", values, err)
				}
			}
			for _, format := range []string{"svg", "png"} {
				if _, _, err := Plot(r, m, format); err != nil && !strings.Contains(err.Error(), "no numbers") {
					t.Errorf("%v as %s: %v", values, format, err)
				}
			}
		}
	}
	for _, v := range []model.Value{model.Vector{}, &model.Scalar{}, model.Matrix{stream("nan", math.NaN())}, model.Matrix{}} {
		if _, err := WriteChart(io.Discard, hour(), v, Terminal{}); err == nil {
			t.Errorf("a chart of %v", v)
		}
	}
}

// TestImages demands images that are sound, whatever the labels are.
func TestImages(t *testing.T) {
	m := model.Matrix{stream(`</text><script>alert("&")</script>`, 1, 2, 1), stream(strings.Repeat("ü", 5000), 1, 2, 1), stream("\x00\x1b", 1)}
	r := hour()
	r.Expr = `a < b > c & "d"`
	image, _, err := Plot(r, m, "svg")
	if err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(bytes.NewReader(image))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == "script" {
			t.Fatal("a label became an element")
		}
	}
	if image, _, err = Plot(r, m, "png"); err != nil {
		t.Fatal(err)
	}
	if img, err := png.Decode(bytes.NewReader(image)); err != nil || img.Bounds().Dx() != 1000 {
		t.Errorf("not a PNG of 1000 points: %v", err)
	}
}
