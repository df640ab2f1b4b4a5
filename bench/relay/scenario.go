//go:build linux

package main

import (
	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
)

// scenario is what is sent, and what has to be done with it.
type scenario struct {
	message promwire.MessageType
	work    string
	make    func() *promwire.WriteRequest
	relabel bool
	bar     float64 // CPU time of promwire, at most, as a part of that of Prometheus; 0: not judged
	parts   int     // in which each request is sent; 0: as one
}

var scenarios = []scenario{
	{message: promwire.WriteV1, work: "W2-batch", make: workload.Batch, bar: 0.1},
	{message: promwire.WriteV1, work: "W4-10k", make: workload.TenThousand, bar: 0.1},
	{message: promwire.WriteV2, work: "W2-batch", make: workload.Batch, bar: 0.2},
	{message: promwire.WriteV2, work: "W4-10k", make: workload.TenThousand, bar: 0.2},
	{message: promwire.WriteV1, work: "W2-batch", make: workload.Batch, relabel: true, bar: 0.5},
	{message: promwire.WriteV2, work: "W2-batch", make: workload.Batch, relabel: true, bar: 0.5},
	{message: promwire.WriteV1, work: "W2-small", make: workload.Batch, parts: 20},
	{message: promwire.WriteV2, work: "W2-small", make: workload.Batch, parts: 20},
}

// memoryBar bounds the resident memory of promwire, in bytes.
const memoryBar = 64 << 20

func (s *scenario) name() string {
	name := "1.0/" + s.work
	if s.message == promwire.WriteV2 {
		name = "2.0/" + s.work
	}
	if s.relabel {
		name += "/relabel"
	}
	return name
}

// rules change and drop labels, and drop a sixth of the series of W2.
const rules = `  - {action: labeldrop, regex: endpoint|container}
  - {source_labels: [namespace], regex: 'team-(\d+)-.*', target_label: team, replacement: 'team$1'}
  - {source_labels: [__name__, status_code], regex: 'http_server_.*;503', action: drop}
`

// dropped reports whether the rules drop a series.
func dropped(ls promwire.Labels) bool { return ls.Get("status_code") == "503" }
