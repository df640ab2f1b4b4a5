package gateway

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
)

// filled returns a storage with series of all kinds of labels and values, from the times lo to hi.
func filled(t *testing.T, lo, hi int64, stale bool) *promwiretest.Memory {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	memory := promwiretest.NewMemory(promwiretest.TakeOlder)
	edge := promwire.TimeSeries{Labels: promwire.LabelsFromStrings(promwire.MetricName, "m1", "i", "40")}
	for at := lo; at < hi; at += 3_600_000 {
		edge.Samples = append(edge.Samples, promwire.Sample{Timestamp: at, Value: 1})
	}
	edge.Samples = append(edge.Samples, promwire.Sample{Timestamp: hi, Value: 2})
	req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{edge}}
	for i := range 40 {
		labels := map[string]string{promwire.MetricName: fmt.Sprint("m", i%3), "i": fmt.Sprint(i)}
		for _, name := range []string{"a", "b", "ü.x"} {
			labels[name] = []string{"", "x", "xy", "line\n\"]}", "{"}[r.IntN(5)]
		}
		ts := promwire.TimeSeries{Labels: promwire.LabelsFromMap(labels)}
		for at := lo + r.Int64N(1000); at < hi; at += 1 + r.Int64N((hi-lo)/100) {
			v := []float64{r.Float64(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 1e300, float64(i)}[r.IntN(6)]
			if stale && r.IntN(20) == 0 {
				v = promwire.StaleNaN()
			}
			ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: at, Value: v})
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	if _, err := memory.Write(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	return memory
}

// selectors are of each type, for values that are there, missing, and both.
var selectors = []string{
	`m1`, `{a="x"}`, `m0{a!="x"}`, `{a=~"x"}`, `{a=~"x.*",b!~"x|y"}`, `m2{a="",i!=""}`, `{i=~".+",b=~"|xy"}`, `{i=~".+",b!~""}`, `none`,
	`{"ü.x"="xy"}`, `{"ü.x"!="",i=~"1."}`, `{a="line\n\"]}"}`, `{"ü.x"="xy",a!="x"}`,
}

// sameReads compares what two readers yield for all selectors and several ranges.
func sameReads(t *testing.T, got, want promwire.Reader, lo, hi int64) {
	t.Helper()
	found, ctx := 0, promwire.ContextWithTenant(t.Context(), "team")
	for _, selector := range selectors {
		matchers, err := promwire.ParseSelector(selector)
		if err != nil {
			t.Fatal(err)
		}
		for _, span := range [][2]int64{{lo, hi}, {lo + 1, hi - 1}, {lo, lo}, {hi, hi}, {lo + (hi-lo)/3, hi - (hi-lo)/3}, {0, hi + 200_000_000}, {hi + 1, hi}} {
			q := promwire.Query{Start: time.UnixMilli(span[0]), End: time.UnixMilli(span[1]), Matchers: matchers}
			a, b := text(t, got.Read(ctx, q)), text(t, want.Read(ctx, q))
			if a != b {
				t.Errorf("%s in %v:\n%.300s\nwant\n%.300s", selector, span, a, b)
			}
			found += len(b)
		}
	}
	if found == 0 {
		t.Error("nothing is compared")
	}
}

func text(t *testing.T, all iter.Seq2[promwire.TimeSeries, error]) string {
	t.Helper()
	var out strings.Builder
	for ts, err := range promwire.JoinSeries(all) {
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString(ts.Labels.String())
		for _, s := range ts.Samples {
			fmt.Fprintf(&out, " %d:%x", s.Timestamp, math.Float64bits(s.Value))
		}
		out.WriteString("\n")
	}
	return out.String()
}

// engine runs a handler as an engine.
func engine(t *testing.T, kind Kind, h http.HandlerFunc) *Engine {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	endpoints, err := ParseUpstream(string(kind) + "=" + s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &Engine{Endpoints: endpoints, Timeout: time.Minute, TempDir: t.TempDir(), Link: NewLink(Connection{Transport: http.DefaultTransport})}
}

// readError returns the error of a read.
func readError(t *testing.T, e *Engine) error {
	t.Helper()
	r, err := e.Reader()
	if err != nil {
		t.Fatal(err)
	}
	m, err := promwire.NewMatcher(promwire.MatchEqual, "a", "b")
	if err != nil {
		t.Fatal(err)
	}
	q := promwire.Query{Start: time.UnixMilli(1_000_000), End: time.UnixMilli(2_000_000), Matchers: []promwire.Matcher{m}}
	for _, err := range r.Read(t.Context(), q) {
		return err
	}
	return nil
}
