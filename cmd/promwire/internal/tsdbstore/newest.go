package tsdbstore

import (
	"math"

	"github.com/prometheus/prometheus/storage"
)

// newestTimes maps series to the newest timestamp that waits in an appender. It is an open-addressing table, cleared by
// a generation count, since it is asked once per series of every request.
type newestTimes struct {
	slots []newestSlot // length is a power of two
	used  int
	gen   uint32
}

type newestSlot struct {
	ref  storage.SeriesRef
	time int64
	gen  uint32 // the slot is empty if this is not the table's
}

const (
	newestMinSlots = 256
	newestRun      = 32      // slots
	newestMaxKept  = 1 << 16 // a table above this size is not kept for the next request
	noTime         = math.MinInt64
)

func (n *newestTimes) reset() {
	n.used = 0
	n.gen++
	if n.gen == 0 || len(n.slots) > newestMaxKept {
		*n = newestTimes{gen: 1}
	}
}

// get returns the time noted for ref, or noTime.
func (n *newestTimes) get(ref storage.SeriesRef) int64 {
	if n.used == 0 {
		return noTime
	}
	if s := n.find(ref); s.gen == n.gen {
		return s.time
	}
	return noTime
}

func (n *newestTimes) set(ref storage.SeriesRef, t int64) {
	if 2*n.used >= len(n.slots) {
		n.grow()
	}
	s := n.find(ref)
	if s.gen != n.gen {
		n.used++
	}
	*s = newestSlot{ref, t, n.gen}
}

// find returns the slot of ref, or the empty one where it belongs.
func (n *newestTimes) find(ref storage.SeriesRef) *newestSlot {
	mask := uint64(len(n.slots) - 1)
	// References are counted up, and senders keep their order: neighbours share a run of slots, and so cache lines. The
	// multiplier spreads the runs, and its upper bits are the good ones.
	for i := (uint64(ref)/newestRun*0x9e3779b97f4a7c15)>>32*newestRun + uint64(ref)%newestRun; ; i++ {
		s := &n.slots[i&mask]
		if s.gen != n.gen || s.ref == ref {
			return s
		}
	}
}

func (n *newestTimes) grow() {
	old, gen := n.slots, n.gen
	*n = newestTimes{slots: make([]newestSlot, max(newestMinSlots, 2*len(old))), gen: gen}
	for _, s := range old {
		if s.gen == gen {
			*n.find(s.ref) = s
			n.used++
		}
	}
}
