package realserver

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/encoding/prototext"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/queryapi"
	"github.com/promwire/promwire/server"
)

// TestFederationParity writes the same to Prometheus and to promwire serve: /federate of both has the same samples, as text and as
// protobuf. Then Prometheus scrapes it from promwire, and has what it should have.
func TestFederationParity(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		theirs, ours := start(t, p, "", p.features()...), startOurs(t)
		all := parityData((time.Now().UnixMilli()/parityStep-parityPoints)*parityStep, true)
		if p.major > 2 {
			all = append(all, customBuckets(time.Now().UnixMilli()))
		}
		for _, s := range []string{theirs.writeURL(), ours + server.WritePath} {
			writeAll(t, writeClient(t, s), all)
		}
		for _, accept := range []string{"", "text/plain;version=0.0.4", string(expfmt.NewFormat(expfmt.TypeProtoDelim))} {
			for _, match := range []string{`{__name__=~"q_.+"}`, `q_requests_total{job="a"}`, `q_leaving`, `none`} {
				var want, got string
				for range 5 { // some samples may just become too old
					if want, got = federation(t, theirs.url, match, accept), federation(t, ours, match, accept); want == got {
						break
					}
				}
				if want != got {
					t.Errorf("%s as %q:\n got %s\nwant %s", match, accept, excerpt(got, want), excerpt(want, got))
				}
			}
		}
		scraper := start(t, p, federating(p, ours), p.features()...)
		for _, expr := range []string{`count({__name__=~"q_[^z].*"})`, `sum(q_requests_total)`, `sum(histogram_count(q_native))`} {
			want := instant(t, ours, expr)
			waitFor(t, expr+" is "+want, func() bool { return instant(t, scraper.url, expr) == want })
		}
	})
}

// customBuckets is a native histogram that becomes a classic one.
func customBuckets(now int64) promwire.TimeSeries {
	return promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "q_z_custom"), Histograms: []promwire.Histogram{{
		Timestamp: now, Schema: promwire.CustomBucketsSchema, Count: 6, Sum: 9, CustomValues: []float64{0.5, 1, 2},
		PositiveSpans: []promwire.BucketSpan{{Offset: 1, Length: 3}}, PositiveDeltas: []int64{1, 1, 1},
	}}}
}

// federation returns the samples at /federate in an order of their own.
func federation(t *testing.T, base, match, accept string) string {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, base+queryapi.FederatePath+"?"+url.Values{"match[]": {match}}.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	lines := []string{resp.Status + " " + kind}
	if kind == "text/plain" {
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.Split(string(text), "\n")...)
	} else {
		decoder := expfmt.NewDecoder(resp.Body, expfmt.ResponseFormat(resp.Header))
		for {
			var f dto.MetricFamily
			if err := decoder.Decode(&f); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			for _, m := range f.Metric {
				text := prototext.Format(m)
				lines = append(lines, fmt.Sprint(f.GetName(), f.GetType(), strings.Join(strings.Fields(text), " ")))
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// federating is a configuration that scrapes all that starts with q_.
func federating(p program, base string) string {
	config := "scrape_configs: [{job_name: federate, honor_labels: true, metrics_path: /federate, scrape_interval: 1s, params: {'match[]': ['{__name__=~\"q_.+\"}']}, " +
		"static_configs: [{targets: ['" + strings.TrimPrefix(base, "http://") + "']}]"
	if p.major > 2 && p.minor > 7 {
		config += ", scrape_native_histograms: true"
	}
	return config + "}]\n"
}

// instant returns the value of an expression that has one.
func instant(t *testing.T, base, expr string) string {
	t.Helper()
	answer := apiRequest{http.MethodGet, "query", url.Values{"query": {expr}}}.send(t, base)
	_, value, _ := strings.Cut(answer, `"value":[`)
	_, value, _ = strings.Cut(value, ",")
	value, _, _ = strings.Cut(value, "]")
	return value
}
