package tsdbstore

import (
	"hash/maphash"
	"strings"
	"sync"
	"unsafe"

	"github.com/prometheus/prometheus/storage"

	"github.com/promwire/promwire"
)

// The bounds of the series cache. It takes at most about cacheBytes, in two generations of half of that: once the
// newer one is full, the older one goes, and what is still in use moves over when it is met.
const (
	cacheBytes      = 256 << 20
	generationBytes = cacheBytes / 4 // one of two generations of one of two messages
	symbolBytes     = cacheBytes / 4
	maxKey          = 64 << 10 // longer label sets are not kept
)

// seriesCache recognises known series by their labels as they are encoded, and knows their references in the head.
//
// A reference may outlive its series. The TSDB never gives a reference to another series, so it says that it does
// not know it, and the labels have to be decoded again. Opening the TSDB anew makes all references worthless: reset.
type seriesCache struct {
	seed maphash.Seed

	mu      sync.RWMutex // held for reading during a walk, for writing to learn
	v1      generations  // by the label fields as they are encoded
	v2      generations  // by the numbers of the symbols
	symbols symbolTable
}

// knownSeries is what the cache knows of a label set.
type knownSeries struct {
	ref      storage.SeriesRef
	metadata uint64              // hash of the metadata that came with it; 0: none
	names    promwire.NameScheme // by which the labels were judged
}

func (c *seriesCache) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seed = maphash.MakeSeed()
	c.v1, c.v2 = generations{limit: generationBytes}, generations{limit: generationBytes}
	c.symbols.reset()
}

func (c *seriesCache) hash(key []byte) uint64 { return maphash.Bytes(c.seed, key) }

// metadataHash tells metadata apart; 0 stands for none.
func (c *seriesCache) metadataHash(m *promwire.Metadata) uint64 {
	if *m == (promwire.Metadata{}) {
		return 0
	}
	const prime = 0x9e3779b97f4a7c15
	h := maphash.String(c.seed, m.Help)*prime + maphash.String(c.seed, m.Unit)
	return h*prime + uint64(m.Type) | 1
}

// learn adds what a request brought. Of two learned series with one key, the last counts.
func (c *seriesCache) learn(l *lessons, t promwire.MessageType) {
	if len(l.series) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.symbols.bytes > symbolBytes {
		c.v2 = generations{limit: c.v2.limit}
		c.symbols.reset()
	}
	for i := range l.series {
		s := &l.series[i]
		if t != promwire.WriteV2 {
			key := l.keys[s.start:s.end]
			c.v1.put(c.hash(key), key, s.knownSeries)
			continue
		}
		l.ids = l.ids[:0]
		for _, ref := range l.refs[s.start:s.end] {
			l.ids = append(l.ids, c.symbols.add(l.symbols[ref]))
		}
		key := idBytes(l.ids)
		c.v2.put(c.hash(key), key, s.knownSeries)
	}
}

// lessons are the series that a request brings and the cache does not know.
type lessons struct {
	series  []lesson
	keys    []byte   // 1.0
	refs    []uint32 // 2.0: references to symbols
	symbols []string // 2.0: of the request
	ids     []uint32
}

type lesson struct {
	knownSeries
	start, end int // in keys, or in refs
}

func (l *lessons) reset() {
	l.series, l.keys, l.refs, l.symbols = l.series[:0], l.keys[:0], l.refs[:0], nil
}

func (l *lessons) addV1(key []byte, s knownSeries) {
	if len(key) <= maxKey {
		start := len(l.keys)
		l.keys = append(l.keys, key...)
		l.series = append(l.series, lesson{s, start, len(l.keys)})
	}
}

func (l *lessons) addV2(refs []uint32, s knownSeries) {
	if 4*len(refs) <= maxKey {
		start := len(l.refs)
		l.refs = append(l.refs, refs...)
		l.series = append(l.series, lesson{s, start, len(l.refs)})
	}
}

// idBytes returns the memory of ids as a key.
func idBytes(ids []uint32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(ids))), 4*len(ids))
}

// symbolTable numbers strings, so that label sets of Remote Write 2.0 can be compared without them. The numbers are good
// until reset; 0 stands for no string.
type symbolTable struct {
	ids   map[string]uint32
	bytes int
}

// symbolOverhead is about what a string costs besides its bytes.
const symbolOverhead = 48

func (t *symbolTable) reset() { *t = symbolTable{ids: map[string]uint32{}} }

// add returns the number of s, of which it keeps a copy.
func (t *symbolTable) add(s string) uint32 {
	id := t.ids[s]
	if id == 0 {
		id = uint32(len(t.ids) + 1)
		t.ids[strings.Clone(s)] = id
		t.bytes += len(s) + symbolOverhead
	}
	return id
}

// appendIDs appends the number of each string, 0 for those without.
func (t *symbolTable) appendIDs(dst []uint32, symbols []string) []uint32 {
	for _, s := range symbols {
		dst = append(dst, t.ids[s])
	}
	return dst
}
