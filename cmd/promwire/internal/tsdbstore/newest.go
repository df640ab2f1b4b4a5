package tsdbstore

import (
	"cmp"
	"math"
	"slices"

	"github.com/prometheus/prometheus/storage"
)

// newestTimes maps series to the newest timestamp that waits in an appender. It is asked once per series of every
// request. Senders keep their order, and references are counted up: those that rise from one series to the next, which
// are all of them in the usual request, need no table.
type newestTimes struct {
	rising []newestTime
	others newestTable
}

type newestTime struct {
	ref  storage.SeriesRef
	time int64
}

// newestMaxKept is for how many series the memory is kept for the next request.
const newestMaxKept = 1 << 16

func (n *newestTimes) reset() {
	if cap(n.rising) > newestMaxKept {
		n.rising = nil
	}
	n.rising = n.rising[:0]
	n.others.reset()
}

// get returns the time noted for ref, or noTime.
func (n *newestTimes) get(ref storage.SeriesRef) int64 {
	if n.above(ref) {
		return noTime
	}
	if i, ok := n.find(ref); ok {
		return n.rising[i].time
	}
	return n.others.get(ref)
}

func (n *newestTimes) set(ref storage.SeriesRef, t int64) {
	if n.above(ref) {
		n.rising = append(n.rising, newestTime{ref, t})
	} else if i, ok := n.find(ref); ok {
		n.rising[i].time = t
	} else {
		n.others.set(ref, t)
	}
}

// above reports whether ref is higher than all that are noted.
func (n *newestTimes) above(ref storage.SeriesRef) bool {
	return len(n.rising) == 0 || ref > n.rising[len(n.rising)-1].ref
}

func (n *newestTimes) find(ref storage.SeriesRef) (int, bool) {
	return slices.BinarySearchFunc(n.rising, ref, func(e newestTime, ref storage.SeriesRef) int { return cmp.Compare(e.ref, ref) })
}

// newestTable is an open-addressing table, cleared by a generation count.
type newestTable struct {
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
	newestRun      = 32 // slots
	noTime         = math.MinInt64
)

func (n *newestTable) reset() {
	n.used = 0
	n.gen++
	if n.gen == 0 || len(n.slots) > newestMaxKept {
		*n = newestTable{gen: 1}
	}
}

// get returns the time noted for ref, or noTime.
func (n *newestTable) get(ref storage.SeriesRef) int64 {
	if n.used == 0 {
		return noTime
	}
	if s := n.find(ref); s.gen == n.gen {
		return s.time
	}
	return noTime
}

func (n *newestTable) set(ref storage.SeriesRef, t int64) {
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
func (n *newestTable) find(ref storage.SeriesRef) *newestSlot {
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

func (n *newestTable) grow() {
	old, gen := n.slots, n.gen
	*n = newestTable{slots: make([]newestSlot, max(newestMinSlots, 2*len(old))), gen: gen}
	for _, s := range old {
		if s.gen == gen {
			*n.find(s.ref) = s
			n.used++
		}
	}
}
