package memory

import (
	"math"
	"runtime/debug"
	"runtime/metrics"
)

// usage is what the process has in use.
type usage struct {
	bytes       uint64 // of memory, without what is free again
	live        uint64 // bytes that the last collection has left
	collections uint64
}

func readUsage() usage {
	samples := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/gc/heap/live:bytes"},
		{Name: "/gc/cycles/total:gc-cycles"},
	}
	metrics.Read(samples)
	v := func(i int) uint64 { return samples[i].Value.Uint64() }
	return usage{v(0) - v(1) - v(2), v(3), v(4)}
}

// Collect has the collector run in time for a guard of that limit in bytes, unless GOMEMLIMIT says when. Without it, garbage would
// count for memory that is short.
func Collect(limit int64) {
	if limit > 0 && debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(limit)
	}
}
