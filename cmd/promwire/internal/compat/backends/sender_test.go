package backends

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/compat/proc"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
)

// awaitReceived waits until the condition holds for what a receiver has got.
func awaitReceived(t *testing.T, r *promwiretest.Receiver, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), proc.Patience)
	defer cancel()
	if err := r.WaitFor(ctx, condition); err != nil {
		t.Fatalf("%v; received %v", err, r.Series())
	}
}

// TestVmagent lets vmagent scrape and send to our handler. The newer one begins with zstd, and takes 415 for an answer.
func TestVmagent(t *testing.T) {
	t.Parallel()
	for _, p := range proc.Must(t, "vmagent") {
		t.Run(p.Version, func(t *testing.T) {
			t.Parallel()
			var scrapes atomic.Int64
			target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprintf(w, "# TYPE scrapes_total counter\nscrapes_total{path=\"/ä \\\"b\\\"\"} %d\n# TYPE odd gauge\nodd NaN\n", scrapes.Add(1))
			}))
			t.Cleanup(target.Close)
			r := promwiretest.NewReceiver()
			t.Cleanup(r.Close)
			dir, address := t.TempDir(), proc.FreePorts(t, 1)[0]
			file := filepath.Join(dir, "scrape.yml")
			write(t, file, fmt.Sprintf(`global: {scrape_interval: 1s}
scrape_configs:
- {job_name: target, static_configs: [{targets: [%q]}]}
`, strings.TrimPrefix(target.URL, "http://")))
			s := proc.Start(t, p, dir, "-promscrape.config="+file, "-remoteWrite.url="+r.URL, "-remoteWrite.flushInterval=100ms", "-remoteWrite.queues=1",
				"-remoteWrite.tmpDataPath="+filepath.Join(dir, "queue"), "-httpListenAddr="+address)
			s.Await(t, func() string { return "http://" + address + "/health" })
			counter := promwire.LabelsFromStrings("__name__", "scrapes_total", "path", `/ä "b"`, "job", "target",
				"instance", strings.TrimPrefix(target.URL, "http://"))
			awaitReceived(t, r, func() bool { return len(r.Samples(counter)) >= 3 })
			for i, v := range r.Samples(counter) {
				if v.Value != float64(i+1) {
					t.Errorf("sample %d is %v: lost or repeated", i, v.Value)
				}
			}
			checkAnswers(t, r, strings.HasPrefix(p.Version, "1.79"))
		})
	}
}

// checkAnswers expects snappy and 204, after one attempt with zstd at most.
func checkAnswers(t *testing.T, r *promwiretest.Receiver, snappyOnly bool) {
	t.Helper()
	refused := 0
	for _, q := range r.Requests() {
		switch encoding := q.Header.Get("Content-Encoding"); {
		case encoding == "snappy" && q.Status == http.StatusNoContent && q.Type == promwire.WriteV1:
		case encoding == "zstd" && q.Status == http.StatusUnsupportedMediaType:
			refused++
		case q.Status == 0: // not answered yet
		default:
			t.Errorf("request %d: %q answered %d: %v", q.N, encoding, q.Status, q.Err)
		}
	}
	if snappyOnly == (refused > 0) {
		t.Errorf("%d requests with zstd were refused", refused)
	}
}

// TestCollector writes to an OpenTelemetry Collector, whose receiver takes 2.0 only, and which sends on to our handler,
// as 1.0 or 2.0: what a client writes arrives there with its values.
func TestCollector(t *testing.T) {
	t.Parallel()
	for _, p := range proc.Must(t, "otelcol") {
		for _, message := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
			t.Run(string(message), func(t *testing.T) {
				t.Parallel()
				r := promwiretest.NewReceiver()
				t.Cleanup(r.Close)
				url := runCollector(t, p, r.URL, message)
				start := time.Now().UnixMilli()
				labels := promwire.LabelsFromStrings("__name__", "collected_requests_total", "instance", "i:1", "job", "j", "path", "/a b")
				req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
					Labels: labels, Samples: []promwire.Sample{{Timestamp: start, Value: 85.5}},
					Metadata: promwire.Metadata{Type: promwire.TypeCounter, Help: "Requests."},
				}}}
				_, err := client(t, url, remote.WithMessageType(promwire.WriteV1)).Write(t.Context(), req)
				if err == nil || !strings.Contains(err.Error(), "415") {
					t.Errorf("pinned 1.0: got %v, want 415", err)
				}
				c := client(t, url)
				if stats, err := c.Write(t.Context(), req); err != nil || stats.Samples != 1 || c.MessageType() != promwire.WriteV2 {
					t.Fatalf("wrote %+v as %s: %v", stats, c.MessageType(), err)
				}
				awaitReceived(t, r, func() bool {
					return slices.ContainsFunc(r.Samples(labels), func(s promwire.Sample) bool { return s.Timestamp == start && s.Value == 85.5 })
				})
				for _, q := range r.Requests() {
					if q.Type != message || q.Status != http.StatusNoContent && q.Status != 0 {
						t.Errorf("request %d: %s answered %d", q.N, q.Type, q.Status)
					}
				}
			})
		}
	}
}

// runCollector returns the URL to write to.
func runCollector(t *testing.T, p proc.Program, forward string, message promwire.MessageType) string {
	t.Helper()
	dir, address := t.TempDir(), proc.FreePorts(t, 1)[0]
	file := filepath.Join(dir, "config.yaml")
	write(t, file, fmt.Sprintf(`receivers:
  prometheusremotewrite: {endpoint: %q}
exporters:
  prometheusremotewrite: {endpoint: %q, protobuf_message: %q, add_metric_suffixes: false}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [prometheusremotewrite], exporters: [prometheusremotewrite]}
`, address, forward, string(message)))
	args := []string{"--config=file:" + file}
	if message == promwire.WriteV2 {
		args = append(args, "--feature-gates=exporter.prometheusremotewritexporter.enableSendingRW2")
	}
	s := proc.Start(t, p, dir, args...)
	url := "http://" + address + "/api/v1/write"
	proc.WaitFor(t, "the collector", func() bool {
		select {
		case <-s.Exited:
			t.Fatalf("the collector has ended:\n%s", s.Log)
		default:
		}
		resp, err := http.Get(url)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return true
	})
	return url
}
