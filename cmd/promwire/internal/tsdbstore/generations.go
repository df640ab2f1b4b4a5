package tsdbstore

import "bytes"

// generations is a bounded map from keys to series: the older of two tables goes when the newer one is full.
type generations struct{ newer, older keyTable }

// get looks key up. A series of the older table should be put again, or it is lost with that.
func (g *generations) get(hash uint64, key []byte) (s knownSeries, found, old bool) {
	if s, found = g.newer.get(hash, key); found {
		return s, true, false
	}
	s, found = g.older.get(hash, key)
	return s, found, found
}

func (g *generations) put(hash uint64, key []byte, s knownSeries) {
	if g.newer.bytes >= generationBytes {
		g.older, g.newer = g.newer, keyTable{}
	}
	g.newer.put(hash, key, s)
}

// keyTable maps keys to series. The hash finds an entry, the key is compared byte for byte; of two keys with one hash,
// the newer one is kept. Keys lie in slabs, so that a million of them does not burden the garbage collector.
type keyTable struct {
	entries map[uint64]keyEntry
	slabs   [][]byte
	bytes   int // roughly, of everything
}

type keyEntry struct {
	knownSeries
	slab, start, end uint32
}

const (
	slabBytes     = 1 << 20
	entryOverhead = 96 // of an entry in the map
)

func (t *keyTable) get(hash uint64, key []byte) (knownSeries, bool) {
	e, ok := t.entries[hash]
	if !ok || !bytes.Equal(t.slabs[e.slab][e.start:e.end], key) {
		return knownSeries{}, false
	}
	return e.knownSeries, true
}

func (t *keyTable) put(hash uint64, key []byte, s knownSeries) {
	if e, ok := t.entries[hash]; ok && bytes.Equal(t.slabs[e.slab][e.start:e.end], key) {
		e.knownSeries = s
		t.entries[hash] = e
		return
	}
	last := len(t.slabs) - 1
	if last < 0 || len(t.slabs[last])+len(key) > slabBytes {
		t.slabs = append(t.slabs, make([]byte, 0, slabBytes))
		last++
	}
	start := len(t.slabs[last])
	t.slabs[last] = append(t.slabs[last], key...)
	if t.entries == nil {
		t.entries = map[uint64]keyEntry{}
	}
	t.entries[hash] = keyEntry{s, uint32(last), uint32(start), uint32(start + len(key))}
	t.bytes += len(key) + entryOverhead
}
