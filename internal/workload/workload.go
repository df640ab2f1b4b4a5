// Package workload makes the deterministic requests that benchmarks and large tests share.
//
// Each call of a maker returns fresh memory: no two strings share bytes, as in data that came from different places.
package workload

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/promwire/promwire"
)

// Now is the timestamp of the workloads, in milliseconds since the Unix epoch.
const Now = 1_760_000_000_000

// Set is a named workload.
type Set struct {
	Name string
	Make func() *promwire.WriteRequest
}

// Sets returns all workloads, W1 to W5.
func Sets() []Set {
	return []Set{
		{"W1-small", Small},
		{"W2-batch", Batch},
		{"W2s-shuffled", Shuffled},
		{"W3-backfill", Backfill},
		{"W4-10k", TenThousand},
		{"W5-histograms", Histograms},
	}
}

func rnd(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x70726f6d77697265)) }

// Small is W1: one series with five labels and one sample.
func Small() *promwire.WriteRequest {
	ls := promwire.LabelsFromStrings(promwire.MetricName, "billing_orders_processed_total", "instance",
		"billing-worker-01.eu-west-1.example:9100", "job", "billing", "queue", "payments", "region", "eu-west-1")
	return &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
		{Labels: ls.Clone(), Samples: []promwire.Sample{{Timestamp: Now, Value: 85}}},
	}}
}

// Batch is W2: 2,000 series with ten to twelve labels and one sample each, in the order of their targets.
func Batch() *promwire.WriteRequest {
	r, req := rnd(2), &promwire.WriteRequest{}
	for i := range 2000 {
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
			Labels:  batchLabels(i).Clone(),
			Samples: []promwire.Sample{{Timestamp: Now, Value: float64(r.IntN(1_000_000)) / 4}},
		})
	}
	return req
}

// batchLabels gives 50 targets of 40 series each about 200 distinct strings.
func batchLabels(i int) promwire.Labels {
	target, series := i/40, i%40
	m := map[string]string{
		promwire.MetricName: fmt.Sprintf("http_server_%s_total", strings.Split(
			"requests responses errors retries timeouts rejected bytes_received bytes_sent", " ")[series%8]),
		"cluster":     "production-eu-west-1-a",
		"container":   fmt.Sprintf("application-%d", target%4),
		"endpoint":    "metrics-http",
		"instance":    fmt.Sprintf("10.17.%d.%d:9100", target/16, 100+target),
		"job":         fmt.Sprintf("kubernetes-pods-%d", target%3),
		"method":      strings.Split("GET POST PUT DELETE PATCH", " ")[series/8],
		"namespace":   fmt.Sprintf("team-%d-production", target%6),
		"path":        fmt.Sprintf("/api/v1/resources/%d/items", series%10),
		"pod":         fmt.Sprintf("application-%d-6f7b9c%04x-x%02dzk", target%4, uint32(target)*2654435761&0xffff, target),
		"status_code": strings.Split("200 201 400 404 500 503", " ")[series%6],
	}
	switch series % 3 {
	case 1:
		m["service"] = "frontend-gateway"
	case 2:
		delete(m, "endpoint")
	}
	return promwire.LabelsFromMap(m)
}

// Shuffled is W2s: the series of [Batch] in random order.
func Shuffled() *promwire.WriteRequest {
	req := Batch()
	rnd(22).Shuffle(len(req.Timeseries), func(i, j int) {
		req.Timeseries[i], req.Timeseries[j] = req.Timeseries[j], req.Timeseries[i]
	})
	return req
}

// Backfill is W3: 100 series with 200 samples each.
func Backfill() *promwire.WriteRequest {
	r, req := rnd(3), &promwire.WriteRequest{}
	for i := range 100 {
		ts := promwire.TimeSeries{Labels: promwire.LabelsFromStrings(promwire.MetricName, "node_network_receive_bytes_total",
			"device", fmt.Sprintf("eth%d", i%10), "instance", fmt.Sprintf("host-%02d:9100", i/10), "job", "node").Clone()}
		value := 1e9 * r.Float64()
		for j := range 200 {
			value += float64(r.IntN(1_000_000)) / 8
			ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: Now + int64(j)*15_000 + int64(r.IntN(20)), Value: value})
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	return req
}

// TenThousand is W4: 10,000 series with six labels and one sample each, 100 metrics of each of 100 targets.
func TenThousand() *promwire.WriteRequest {
	r, req := rnd(4), &promwire.WriteRequest{}
	for i := range 10_000 {
		target, metric := i/100, i%100
		ls := promwire.LabelsFromStrings(promwire.MetricName, fmt.Sprintf("broker_queue_%02d_messages_total", metric),
			"cluster", "eu-central-1", "env", "prod", "instance", fmt.Sprintf("broker-%03d:9404", target),
			"job", "broker", "region", "eu")
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
			Labels:  ls.Clone(),
			Samples: []promwire.Sample{{Timestamp: Now, Value: float64(r.IntN(100_000))}},
		})
	}
	return req
}

// Histograms is W5: 500 native integer histograms with 25 to 45 buckets, on label sets like those of [Batch].
func Histograms() *promwire.WriteRequest {
	r, req := rnd(5), &promwire.WriteRequest{}
	for i := range 500 {
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
			Labels: batchLabels(i).Clone(), Histograms: []promwire.Histogram{histogram(r)},
		})
	}
	return req
}

func histogram(r *rand.Rand) promwire.Histogram {
	h := promwire.Histogram{Timestamp: Now, Schema: 3, ZeroThreshold: 0x1p-128, ZeroCount: uint64(r.IntN(5))}
	buckets, before := 25+r.IntN(21), int64(0)
	h.Count = h.ZeroCount
	for left := buckets; left > 0; {
		run := min(left, 5+r.IntN(20))
		h.PositiveSpans = append(h.PositiveSpans, promwire.BucketSpan{Offset: int32(1 + r.IntN(4)), Length: uint32(run)})
		left -= run
	}
	for range buckets {
		n := int64(1 + r.IntN(400))
		h.PositiveDeltas = append(h.PositiveDeltas, n-before)
		before = n
		h.Count += uint64(n)
		h.Sum += float64(n) * r.Float64()
	}
	return h
}

// ReadStep is the time between two samples of [ReadSeries], in milliseconds: 1,000 samples stay in the head of a TSDB.
const ReadStep = 5_000

// ReadSeries makes n series of samples each, [ReadStep] apart from [Now] on, for remote-read work.
func ReadSeries(n, samples int) *promwire.WriteRequest {
	r, req := rnd(6), &promwire.WriteRequest{}
	for i := range n {
		ts := promwire.TimeSeries{Labels: promwire.LabelsFromStrings(promwire.MetricName, "node_cpu_seconds_total",
			"cpu", fmt.Sprint(i%16), "instance", fmt.Sprintf("host-%04d:9100", i/16), "job", "node", "mode", "user").Clone()}
		value := 1e6 * r.Float64()
		for j := range samples {
			value += float64(r.IntN(1500)) / 100
			ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: Now + int64(j)*ReadStep, Value: value})
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	return req
}
