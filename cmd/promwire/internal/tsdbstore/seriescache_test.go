package tsdbstore

import (
	"fmt"
	"testing"

	"github.com/prometheus/prometheus/storage"

	"github.com/promwire/promwire"
)

func TestGenerations(t *testing.T) {
	hash := func(key []byte) uint64 { return uint64(len(key)) } // collides on purpose
	g := generations{limit: 1 << 20}
	put := func(key string, ref int) {
		g.put(hash([]byte(key)), []byte(key), knownSeries{ref: storage.SeriesRef(ref)})
	}
	get := func(guess int, key string) (ref, at int, old bool) {
		s, at, old := g.get(guess, []byte(key), hash)
		return int(s.ref), at, old
	}
	put("a", 1)
	put("bb", 2)
	put("ccc", 3)
	for _, tc := range []struct {
		name       string
		guess      int
		key        string
		ref, found int
	}{
		{"without a guess", -1, "bb", 2, 1},
		{"right guess", 2, "ccc", 3, 2},
		{"wrong guess", 2, "a", 1, 0},
		{"guess beyond the end", 3, "a", 1, 0},
		{"other key, same hash", 0, "b", 0, notFound},
		{"unknown", 1, "dddd", 0, notFound},
	} {
		if ref, at, old := get(tc.guess, tc.key); ref != tc.ref || at != tc.found || old {
			t.Errorf("%s: got %d at %d, %t", tc.name, ref, at, old)
		}
	}
	put("bb", 22)
	if ref, at, _ := get(0, "bb"); ref != 22 || at != 1 {
		t.Errorf("put again: %d at %d", ref, at)
	}
	put("b", 4) // takes the hash of a
	if ref, _, _ := get(-1, "b"); ref != 4 {
		t.Errorf("newer key of a hash: %d", ref)
	}
	if _, at, _ := get(-1, "a"); at != notFound {
		t.Error("the older key of a hash is found by it")
	}
}

func TestGenerationsAreBounded(t *testing.T) {
	c := &seriesCache{}
	c.reset()
	g := generations{limit: 100_000}
	inUse := []byte("in use")
	g.put(c.hash(inUse), inUse, knownSeries{ref: 7})
	for i := range 100_000 {
		key := fmt.Appendf(nil, "key %d", i)
		g.put(c.hash(key), key, knownSeries{ref: storage.SeriesRef(i)})
		s, _, old := g.get(-1, inUse, c.hash)
		if s.ref != 7 {
			t.Fatalf("what is in use is lost after %d others", i)
		}
		if old {
			g.put(c.hash(inUse), inUse, s)
		}
		if n := g.newer.bytes + g.older.bytes; n > 2*g.limit+1000 {
			t.Fatalf("%d bytes", n)
		}
	}
	first := []byte("key 0")
	if _, at, _ := g.get(-1, first, c.hash); at != notFound {
		t.Error("what is not in use stays")
	}
}

func TestSeriesCacheForgetsSymbols(t *testing.T) {
	c := &seriesCache{}
	c.reset()
	learn := func(symbols ...string) {
		c.learn(&lessons{
			series: []lesson{{knownSeries{ref: 1}, 0, 2}}, refs: []uint32{1, 2}, symbols: append([]string{""}, symbols...),
		}, promwire.WriteV2)
	}
	learn("name", "m")
	key := func() []byte { return idBytes(c.symbols.appendIDs(nil, []string{"name", "m"})) }
	if s, at, _ := c.v2.get(-1, key(), c.hash); s.ref != 1 || at != 0 {
		t.Errorf("learned series not found: %v at %d", s, at)
	}
	c.symbols.bytes = symbolBytes + 1
	learn("name", "other")
	if _, at, _ := c.v2.get(-1, key(), c.hash); at != notFound || len(c.symbols.ids) != 2 {
		t.Errorf("found at %d, %d symbols", at, len(c.symbols.ids))
	}
	if s, _, _ := c.v2.get(-1, idBytes(c.symbols.appendIDs(nil, []string{"name", "other"})), c.hash); s.ref != 1 {
		t.Error("series learned after that not found")
	}
}
