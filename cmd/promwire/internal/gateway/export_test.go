package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
)

// exports answers as VictoriaMetrics does: blocks of series in any order, with special values in the words of a version.
func exports(t *testing.T, memory *promwiretest.Memory, old bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/export" || r.FormValue("reduce_mem_usage") != "1" || r.Header.Get(promwire.HeaderTenant) != "team" {
			t.Errorf("asked for %s, %v", r.URL, r.Form)
		}
		matchers, err := promwire.ParseSelector(strings.ReplaceAll(r.FormValue("match[]"), `{__name__!=""}`, `{__name__=~".+"}`))
		if err != nil || strings.Contains(r.FormValue("match[]"), "ü") {
			t.Errorf("%s: %v", r.FormValue("match[]"), err)
		}
		q := promwire.Query{Start: milliseconds(t, r.FormValue("start")), End: milliseconds(t, r.FormValue("end")), Matchers: matchers}
		var lines []string
		for ts, err := range memory.Read(r.Context(), q) {
			if err != nil {
				t.Error(err)
			}
			for part := range slices.Chunk(ts.Samples, 7) {
				lines = append(lines, exported(ts.Labels, part, old))
			}
		}
		rand.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		_, _ = io.WriteString(w, strings.Join(lines, ""))
	}
}

func milliseconds(t *testing.T, text string) time.Time {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Error(err)
	}
	return time.UnixMilli(int64(v * 1000)) // cut off, as it does
}

func exported(ls promwire.Labels, samples []promwire.Sample, old bool) string {
	metric := map[string]string{}
	for _, l := range ls {
		metric[l.Name] = l.Value
	}
	labels, _ := json.Marshal(metric)
	var values, times []string
	for _, s := range samples {
		v := strconv.FormatFloat(s.Value, 'g', -1, 64)
		switch {
		case math.IsNaN(s.Value):
			v = "null"
		case math.IsInf(s.Value, 0) && !old:
			v = map[bool]string{true: `"Infinity"`, false: `"-Infinity"`}[s.Value > 0]
		}
		values, times = append(values, v), append(times, fmt.Sprint(s.Timestamp))
	}
	return fmt.Sprintf("{\"metric\":%s,\"values\":[%s],\"timestamps\":[%s]}\n", labels, strings.Join(values, ","), strings.Join(times, ","))
}

// What is read through an export is what is stored, in the order of a reader.
func TestExport(t *testing.T) {
	const hi = 2_186_852_450_476 // less than that many seconds, as a floating point number times 1000
	const lo = hi - 9_000_000
	for _, old := range []bool{false, true} {
		memory := filled(t, lo, hi, true)
		r, err := engine(t, VictoriaMetrics, exports(t, memory, old)).Reader()
		if err != nil {
			t.Fatal(err)
		}
		sameReads(t, r, memory, lo, hi)
	}
}

// Half an export, or something else, is no whole one.
func TestExportFails(t *testing.T) {
	good := exported(promwire.LabelsFromStrings("a", "b"), []promwire.Sample{{Timestamp: 1_000_001, Value: 1}}, false)
	for answer, want := range map[string]string{
		good + `{"metric":{"a":"b"},"val`:                           "the answer is no export",
		good + "unexpected error\n":                                 "the answer is no export: it has a line",
		`{"metric":{"a":"b"},"values":[1,2],"timestamps":[1]}`:      "2 values and 1 times",
		`{"metric":{"a":1},"values":[1],"timestamps":[1]}`:          "labels",
		`{"metric":{"a":"b"},"values":[x],"timestamps":[1]}`:        "invalid syntax",
		`{"metric":{"a":"b"},"values":[1],"timestamps":[1.5]}`:      "invalid syntax",
		`{"metric":{"a":"b"},"values":[1],"timestamps":[1]}garbage`: "ends with",
	} {
		e := engine(t, VictoriaMetrics, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) })
		if err := readError(t, e); err == nil || !errors.Is(err, promwire.ErrUnavailable) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", answer, err, want)
		}
	}
	cut := engine(t, VictoriaMetrics, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, good)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	if err := readError(t, cut); !errors.Is(err, promwire.ErrUnavailable) {
		t.Errorf("a connection that breaks: %v", err)
	}
	long := engine(t, VictoriaMetrics, func(w http.ResponseWriter, _ *http.Request) {
		for range maxExportLine>>20 + 1 {
			_, _ = w.Write(make([]byte, 1<<20))
		}
	})
	if err := readError(t, long); !errors.Is(err, promwire.ErrTooLarge) {
		t.Errorf("an endless line: %v", err)
	}
	redirecting := engine(t, VictoriaMetrics, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.Redirect(w, r, "/", http.StatusFound)
		}
	})
	if err := readError(t, redirecting); err == nil || !strings.Contains(err.Error(), "302") {
		t.Errorf("a redirect: %v", err)
	}
	refusing := engine(t, VictoriaMetrics, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "too many series", http.StatusUnprocessableEntity)
	})
	var answer *promwire.HTTPError
	if err := readError(t, refusing); !errors.As(err, &answer) || answer.StatusCode != http.StatusUnprocessableEntity || answer.Body != "too many series" {
		t.Errorf("an error of the engine: %v", err)
	}
}

func FuzzExportLine(f *testing.F) {
	f.Add([]byte(`{"metric":{"__name__":"a"},"values":[1,null,"Infinity",-Inf],"timestamps":[1,2,3,4]}`))
	f.Add([]byte(`{"metric":{},"values":[],"timestamps":[]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var l exportLine
		for range 2 { // the second time the labels are known
			if err := l.parse(b); err == nil && len(l.values) != len(l.times) {
				t.Errorf("%d values, %d times", len(l.values), len(l.times))
			}
		}
	})
}

// An endpoint is read by its URL alone, with the headers that are given, until it makes no progress any more.
func TestExportReader(t *testing.T) {
	for _, bad := range []string{"", "http://h/api/v1/read", "http://h/api/v1/export?x=1", "h/api/v1/export", "http:///api/v1/export"} {
		if _, err := NewExportReader(bad, Connection{}, 0, ""); err == nil || !strings.Contains(err.Error(), "want a URL such as") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does a server notice that its client is gone
		if user, password, _ := r.BasicAuth(); user != "u" || password != "p" || r.Header.Get("X-Own") != "yes" {
			t.Errorf("headers %v", r.Header)
		}
		_, _ = io.WriteString(w, exported(promwire.LabelsFromStrings("a", "b"), []promwire.Sample{{Timestamp: 1_000_001, Value: 1}}, false))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer s.Close()
	c := Connection{http.DefaultTransport, http.Header{"X-Own": {"yes"}}}
	r, err := NewExportReader(strings.Replace(s.URL, "http://", "http://u:p@", 1)+"/select/0/prometheus/api/v1/export", c, 50*time.Millisecond, "")
	if err != nil {
		t.Fatal(err)
	}
	m := []promwire.Matcher{{Type: promwire.MatchEqual, Name: "a", Value: "b"}}
	for _, err := range r.Read(t.Context(), promwire.Query{Start: time.UnixMilli(1_000_000), End: time.UnixMilli(2_000_000), Matchers: m}) {
		if err == nil || !strings.Contains(err.Error(), "the engine sent nothing for 50ms") {
			t.Errorf("half an export: %v", err)
		}
	}
}

// A read whose client gives up does not blame the engine.
func TestInterruptedRead(t *testing.T) {
	e := engine(t, VictoriaMetrics, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does a server notice that its client is gone
		<-r.Context().Done()
	})
	r, err := e.Reader()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	for _, err = range r.Read(ctx, promwire.Query{End: time.UnixMilli(1000), Matchers: []promwire.Matcher{{Name: "a", Value: "b"}}}) {
		break
	}
	if !errors.Is(err, context.Canceled) || errors.Is(err, promwire.ErrUnavailable) || strings.Contains(err.Error(), "http://") {
		t.Error(err)
	}
}
