package tsdbstore

import "bytes"

// generations is a bounded map from keys to series: the older of two tables goes when the newer one is full.
type generations struct {
	newer, older keyTable
	limit        int // bytes of one table
}

// get looks key up. guess is where it may be: senders keep their order, so that is behind the series that came before;
// the key is then found without its hash. A series of the older table should be put again, or it is lost with that.
func (g *generations) get(guess int, key []byte, hash func([]byte) uint64) (s knownSeries, at int, old bool) {
	if g.newer.holds(guess, key) {
		return g.newer.entries[guess].knownSeries, guess, false
	}
	h := hash(key)
	if at = g.newer.find(h, key); at >= 0 {
		return g.newer.entries[at].knownSeries, at, false
	}
	if at = g.older.find(h, key); at >= 0 {
		return g.older.entries[at].knownSeries, notGuessed, true
	}
	return knownSeries{}, notFound, false
}

// What get returns for at if the series is not in the newer table.
const (
	notFound   = -1 // nowhere
	notGuessed = -2 // in the older table
)

func (g *generations) put(hash uint64, key []byte, s knownSeries) {
	if g.newer.bytes >= g.limit {
		g.older, g.newer = g.newer, keyTable{}
	}
	g.newer.put(hash, key, s)
}

// keyTable maps keys to series. The hash finds an entry, the key is compared byte for byte; of two keys with one hash,
// the newer one is found. Keys lie in slabs, so that a million of them does not burden the garbage collector.
type keyTable struct {
	index   map[uint64]uint32 // hash of the key to entry
	entries []keyEntry        // in the order in which they were put
	slabs   [][]byte
	bytes   int // roughly, of everything
}

type keyEntry struct {
	knownSeries
	slab, start, end uint32
}

const (
	slabBytes     = 1 << 18 // several keys of the largest size
	entryOverhead = 80      // of an entry and its place in the index
)

// holds reports whether entry at has this key.
func (t *keyTable) holds(at int, key []byte) bool {
	if uint(at) >= uint(len(t.entries)) {
		return false
	}
	e := &t.entries[at]
	return bytes.Equal(t.slabs[e.slab][e.start:e.end], key)
}

// find returns the entry with this key, or notFound.
func (t *keyTable) find(hash uint64, key []byte) int {
	if at, ok := t.index[hash]; ok && t.holds(int(at), key) {
		return int(at)
	}
	return notFound
}

func (t *keyTable) put(hash uint64, key []byte, s knownSeries) {
	if at := t.find(hash, key); at >= 0 {
		t.entries[at].knownSeries = s
		return
	}
	last := len(t.slabs) - 1
	if last < 0 || len(t.slabs[last])+len(key) > slabBytes {
		t.slabs = append(t.slabs, make([]byte, 0, slabBytes))
		last++
	}
	start := len(t.slabs[last])
	t.slabs[last] = append(t.slabs[last], key...)
	if t.index == nil {
		t.index = map[uint64]uint32{}
	}
	t.index[hash] = uint32(len(t.entries))
	t.entries = append(t.entries, keyEntry{s, uint32(last), uint32(start), uint32(start + len(key))})
	t.bytes += len(key) + entryOverhead
}
