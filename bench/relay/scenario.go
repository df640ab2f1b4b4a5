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
	bar     float64 // CPU time of promwire, at most, as a part of that of Prometheus
}

var scenarios = []scenario{
	{promwire.WriteV1, "W2-batch", workload.Batch, false, 0.1},
	{promwire.WriteV1, "W4-10k", workload.TenThousand, false, 0.1},
	{promwire.WriteV2, "W2-batch", workload.Batch, false, 0.2},
	{promwire.WriteV2, "W4-10k", workload.TenThousand, false, 0.2},
	{promwire.WriteV1, "W2-batch", workload.Batch, true, 0.5},
	{promwire.WriteV2, "W2-batch", workload.Batch, true, 0.5},
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
