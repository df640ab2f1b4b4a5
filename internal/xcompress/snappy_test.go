package xcompress

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// payload returns n bytes that compress moderately.
func payload(n int) []byte {
	rnd := rand.New(rand.NewSource(int64(n)))
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, "label_%d=value-%d;", rnd.Intn(20), rnd.Intn(500))
	}
	return b.Bytes()[:n]
}

func TestAppendSnappyRoundTrip(t *testing.T) {
	sizes := []int{0, 1, 59, 60, 61, 62, 255, 256, 257, 1023, 1024, 1025, 65535, 65536, 65537, 1 << 20}
	for _, n := range sizes {
		src := payload(n)
		block := AppendSnappy([]byte("ab"), src)
		if string(block[:2]) != "ab" {
			t.Fatalf("%d bytes: dst begins with %q", n, block[:2])
		}
		block = block[2:]
		if len(block) > MaxSnappyLen(n) {
			t.Errorf("%d bytes: block of %d, more than %d", n, len(block), MaxSnappyLen(n))
		}
		if strict, err := decodeStrictly(block); err != nil || !bytes.Equal(strict, src) {
			t.Errorf("%d bytes: strict decoder: %v", n, err)
		}
		if announced, err := SnappyLen(block); err != nil || announced != uint64(n) {
			t.Errorf("%d bytes: announces %d, %v", n, announced, err)
		}
		got, err := AppendDecoded([]byte("cd"), block, n)
		if err != nil || string(got[:2]) != "cd" || !bytes.Equal(got[2:], src) {
			t.Errorf("%d bytes: decoded %d, %v", n, len(got), err)
		}
	}
}

// Pieces of any size join to a block that strict decoders take.
func TestAppendElements(t *testing.T) {
	src := payload(300_000)
	for _, size := range []int{1, 100, 5000, 65536, 200_000} {
		pieces := src[:min(len(src), 1000*size)]
		block := binary.AppendUvarint([]byte("ab"), uint64(len(pieces)))
		for piece := range slices.Chunk(pieces, size) {
			block = AppendElements(block, piece)
		}
		block = AppendElements(block, nil)
		if got, err := decodeStrictly(block[2:]); err != nil || !bytes.Equal(got, pieces) || string(block[:2]) != "ab" {
			t.Errorf("pieces of %d: %v", size, err)
		}
	}
}

// TestAppendSnappyReuse compresses into the same memory, something smaller second.
func TestAppendSnappyReuse(t *testing.T) {
	var block, back []byte
	for _, n := range []int{100_000, 3000, 500, 0, 2000} {
		src := payload(n)
		block = AppendSnappy(block[:0], src)
		var err error
		if back, err = AppendDecoded(back[:0], block, n); err != nil || !bytes.Equal(back, src) {
			t.Errorf("%d bytes: %d back, %v", n, len(back), err)
		}
	}
}

func TestAppendDecoded(t *testing.T) {
	const limit = 32 << 20
	tests := []struct {
		name, block string
		want        string // decoded, if err is ""
		err         string
	}{
		{"no bytes", "", "", "no bytes at all"},
		{"empty data", "00", "", ""},
		{"framed magic", "ff060000734e61507059", "", "framed stream format"},
		{"framed with data", "ff060000734e61507059010500006162", "", "framed stream format"},
		{"literal", "0308626364", "bcd", ""},
		{"literal cut", "05080102", "", "corrupt"},
		{"copy before start", "0401050000", "", "corrupt"},
		{"copy first", "04010100", "", "corrupt"},
		{"too little", "0a0061", "", "corrupt"},
		{"trailing bytes", "01006162", "", "corrupt"},
		{"trailing bytes after nothing", "0000", "", "corrupt"},
		{"over the limit", "8180801000", "", "announces 33554433 bytes decompressed, limit 33554432"},
		{"invalid length", "ffffffffff7f", "", "invalid length"},
		{"cut length", "ff", "", "invalid length"},
		{"length in six bytes", "818080808000", "", "invalid length"},
		{"length in five bytes", "81808080000061", "a", ""},
		{"overlapping copy, short offset", "0500610101", "aaaaa", ""},
		{"overlapping copy, offset of two bytes", "060061120100", "aaaaaa", ""},
		{"overlapping copy, offset of four bytes", "06006113010000" + "00", "aaaaaa", ""},
		{"copy beyond the length", "050061120100", "", "corrupt"},
		{"offset 0", "060061120000", "", "corrupt"},
		{"more than fits", "ffffff0f0061", "", "cannot hold so many"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := AppendDecoded([]byte("before"), unhex(t, tt.block), limit)
			if tt.err == "" {
				if err != nil || string(got) != "before"+tt.want {
					t.Fatalf("got %q, %v; want %q", got, err, tt.want)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.err) || string(got) != "before" {
				t.Fatalf("got %q, error %v; want %q", got, err, tt.err)
			}
			var size *SizeError
			if errors.Is(err, ErrCorrupt) == errors.As(err, &size) {
				t.Errorf("%v is neither or both ErrCorrupt and SizeError", err)
			}
		})
	}
}

// TestAppendDecodedTakesNoMemory decodes what announces the whole limit and has next to nothing.
func TestAppendDecodedTakesNoMemory(t *testing.T) {
	block := unhex(t, "80808010"+strings.Repeat("fe0100", 1000))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := AppendDecoded(nil, block, 32<<20)
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; err == nil || taken > 1<<20 {
		t.Errorf("%d bytes taken, error %v", taken, err)
	}
}

// TestDensestBlock decodes the most that a block of its size can hold.
func TestDensestBlock(t *testing.T) {
	const copies = 1000
	block := append(unhex(t, "81f403"), 0x00, 'x') // 64,001 bytes: a literal, then copies of 64
	for range copies {
		block = append(block, 0xfe, 1, 0)
	}
	got, err := AppendDecoded(nil, block, 1<<20)
	if err != nil || string(got) != strings.Repeat("x", 64*copies+1) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestNegativeLimit(t *testing.T) {
	var size *SizeError
	if _, err := AppendDecoded(nil, []byte{1, 0, 'a'}, -1); !errors.As(err, &size) || size.Limit != 0 {
		t.Errorf("error %v", err)
	}
}

func TestAllocations(t *testing.T) {
	for _, n := range []int{500, 100_000} {
		src := payload(n)
		dst, back := make([]byte, 0, MaxSnappyLen(n)), make([]byte, 0, n)
		allocs := testing.AllocsPerRun(50, func() {
			dst = AppendSnappy(dst[:0], src)
			back, _ = AppendDecoded(back[:0], dst, n)
		})
		if allocs != 0 || !bytes.Equal(back, src) {
			t.Errorf("%d bytes: %v allocations, %d bytes back", n, allocs, len(back))
		}
	}
}
