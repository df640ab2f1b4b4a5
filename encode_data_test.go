package promwire

import (
	"fmt"
	"strings"
)

// workload returns a request of series with nLabels labels (at least four) and nSamples samples each, in the order
// and with the repetition that a scrape of services gives. Every string has memory of its own.
func workload(nSeries, nLabels, nSamples int) *WriteRequest {
	req := &WriteRequest{}
	for i := range nSeries {
		ts := TimeSeries{Labels: workloadLabels(i, nLabels)}
		for k := range nSamples {
			ts.Samples = append(ts.Samples, Sample{
				Timestamp: 1_700_000_000_000 + 15_000*int64(k),
				Value:     float64(i%97)*1.25 + float64(k*k%1009)/7,
			})
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	return req
}

func workloadLabels(i, n int) Labels {
	target, metric := i/40, i%40
	labels := Labels{
		{"__name__", fmt.Sprintf("service_http_request_duration_metric_%02d_seconds", metric)},
		{"instance", fmt.Sprintf("10.%d.%d.%d:9100", target/200, target%200, target*7%250)},
		{"job", fmt.Sprintf("integrations/service-%d", target%5)},
		{"le", fmt.Sprintf("%d.5", i%11)},
		{"cluster", "prod-eu-west-1"},
		{"container", fmt.Sprintf("app-container-%d", target%9)},
		{"endpoint", "http-metrics"},
		{"namespace", fmt.Sprintf("team-%d-production", target%7)},
		{"pod", fmt.Sprintf("service-%d-7d9f8b6c5d-%05d", target%5, target*7919%100000)},
		{"handler", fmt.Sprintf("/api/v1/resource/%d", metric%6)},
		{"region", "eu-west-1"},
		{"status", fmt.Sprint(200 + metric%5)},
	}[:n].Normalize()
	for k := range labels {
		labels[k] = Label{strings.Clone(labels[k].Name), strings.Clone(labels[k].Value)}
	}
	return labels
}

// histogramWorkload returns n series with one native histogram of 25 to 45 buckets each.
func histogramWorkload(n int) *WriteRequest {
	req := &WriteRequest{}
	for i := range n {
		h := Histogram{
			Timestamp: 1_700_000_000_000, Schema: 3, Sum: float64(i) * 3.75, ZeroThreshold: 0x1p-128, ZeroCount: uint64(i % 3),
			PositiveSpans: []BucketSpan{{Offset: int32(-20 + i%7), Length: 12}, {Offset: 2, Length: uint32(13 + i%21)}},
		}
		for k := range 25 + i%21 {
			h.PositiveDeltas = append(h.PositiveDeltas, int64((k*37+i*11)%61-30))
		}
		h.PositiveDeltas[0] = 1000
		for _, c := range bucketCounts(h.PositiveDeltas) {
			h.Count += uint64(c)
		}
		req.Timeseries = append(req.Timeseries, TimeSeries{Labels: workloadLabels(i, 8), Histograms: []Histogram{h}})
	}
	return req
}

func bucketCounts(deltas []int64) []int64 {
	out, c := make([]int64, len(deltas)), int64(0)
	for i, d := range deltas {
		c += d
		out[i] = c
	}
	return out
}
