//go:build linux

package main

import (
	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
)

// scenario is what is stored, and what of it is judged.
type scenario struct {
	name    string
	message promwire.MessageType
	make    func() *promwire.WriteRequest // the series of one copy
	copies  int                           // of these series, told apart by a label
	passes  int                           // samples of each series
	step    int64                         // between them, in milliseconds
	warm    bool                          // the series are known when measuring begins
	queries bool
	once    bool // in one round only: it takes long
	full    bool // what is read back is every sample, not sums of them
	bars    bars
}

// bars are what promwire may take at most, as a part of what Prometheus takes; 0: not judged.
type bars struct{ cpu, memory, disk, latency float64 }

const (
	day    = 24 * 60 * 60_000 // milliseconds
	memory = 0.6
	// The logs differ by some bytes for the order in which series were created.
	disk = 1.01
	// The engine is the same: this is what two runs of one server differ by.
	latency = 1.05
)

func (s *scenario) v2() bool { return s.message == promwire.WriteV2 }

func (s *settings) scenarios() []scenario {
	var all []scenario
	for _, m := range []struct {
		prefix     string
		t          promwire.MessageType
		known, new float64
	}{{"1.0/", promwire.WriteV1, 0.15, 0.85}, {"2.0/", promwire.WriteV2, 0.25, 1.05}} {
		for _, w := range []struct {
			name string
			make func() *promwire.WriteRequest
			size int
		}{{"W2", workload.Batch, 2000}, {"W4", workload.TenThousand, 10_000}} {
			passes := max(s.samples/w.size, 1)
			all = append(all, scenario{
				name: m.prefix + "known/" + w.name, message: m.t, make: w.make, copies: 1, passes: passes, warm: true, full: true,
				step: min(15_000, 50*60_000/int64(passes)), bars: bars{m.known, memory, disk, 0},
			}, scenario{
				name: m.prefix + "new/" + w.name, message: m.t, make: w.make, copies: max(s.samples/10/w.size, 1), passes: 1, full: true,
				step: 15_000, bars: bars{m.new, 0, disk, 0},
			})
		}
	}
	return append(all,
		scenario{
			name: "query", message: promwire.WriteV2, make: workload.TenThousand, copies: 1, passes: 240, step: 15_000,
			queries: true, once: true, bars: bars{0.25, memory, disk, latency},
		},
		scenario{
			name: "active", message: promwire.WriteV2, make: workload.Batch, copies: max(s.active/2000, 1), passes: 3, step: 15_000, once: true,
			bars: bars{1, 0, disk, 0},
		},
		scenario{
			name: "day", message: promwire.WriteV2, make: workload.TenThousand, copies: max(s.daySeries/10_000, 1), passes: day / 60_000, step: 60_000,
			queries: true, once: true, bars: bars{0.5, 0, disk, latency},
		})
}
