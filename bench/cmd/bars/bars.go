package main

// bar says that ours may cost at most Ratio times what Peer costs, at each workload.
type bar struct {
	Path, Ours, Peer string // benchmark names with %s for the workload
	Ratio            map[string]float64
}

const (
	w2, w3, w4, w5 = "W2-batch", "W3-backfill", "W4-10k", "W5-histograms"
	readWork       = "1000x1000"
	readLong       = "10x1M"
)

// bars are the promises of the project about speed, as CPU time against a peer in the same run.
var bars = []bar{
	{
		"decode 1.0, streaming walk", "Decode/msg=rw1/work=%s/impl=promwire-walk", "Decode/msg=rw1/work=%s/impl=easyproto",
		map[string]float64{w2: 0.65, w4: 0.65, w3: 0.9, w5: 1},
	},
	{
		"decode 1.0 into a request", "Decode/msg=rw1/work=%s/impl=promwire-request", "Decode/msg=rw1/work=%s/impl=prompb",
		map[string]float64{w2: 0.09, w4: 0.09},
	},
	{
		"decode 2.0", "Decode/msg=rw2/work=%s/impl=promwire-walk", "Decode/msg=rw2/work=%s/impl=exp-vtproto",
		map[string]float64{w2: 0.28, w4: 0.28},
	},
	{
		"encode 1.0, plain", "Encode/msg=rw1/work=%s/impl=promwire", "Encode/msg=rw1/work=%s/impl=prometheus-queue",
		map[string]float64{w2: 0.6, w4: 0.4, w3: 0.75},
	},
	{
		"encode 1.0, handles", "Encode/msg=rw1/work=%s/impl=promwire-handles", "Encode/msg=rw1/work=%s/impl=prometheus-queue",
		map[string]float64{w2: 0.26, w4: 0.2},
	},
	{
		"encode 2.0, plain", "Encode/msg=rw2/work=%s/impl=promwire", "Encode/msg=rw2/work=%s/impl=prometheus-queue",
		map[string]float64{w2: 0.75, w3: 0.65, w4: 0.65, w5: 0.65},
	},
	{
		"encode 2.0, handles", "Encode/msg=rw2/work=%s/impl=promwire-handles", "Encode/msg=rw2/work=%s/impl=prometheus-queue",
		map[string]float64{w2: 0.25, w4: 0.25},
	},
	{
		"write handler + TSDB, 1.0", "Serve/msg=1.0/work=%s/impl=promwire", "Serve/msg=1.0/work=%s/impl=prometheus",
		map[string]float64{w2: 0.15},
	},
	{
		"write handler + TSDB, 2.0", "Serve/msg=2.0/work=%s/impl=promwire", "Serve/msg=2.0/work=%s/impl=prometheus",
		map[string]float64{w2: 0.23},
	},
	{
		"read samples, server", "ReadServer/type=samples/work=%s/impl=promwire", "ReadServer/type=samples/work=%s/impl=prometheus",
		map[string]float64{readWork: 0.4, readLong: 0.4},
	},
	{
		"read samples, client", "ReadClient/type=samples/work=%s/impl=promwire", "ReadClient/type=samples/work=%s/impl=prometheus",
		map[string]float64{readWork: 0.4, readLong: 0.4},
	},
	{
		"read chunks, server", "ReadServer/type=chunks/work=%s/impl=promwire", "ReadServer/type=chunks/work=%s/impl=prometheus",
		map[string]float64{readWork: 0.85, readLong: 0.85},
	},
	{
		"read chunks, client", "ReadClient/type=chunks/work=%s/impl=promwire", "ReadClient/type=chunks/work=%s/impl=prometheus",
		map[string]float64{readWork: 0.7, readLong: 0.7},
	},
	{
		"record", "Record/kind=%s/impl=promwire", "Record/kind=%s/impl=client_golang",
		map[string]float64{
			"Counter.Inc": 1.2, "Counter.Add": 1.2, "Gauge.Set": 1.2, "Gauge.Add": 1.2, "Histogram.Observe": 1.2, "Native.Observe": 1.2,
		},
	},
	{
		"record, parallel", "Record/kind=%s-parallel/impl=promwire", "Record/kind=%s-parallel/impl=client_golang",
		map[string]float64{
			"Counter.Inc": 1.2, "Counter.Add": 1.2, "Gauge.Set": 1.2, "Gauge.Add": 1.2, "Histogram.Observe": 1.2, "Native.Observe": 1.2,
		},
	},
	{
		"push a registry", "Push/work=%s/impl=promwire", "Push/work=%s/impl=client_golang",
		map[string]float64{"10k": 0.2},
	},
}
