package bench

import (
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/promwire/promwire/internal/workload"
)

const nowMillis = workload.Now

// measure runs op b.N times and reports, next to the usual wall time, the CPU time of the whole process per
// operation, garbage collection included. CPU time is the figure of merit: it does not move with the machine's load.
func measure(b *testing.B, op func()) {
	b.Helper()
	op() // warms pools and buffers
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime()
	for range b.N {
		op()
	}
	b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measureParallel is measure with as many goroutines as there are cores (-cpu), two at least.
func measureParallel(b *testing.B, op func()) {
	b.Helper()
	if runtime.GOMAXPROCS(0) == 1 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	}
	op()
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			op()
		}
	})
	b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
}
