//go:build !race

// The race detector makes pools forget at random, so that memory can't be counted under it.

package server_test

import (
	"fmt"
	"net/http"
	"runtime"
	"testing"

	"github.com/promwire/promwire/server"
)

// liveAtFirstWrite is a ResponseWriter that looks at the heap when the answer is complete.
type liveAtFirstWrite struct {
	counting
	live uint64
}

func (l *liveAtFirstWrite) Write(p []byte) (int, error) {
	if l.bytes == 0 {
		l.live = liveHeap()
	}
	return l.counting.Write(p)
}

func liveHeap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestReadSamplesMemory: a samples answer takes little more memory than it has bytes, in many short series and in few
// long ones. As all that is allocated is bounded, no peak can be above it, whenever garbage is collected.
func TestReadSamplesMemory(t *testing.T) {
	for _, size := range []struct{ series, samples, part int }{{10, 200_000, 10_000}, {2000, 1000, 1000}, {1, 1_000_000, 1_000_000}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			reader := counters(size.series, size.samples, size.part)
			h := server.NewReadHandler(reader)
			drainPools()
			w := &liveAtFirstWrite{counting: counting{header: http.Header{}}}
			r := readRequest(wantSamples, all)
			before := liveHeap()
			used := allocated(func() { h.ServeHTTP(w, r) }) - uint64(24*size.part) // of the storage
			peak := w.live - before
			if w.bytes < 2<<20 {
				t.Fatalf("answer of %d bytes", w.bytes)
			}
			t.Logf("answer of %d KiB: %d KiB allocated, %d KiB held when it was complete", w.bytes>>10, used>>10, peak>>10)
			if limit := uint64(w.bytes) * 3 / 2; used > limit || peak > limit {
				t.Errorf("took more than 1.5 times the answer")
			}
		})
	}
}

// drainPools empties pools, which let go of memory in two steps.
func drainPools() {
	for range 3 {
		runtime.GC()
	}
}

// TestReadStreamMemory: a stream takes the same memory whatever its size, also if a storage yields all of a long series
// in one part.
func TestReadStreamMemory(t *testing.T) {
	for _, size := range []struct{ series, samples, part int }{{10, 200_000, 10_000}, {2000, 1000, 1000}, {1, 1_000_000, 1_000_000}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			h := server.NewReadHandler(counters(size.series, size.samples, size.part))
			w := &counting{header: http.Header{}}
			r := readRequest(wantStream, all)
			used := allocated(func() { h.ServeHTTP(w, r) }) - uint64(24*size.part)
			if w.bytes < 2<<20 {
				t.Fatalf("stream of %d bytes", w.bytes)
			}
			t.Logf("stream of %d KiB: %d KiB allocated", w.bytes>>10, used>>10)
			if used > 1<<20 {
				t.Errorf("took more than a MiB")
			}
		})
	}
}
