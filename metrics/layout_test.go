package metrics

import (
	"testing"
	"unsafe"
)

// What recordings only read must not be in the cache line that they write, on any processor.
func TestLayout(t *testing.T) {
	const line = 128
	var c Counter
	var g Gauge
	for name, distance := range map[string]uintptr{
		"Counter": unsafe.Offsetof(c.touched) - unsafe.Offsetof(c.rest), "Gauge": unsafe.Offsetof(g.touched) - unsafe.Offsetof(g.value),
	} {
		if distance < line && unsafe.Sizeof(uintptr(0)) == 8 {
			t.Errorf("%s: %d bytes between value and note, want a cache line of %d", name, distance, line)
		}
	}
}
