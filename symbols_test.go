package promwire

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestSymbolsGrow numbers many strings of all lengths, twice, in a table that held others before.
func TestSymbolsGrow(t *testing.T) {
	var s symbols
	for round := range 3 {
		s.reset()
		want := map[string]uint32{"": 0}
		for pass := range 2 {
			for i := range 5000 {
				str := fmt.Sprint(round, strings.Repeat("x", i%300), i)
				if pass == 0 {
					if _, known := s.lookup(str); known {
						t.Fatalf("round %d: %q is known", round, str)
					}
					want[str] = uint32(len(want))
				}
				ref := s.ref(str)
				if found, known := s.lookup(str); ref != want[str] || !known || found != ref {
					t.Fatalf("round %d: %q is %d and %d, want %d", round, str, ref, found, want[str])
				}
				if field := s.field(ref); !bytes.HasSuffix(field, []byte(str)) || field[0] != 0x22 {
					t.Fatalf("round %d: %q has the field %q", round, str, field)
				}
			}
		}
		if len(s.ends) != len(want) || s.ends[len(s.ends)-1] != uint32(len(s.block)) {
			t.Errorf("round %d: %d symbols, want %d", round, len(s.ends), len(want))
		}
	}
}

// TestSymbolsAfter asks for strings that follow each other as expected and not, in a table that held others before: what
// was expected never changes the number of a string. Many are the end of others, or as long.
func TestSymbolsAfter(t *testing.T) {
	var s symbols
	r := rand.New(rand.NewPCG(1, 2))
	texts := []string{"", "a", "ba", "cba", "b", strings.Repeat("y", 127), strings.Repeat("z", 127), strings.Repeat("y", 128), strings.Repeat("zy", 64)}
	for range 20 {
		s.reset()
		want, prev := map[string]uint32{}, uint32(0)
		for range 500 {
			str := texts[r.IntN(len(texts))]
			ref := s.refAfter(prev, str)
			if first, known := want[str]; known && ref != first || str == "" && ref != 0 {
				t.Fatalf("%q is %d, was %d", str, ref, first)
			}
			if field := s.field(ref); !bytes.HasSuffix(field, []byte(str)) || s.ref(str) != ref {
				t.Fatalf("%q has the number %d, of %q", str, ref, field)
			}
			want[str], prev = ref, ref
		}
		if len(s.next) != len(s.ends) || len(want) != len(s.ends) {
			t.Fatalf("%d symbols, %d successors, want %d", len(s.ends), len(s.next), len(want))
		}
	}
}

// TestSymbolsGenerationWraps reuses a table after 2^32 requests.
func TestSymbolsGenerationWraps(t *testing.T) {
	var s symbols
	s.reset()
	s.ref("a")
	s.ref("b") // of generation 1, which comes again
	s.gen = math.MaxUint32
	s.reset()
	if ref := s.ref("b"); ref != 1 || s.gen != 1 {
		t.Errorf("b is %d in generation %d, want 1 in 1", ref, s.gen)
	}
	if _, known := s.lookup("a"); known {
		t.Error("a is known from another generation")
	}
}

// TestLayoutGenerationWraps does the same with the layout of an Encoder.
func TestLayoutGenerationWraps(t *testing.T) {
	e := NewEncoder(WriteV2)
	message := func(h Handle) string {
		e.Reset()
		e.AppendSample(h, Sample{Timestamp: 1})
		return fmt.Sprintf("%x", e.AppendTo(nil))
	}
	var handles []Handle
	for _, name := range []string{"a", "b"} {
		h, err := e.Prepare(LabelsFromStrings("x", name), Metadata{})
		if err != nil {
			t.Fatal(err)
		}
		handles = append(handles, h)
	}
	first := message(handles[0])
	e.v2.layout.gen = math.MaxUint32
	message(handles[1]) // begins generation 1 again
	if e.v2.layout.gen != 1 {
		t.Fatalf("generation %d", e.v2.layout.gen)
	}
	if got := message(handles[0]); got != first {
		t.Errorf("got %s, want %s", got, first)
	}
}

// TestTextHash wants few collisions among alike texts, and others with another key.
func TestTextHash(t *testing.T) {
	a, b := newTextHash(), newTextHash()
	seen, same := map[uint32]string{}, 0
	collisions := 0
	for n := range 40 {
		for i := range 250 {
			for _, s := range []string{strings.Repeat("a", n) + string(rune(i)), string(rune(i)) + strings.Repeat("a", n)} {
				sum := a.sum(s)
				if other, known := seen[sum]; known && other != s {
					collisions++
				}
				seen[sum] = s
				if sum == b.sum(s) {
					same++
				}
			}
		}
	}
	// Of 20,000 texts, 0.05 pairs collide by chance in 32 bits.
	if collisions > 3 || same > 3 {
		t.Errorf("%d collisions, %d equal under two keys", collisions, same)
	}
}

func TestTextHashSpreads(t *testing.T) {
	h := newTextHash()
	var buckets [64]int
	for i := range 64 * 100 {
		buckets[h.sum(fmt.Sprint("instance-", i))%64]++
	}
	for i, n := range buckets {
		if n < 40 || n > 180 {
			t.Errorf("bucket %d has %d of about 100", i, n)
		}
	}
}
