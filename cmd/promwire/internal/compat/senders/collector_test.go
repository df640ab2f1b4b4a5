package senders

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/compat/proc"
)

// runCollector has an OpenTelemetry Collector send what an application pushes to it over OTLP, once a second.
//
// Without an end to its retries and without a time limit of the exporter, which holds for all retries together: with the
// default of 5 s, it drops what it can't send for as long. Its retries begin again from initial_interval each time.
func (s *stand) runCollector(t *testing.T, p proc.Program, message promwire.MessageType) {
	t.Helper()
	x := &sender{name: "otelcol-" + p.Version + "-" + message.Version(), source: newSource(t, true), message: message}
	dir, address := t.TempDir(), proc.FreePorts(t, 1)[0]
	args := []string{"--config=file:" + write(t, dir, "config.yaml", fmt.Sprintf(`receivers:
  otlp: {protocols: {http: {endpoint: %q}}}
exporters:
  prometheusremotewrite:
    endpoint: %q
    protobuf_message: %s
    external_labels: {sender: %s}
    add_metric_suffixes: false
    timeout: 0
    retry_on_failure: {enabled: true, initial_interval: 200ms, max_elapsed_time: 0}
    remote_write_queue: {enabled: true, queue_size: 10000, num_consumers: 1}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [otlp], exporters: [prometheusremotewrite]}
`, address, s.add(x), message, x.name))}
	if message == promwire.WriteV2 {
		args = append(args, "--feature-gates=exporter.prometheusremotewritexporter.enableSendingRW2")
	}
	collector := s.run(t, p, dir, args...)
	proc.WaitFor(t, "the collector", func() bool { return pushOTLP("http://"+address, nil) == nil })
	done := make(chan struct{})
	t.Cleanup(func() {
		x.source.stop()
		<-done
	})
	go func() {
		defer close(done)
		x.source.push("http://"+address, collector.Exited)
	}()
}

// push sends a page a second until the source has stopped, each until it is taken.
func (s *source) push(url string, end <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		s.mu.Lock()
		if s.stopped {
			s.mu.Unlock()
			return
		}
		_, err := s.advance()
		n, p := len(s.pages), s.pages[len(s.pages)-1]
		s.mu.Unlock()
		if err != nil {
			panic(err) // as in ServeHTTP
		}
		for pushOTLP(url, otlpOf(n, p)) != nil {
			select {
			case <-end:
				return
			case <-tick.C:
				if s.isStopped() {
					return
				}
			}
		}
		select {
		case <-end:
			return
		case <-tick.C:
		}
	}
}

func (s *source) isStopped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

type object = map[string]any

// pushOTLP sends metrics as OTLP in JSON.
func pushOTLP(url string, metrics []any) error {
	body, err := json.Marshal(object{"resourceMetrics": []any{object{"scopeMetrics": []any{object{"metrics": metrics}}}}})
	if err != nil {
		return err
	}
	resp, err := http.Post(url+"/v1/metrics", "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", resp.Status)
	}
	return nil
}

func otlpOf(n int, p page) []any {
	at := strconv.FormatInt(p.arrived*1e6, 10)
	point := func(v float64) []any { return []any{object{"timeUnixNano": at, "asDouble": v}} }
	return []any{
		object{"name": "scrapes_total", "sum": object{"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": point(float64(n))}},
		object{"name": "random", "gauge": object{"dataPoints": point(p.gauge)}},
		object{"name": "classic_seconds", "histogram": object{"aggregationTemporality": 2, "dataPoints": []any{otlpHistogram(at, p.classic)}}},
	}
}

// otlpHistogram has counts by bucket, which are not cumulative.
func otlpHistogram(at string, h *dto.Histogram) object {
	var bounds []float64
	var counts []string
	before := uint64(0)
	for _, b := range h.Bucket {
		if math.IsInf(b.GetUpperBound(), 1) {
			break // it is there once it has an exemplar
		}
		bounds = append(bounds, b.GetUpperBound())
		counts = append(counts, fmt.Sprint(b.GetCumulativeCount()-before))
		before = b.GetCumulativeCount()
	}
	counts = append(counts, fmt.Sprint(h.GetSampleCount()-before))
	return object{"timeUnixNano": at, "count": fmt.Sprint(h.GetSampleCount()), "sum": h.GetSampleSum(), "explicitBounds": bounds, "bucketCounts": counts}
}
