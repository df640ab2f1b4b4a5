package backends

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

var update = flag.Bool("update", false, "write what is seen into docs/backends.md")

// document is the file with the tables, and file its lock.
const document = "../../../../../docs/backends.md"

var (
	file sync.Mutex
	inf  = math.Inf(1)
)

// oddity is a series that is bad, or that some servers do not take.
type oddity struct {
	title  string
	before []promwire.TimeSeries // written before
	series promwire.TimeSeries
}

const hour = int64(3_600_000)

// oddities are the cases. Their times are relative to now; the last moves what Prometheus thinks is too old.
func oddities() []oddity {
	one := func(at int64, v float64) promwire.TimeSeries {
		return promwire.TimeSeries{Labels: named("odd"), Samples: []promwire.Sample{{Timestamp: at, Value: v}}}
	}
	labels := func(ls ...promwire.Label) promwire.TimeSeries {
		return promwire.TimeSeries{Labels: ls, Samples: []promwire.Sample{{Value: 2}}}
	}
	native := func(h promwire.Histogram) promwire.TimeSeries {
		return promwire.TimeSeries{Labels: named("odd"), Histograms: []promwire.Histogram{h}}
	}
	contradictory, custom := histogram(0, 1), histogram(0, 1)
	contradictory.Count = 1
	custom.Schema, custom.ZeroCount, custom.ZeroThreshold = promwire.CustomBucketsSchema, 0, 0
	custom.CustomValues, custom.Count = []float64{0.1, 1, 2.5, 10}, 6
	custom.PositiveSpans = []promwire.BucketSpan{{Length: 3}}
	before := []promwire.TimeSeries{one(0, 1)}
	return []oddity{
		{"the same sample again", before, one(0, 1)},
		{"another value (2 after 1) for a time", before, one(0, 2)},
		{"a minute older than the newest", before, one(-60_000, 2)},
		{"two hours old, a new series", nil, one(-2*hour, 2)},
		{"labels not sorted", nil, labels(promwire.Label{Name: "b", Value: "1"}, promwire.Label{Name: "a", Value: "1"}, named("odd")[0])},
		{"no metric name", nil, labels(promwire.Label{Name: "a", Value: "1"})},
		{"a label twice", nil, labels(named("odd")[0], promwire.Label{Name: "a", Value: "1"}, promwire.Label{Name: "a", Value: "2"})},
		{"a label value that is no UTF-8", nil, labels(named("odd")[0], promwire.Label{Name: "a", Value: "\xff"})},
		{"a UTF-8 metric name", nil, labels(named("odd.température")...)},
		{"a native histogram, exponential", nil, native(histogram(0, 1))},
		{"a native histogram, custom buckets", nil, native(custom)},
		{"a native histogram that contradicts itself", nil, native(contradictory)},
		{"an infinite value", nil, promwire.TimeSeries{Labels: named("odd"), Samples: floats(0, inf)}},
		{"a value of 17 digits, 0.30000000000000004", nil, one(0, 0.30000000000000004)},
		{"1e+300 and 0.5 in one series", nil, promwire.TimeSeries{Labels: named("odd"), Samples: floats(-step, 1e300, 0.5)}},
		{"an hour in the future", nil, one(hour, 2)},
	}
}

func named(name string) promwire.Labels {
	return promwire.Labels{{Name: promwire.MetricName, Value: name}}
}

// watch notes the answers that a client gets; those to its own retries of the same request are mostly equal.
type watch struct{ statuses []string }

func (w *watch) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		w.statuses = append(w.statuses, fmt.Sprint(resp.StatusCode))
	}
	return resp, err
}

// placed is a copy of a series of an oddity, with a label for its case, and its times from now on.
func placed(ts promwire.TimeSeries, title string, now int64) promwire.TimeSeries {
	ts = (&promwire.WriteRequest{Timeseries: []promwire.TimeSeries{ts}}).Clone().Timeseries[0]
	ts.Labels = append(ts.Labels, promwire.Label{Name: "case", Value: title})
	for i := range ts.Samples {
		ts.Samples[i].Timestamp += now
	}
	for i := range ts.Histograms {
		ts.Histograms[i].Timestamp += now
	}
	return ts
}

// row is what is seen of a case.
type row struct{ answers, good, odd, report string }

// try writes a good series and an odd one in a request, and looks at what comes of it.
func try(t *testing.T, s *instance, w *watch, c *remote.WriteClient, o oddity, now int64) row {
	t.Helper()
	place := func(ts promwire.TimeSeries) promwire.TimeSeries { return placed(ts, o.title, now) }
	for _, ts := range o.before {
		if _, err := c.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{place(ts)}}); err != nil {
			t.Fatal(err)
		}
	}
	w.statuses = nil
	good := promwire.TimeSeries{Labels: named("good"), Samples: []promwire.Sample{{Value: 7}}}
	_, err := c.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{place(good), place(o.series)}})
	r := row{answers: strings.Join(slices.Compact(w.statuses), ", "), good: "lost", report: report(err)}
	var odd []string
	for _, got := range s.query(t, "case", o.title) {
		if got.Labels.Get(promwire.MetricName) == "good" && len(got.Samples) == 1 && got.Samples[0].Value == 7 {
			r.good = "stored"
			continue
		}
		odd = append(odd, told(got)...)
	}
	r.odd = strings.Join(odd, ", ")
	if odd == nil {
		r.odd = "nothing"
	}
	if lost := r.odd == "nothing" || r.good == "lost" || o.before != nil && r.odd == "1" && o.series.Samples[0].Value != 1; lost && err == nil {
		r.report = "nothing: **a silent loss**, seen only by reading back"
	}
	return r
}

// told names what a server has of an odd series: values, or the names of the series that a histogram has become.
func told(got stored) []string {
	name := got.Labels.Get(promwire.MetricName)
	if strings.HasPrefix(name, "odd_") {
		return []string{"`" + name + "`"}
	}
	var out []string
	for _, v := range got.Samples {
		out = append(out, fmt.Sprint(v.Value))
	}
	for range got.Histograms {
		out = append(out, "the histogram")
	}
	return out
}

// report says what a client tells its user.
func report(err error) string {
	var partial *promwire.PartialWriteError
	var answer *promwire.HTTPError
	again := "no retry"
	if promwire.Retryable(err) {
		again = "**retry**"
	}
	names := "names nothing"
	switch isHTTP := errors.As(err, &answer); {
	case err == nil:
		return "nothing"
	case errors.As(err, &partial) && len(partial.Refused) > 0:
		return fmt.Sprintf("`PartialWriteError`, the series and %q, before it is sent", promwire.Reason(partial.Refused[0].Reason))
	case isHTTP && strings.Contains(answer.Body, "case"):
		names = "text names the series"
	}
	if partial != nil {
		return "`PartialWriteError` with counts, " + names + ", " + again
	}
	if answer == nil {
		return err.Error()
	}
	return "`HTTPError`, " + names + ", " + again
}

// TestBehaviour writes what is bad in part to every server, and holds the document to what is seen.
func TestBehaviour(t *testing.T) {
	each(t, func(t *testing.T, f found) {
		var b strings.Builder
		modes := []promwire.MessageType{promwire.WriteV1}
		if f.speaksV2(f.Version) {
			modes = append(modes, promwire.WriteV2)
		}
		for _, m := range modes {
			fmt.Fprintf(&b, "\n### %s, Remote Write %s\n\n", f, map[promwire.MessageType]string{promwire.WriteV1: "1.0", promwire.WriteV2: "2.0"}[m])
			b.WriteString("| Beside a good series | Answer | Good one | Odd one: what is there | promwire reports |\n|---|---|---|---|---|\n")
			s, w := f.run(t, f.Program), &watch{}
			c := client(t, s.write, remote.WithMessageType(m), remote.WithHTTPClient(&http.Client{Transport: w}))
			now := time.Now().UnixMilli()
			first := promwire.TimeSeries{Labels: named("first"), Samples: []promwire.Sample{{Timestamp: now, Value: 1}}}
			if _, err := c.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{first}}); err != nil {
				t.Fatal(err)
			}
			for _, o := range oddities() {
				r := try(t, s, w, c, o, now)
				fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", o.title, r.answers, r.good, r.odd, r.report)
			}
		}
		documented(t, f.program+" "+f.Version, b.String())
	})
}

// documented compares a section of the document, or writes it.
func documented(t *testing.T, name, text string) {
	t.Helper()
	file.Lock()
	defer file.Unlock()
	old, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- seen: "+name+" -->\n", "<!-- end: "+name+" -->\n"
	head, rest, ok := strings.Cut(string(old), begin)
	section, tail, closed := strings.Cut(rest, end)
	switch {
	case ok && closed && section == text:
	case !*update:
		t.Errorf("%s says of %s:\n%s\nand this is seen (go test -update writes it):\n%s", document, name, section, text)
	case !ok || !closed:
		head, tail = string(old), ""
		fallthrough
	default:
		if err := os.WriteFile(document, []byte(head+begin+text+end+tail), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}
