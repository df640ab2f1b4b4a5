package xcompress

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// TestElements writes literals and copies of all lengths that take another form, and changes the copies.
func TestElements(t *testing.T) {
	lengths := []int{1, 3, 4, 11, 12, 59, 60, 61, 63, 64, 65, 67, 68, 75, 76, 128, 256, 257, 1000}
	puts := map[string]func(b []byte, i, distance, n int) int{"copy": PutCopy, "far copy": PutFarCopy}
	for _, first := range []int{2047, 2048, 65_535, 65_536, 65_537, 70_000} {
		literal := payload(first)
		for _, distance := range []int{1, 2, 63, 2047, 2048, MaxDistance} {
			for name, put := range puts {
				for _, n := range lengths {
					if distance > first {
						continue
					}
					b := make([]byte, first+MaxLiteralTag+MaxCopies(n))
					i := PutLiteral(b, 0, literal)
					b = b[:put(b, i, distance, n)]
					want := extend(literal, distance, n)
					if got := decodeElements(t, b, len(want)); !bytes.Equal(got, want) {
						t.Fatalf("%s of %d bytes at distance %d behind %d", name, n, distance, first)
					}
				}
			}
		}
	}
}

func TestEachCopy(t *testing.T) {
	for _, first := range []int{1, 60, 61, 256, 257, 65_536, 65_537} {
		literal := payload(first)
		b := make([]byte, first+2*MaxLiteralTag+MaxCopies(100)+1)
		i := PutFarCopy(b, PutLiteral(b, 0, literal), 65_535, 100)
		b = b[:PutLiteral(b, i, []byte("x"))]
		var offsets []int
		EachCopy(b, func(offset, distance int) int {
			offsets = append(offsets, offset)
			if distance != 65_535 {
				t.Errorf("distance %d", distance)
			}
			return 1
		})
		if len(offsets) != 2 || offsets[0] != first || offsets[1] != first+64 {
			t.Errorf("behind %d: copies at %d", first, offsets)
		}
		want := append(extend(literal, 1, 100), 'x')
		if got := decodeElements(t, b, len(want)); !bytes.Equal(got, want) {
			t.Errorf("behind %d: other bytes", first)
		}
	}
}

func decodeElements(t *testing.T, elements []byte, n int) []byte {
	t.Helper()
	got, err := decodeStrictly(append(binary.AppendUvarint(nil, uint64(n)), elements...))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// extend returns b and n bytes behind it that repeat those distance bytes before.
func extend(b []byte, distance, n int) []byte {
	b = bytes.Clone(b)
	for range n {
		b = append(b, b[len(b)-distance])
	}
	return b
}
