package metrics

import (
	"math"
	"sync/atomic"
)

// atomicFloat is a float64 for concurrent use.
type atomicFloat struct{ bits atomic.Uint64 }

func (f *atomicFloat) load() float64   { return math.Float64frombits(f.bits.Load()) }
func (f *atomicFloat) store(v float64) { f.bits.Store(math.Float64bits(v)) }

func (f *atomicFloat) add(v float64) {
	for {
		old := f.bits.Load()
		if f.bits.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+v)) {
			return
		}
	}
}

func finite(v float64) bool { return v-v == 0 }

// touch notes that a value was recorded; it comes after the recording. A push takes the note back before it reads the
// value, so a recording that it misses leaves a note for the next push. Reading first keeps the cache line shared.
func touch(b *atomic.Bool) {
	if !b.Load() {
		b.Store(true)
	}
}

func untouch(b *atomic.Bool) bool { return b.Load() && b.Swap(false) }
