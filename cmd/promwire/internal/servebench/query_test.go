package servebench

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/compat/proc"
	"github.com/promwire/promwire/cmd/promwire/internal/queryapi"
	"github.com/promwire/promwire/remote"
	"github.com/promwire/promwire/server"
)

// queryShapes are the queries: over seven metrics each, 56 in all, as dashboards and rules have them.
var queryShapes = []string{
	`%s{instance="host-3"}`, `sum(rate(%s[5m]))`, `sum by (instance) (rate(%s[2m]))`, `topk(5, %s)`,
	`max_over_time(%s{mode=~"a|b"}[10m])`, `%[1]s / on (instance, mode) %[1]s offset 5m`, `quantile by (mode) (0.9, %s)`, `count(%s > 1000)`,
}

const (
	queryMetrics, queryHosts, queryModes = 7, 50, 4
	queryPoints, queryStep               = 240, 15 // an hour
)

// queryData are 1,400 counters.
func queryData(start time.Time) []promwire.TimeSeries {
	var out []promwire.TimeSeries
	for m := range queryMetrics {
		for host := range queryHosts {
			for mode := range queryModes {
				ts := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", fmt.Sprintf("m%d_total", m),
					"instance", fmt.Sprintf("host-%d", host), "job", "node", "mode", string(rune('a'+mode)))}
				for i := range queryPoints {
					ts.Samples = append(ts.Samples, promwire.Sample{
						Timestamp: start.Add(time.Duration(i*queryStep) * time.Second).UnixMilli(), Value: float64(i*(host+1)*(mode+1) + i*i%7),
					})
				}
				out = append(out, ts)
			}
		}
	}
	return out
}

// queryURLs are instants and ranges, without the server.
func queryURLs(start time.Time) []string {
	end := start.Add(queryPoints * queryStep * time.Second)
	seconds := func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
	var out []string
	for m := range queryMetrics {
		for i, shape := range queryShapes {
			expr := fmt.Sprintf(shape, fmt.Sprintf("m%d_total", m))
			if i%2 == 0 {
				out = append(out, "/api/v1/query?"+url.Values{"query": {expr}, "time": {seconds(end)}}.Encode())
				continue
			}
			out = append(out, "/api/v1/query_range?"+url.Values{
				"query": {expr}, "start": {seconds(start)}, "end": {seconds(end)}, "step": {"30"},
			}.Encode())
		}
	}
	return out
}

// BenchmarkQuery asks promwire serve's handlers and a real Prometheus 3 (found as the tests of package compat find it)
// over loopback, one query after the other, for the same data. An operation is all 56 queries; p50 and p99 are of single
// ones. Answers must be the same.
func BenchmarkQuery(b *testing.B) {
	start := time.Now().Add(-90 * time.Minute).Truncate(time.Minute)
	data, queries := queryData(start), queryURLs(start)
	var want []string
	for _, impl := range []struct {
		name string
		run  func(b *testing.B) string
	}{{"promwire", serveOurs}, {"prometheus", servePrometheus}} {
		b.Run("impl="+impl.name, func(b *testing.B) {
			base := impl.run(b)
			fillServer(b, base, data)
			var times []time.Duration
			answers := make([]string, len(queries))
			for b.Loop() {
				for i, q := range queries {
					began := time.Now()
					answers[i] = fetch(b, base+q)
					times = append(times, time.Since(began))
				}
			}
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-µs")
			if want == nil {
				want = answers
			}
			for i := range want {
				if want[i] != answers[i] {
					b.Errorf("%s: answers differ", queries[i])
				}
			}
		})
	}
}

func serveOurs(b *testing.B) string {
	store := openStore(b)
	mux := http.NewServeMux()
	mux.Handle(queryapi.Prefix, queryapi.New(store, queryapi.Options{}))
	mux.Handle(server.WritePath, server.NewWriteHandler(store))
	srv := httptest.NewServer(mux)
	b.Cleanup(srv.Close)
	return srv.URL
}

var listening = regexp.MustCompile(`msg="Listening on".* address=(127\.0\.0\.1:[0-9]+)`)

func servePrometheus(b *testing.B) string {
	found := slices.DeleteFunc(proc.Must(b, "prometheus"), func(p proc.Program) bool { return !strings.HasPrefix(p.Version, "3.") })
	if len(found) == 0 {
		b.Skip("no Prometheus 3 to measure")
	}
	dir := b.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, nil, 0o666); err != nil {
		b.Fatal(err)
	}
	running := proc.Start(b, found[0], dir, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address=127.0.0.1:0", "--web.enable-remote-write-receiver")
	base := ""
	running.Await(b, func() string {
		if m := listening.FindStringSubmatch(running.Log.String()); m != nil {
			base = "http://" + m[1]
			return base + "/-/ready"
		}
		return ""
	})
	return base
}

func fillServer(b *testing.B, base string, data []promwire.TimeSeries) {
	client, err := remote.NewWriteClient(base + server.WritePath)
	if err != nil {
		b.Fatal(err)
	}
	defer client.CloseIdleConnections()
	for part := range slices.Chunk(data, 100) {
		if _, err := client.Write(b.Context(), &promwire.WriteRequest{Timeseries: part}); err != nil {
			b.Fatal(err)
		}
	}
}

func fetch(b *testing.B, target string) string {
	resp, err := http.Get(target)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		b.Fatalf("%s: %s %v: %.300s", target, resp.Status, err, body)
	}
	return string(body)
}
