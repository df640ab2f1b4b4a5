package gzip_test

import (
	"bytes"
	stdgzip "compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/compress/gzip"
)

const limit = 32 << 20

func samples(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.IntN(20))
	}
	return b
}

// Twice in a row through the pools, the second time with less, and behind what is in dst. The standard library reads
// what is written.
func TestRoundTrip(t *testing.T) {
	for _, n := range []int{3 << 20, 100_000, 1000, 1, 0} {
		src := samples(n)
		encoded, err := gzip.Codec{}.AppendEncoded([]byte("before"), src)
		if err != nil || !bytes.HasPrefix(encoded, []byte("before")) {
			t.Fatalf("%d bytes: %v", n, err)
		}
		got, err := gzip.Codec{}.AppendDecoded([]byte("x"), encoded[6:], n)
		if err != nil || string(got[:1]) != "x" || !bytes.Equal(got[1:], src) {
			t.Fatalf("%d bytes come back as %d: %v", n, len(got), err)
		}
		r, err := stdgzip.NewReader(bytes.NewReader(encoded[6:]))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, src) {
			t.Fatalf("the standard library reads %d of %d bytes: %v", len(got), n, err)
		}
	}
}

func TestBounds(t *testing.T) {
	zeros := make([]byte, 8<<20)
	body, err := gzip.Codec{}.AppendEncoded(nil, zeros)
	if err != nil {
		t.Fatal(err)
	}
	small, huge := bytes.Clone(body), bytes.Clone(body[:40])
	binary.LittleEndian.PutUint32(small[len(small)-4:], 5)
	binary.LittleEndian.PutUint32(huge[len(huge)-4:], 1<<31)
	tests := []struct {
		name  string
		body  []byte
		limit int
		large bool
		text  string
	}{
		{"fits", body, len(zeros), false, ""},
		{"one too many", body, len(zeros) - 1, true, "more than 8388607 bytes"},
		{"two members", append(bytes.Clone(body), body...), len(zeros), true, "more than 8388608 bytes"},
		{"no limit at all", body, 0, true, "more than 0 bytes"},
		{"negative limit", body, -1, true, "more than 0 bytes"},
		{"announces less", small, limit, false, "corrupt"},
		{"announces much", huge, limit, false, "corrupt"},
		{"empty", nil, limit, false, "corrupt gzip body: 0 bytes"},
		{"text", []byte("hello, world: this is no member"), limit, false, "corrupt"},
		{"truncated", body[:len(body)-1], limit, false, "corrupt"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := gzip.Codec{}.AppendDecoded([]byte("kept"), tt.body, tt.limit)
			if tt.text == "" {
				if err != nil || len(got) != 4+len(zeros) {
					t.Fatalf("%d bytes, %v", len(got), err)
				}
				return
			}
			if err == nil || errors.Is(err, promwire.ErrTooLarge) != tt.large || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v, want %q", err, tt.text)
			}
			if string(got) != "kept" {
				t.Errorf("dst came back as %.20q", got)
			}
		})
	}
}

func TestAllocs(t *testing.T) {
	if raceEnabled {
		t.Log("pools drop things under the race detector: not counted")
		return
	}
	src := samples(200_000)
	encoded, _ := gzip.Codec{}.AppendEncoded(nil, src)
	dst := make([]byte, 0, 2*len(src))
	if n := testing.AllocsPerRun(100, func() { gzip.Codec{}.AppendEncoded(dst, src) }); n != 0 {
		t.Errorf("encoding takes %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { gzip.Codec{}.AppendDecoded(dst, encoded, limit) }); n != 0 {
		t.Errorf("decoding takes %v allocations", n)
	}
}

func FuzzDecode(f *testing.F) {
	for _, src := range [][]byte{nil, []byte("a"), samples(1000), make([]byte, 300_000)} {
		encoded, err := gzip.Codec{}.AppendEncoded(nil, src)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(encoded, 1<<20)
		f.Add(encoded, 100)
	}
	f.Fuzz(func(t *testing.T, body []byte, limit int) {
		limit = min(limit, 1<<22)
		got, err := gzip.Codec{}.AppendDecoded(nil, body, limit)
		if err != nil {
			if len(got) != 0 {
				t.Errorf("%d bytes with error %v", len(got), err)
			}
			return
		}
		if len(got) > max(limit, 0) || cap(got) > 4*max(limit, 0)+(1<<20) {
			t.Errorf("%d bytes in memory for %d, limit %d", len(got), cap(got), limit)
		}
		again, err := gzip.Codec{}.AppendEncoded(nil, got)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := (gzip.Codec{}).AppendDecoded(nil, again, len(got)); err != nil || !bytes.Equal(back, got) {
			t.Errorf("round trip: %v", err)
		}
	})
}
