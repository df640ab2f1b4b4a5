package zstd_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	kzstd "github.com/klauspost/compress/zstd"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/compress/zstd"
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

// Twice in a row through the pools, the second time with less, and behind what is in dst.
func TestRoundTrip(t *testing.T) {
	for _, n := range []int{3 << 20, 100_000, 128 << 10, 1000, 1, 0} {
		src := samples(n)
		encoded, err := zstd.Codec{}.AppendEncoded([]byte("before"), src)
		if err != nil || !bytes.HasPrefix(encoded, []byte("before")) {
			t.Fatalf("%d bytes: %v", n, err)
		}
		got, err := zstd.Codec{}.AppendDecoded([]byte("x"), encoded[6:], n)
		if err != nil || string(got[:1]) != "x" || !bytes.Equal(got[1:], src) {
			t.Fatalf("%d bytes come back as %d: %v", n, len(got), err)
		}
	}
}

func TestConcurrent(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			src := samples(10_000 * (i + 1))
			for range 20 {
				encoded, err := zstd.Codec{}.AppendEncoded(nil, src)
				if err != nil {
					t.Error(err)
				}
				if got, err := (zstd.Codec{}).AppendDecoded(nil, encoded, limit); err != nil || !bytes.Equal(got, src) {
					t.Errorf("%d bytes come back as %d: %v", len(src), len(got), err)
				}
			}
		})
	}
	wg.Wait()
}

// unannounced is a frame that does not say how much it decodes to.
func unannounced(t testing.TB, src []byte) []byte {
	var b bytes.Buffer
	w, err := kzstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	for len(src) > 0 { // small writes, as a single one would be announced
		n := min(len(src), 1<<20)
		w.Write(src[:n])
		w.Flush()
		src = src[n:]
	}
	w.Close()
	return b.Bytes()
}

func TestBounds(t *testing.T) {
	zeros := make([]byte, 8<<20)
	announcing, err := zstd.Codec{}.AppendEncoded(nil, zeros)
	if err != nil {
		t.Fatal(err)
	}
	silent := unannounced(t, zeros)
	var h kzstd.Header
	if err := h.Decode(silent); err != nil || h.HasFCS {
		t.Fatalf("the frame announces its size: %v", err)
	}
	skippable := append([]byte{0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 'a', 'b', 'c', 'd'}, announcing...)
	// Announces 30 MiB, and holds one empty block.
	lying := []byte{0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0xe0, 1, 1, 0, 0}
	tests := []struct {
		name  string
		body  []byte
		limit int
		large bool
		text  string
	}{
		{"fits", announcing, len(zeros), false, ""},
		{"fits, silent", silent, len(zeros), false, ""},
		{"behind a skippable frame", skippable, len(zeros), false, ""},
		{"one too many", announcing, len(zeros) - 1, true, "announces 8388608 bytes decompressed, limit 8388607"},
		{"one too many, silent", silent, len(zeros) - 1, true, "more than 8388607 bytes"},
		{"one too many, skippable", skippable, len(zeros) - 1, true, "more than 8388607 bytes"},
		{"two frames", append(bytes.Clone(announcing), announcing...), len(zeros), true, "more than 8388608 bytes"},
		{"no limit at all", announcing, 0, true, "limit 0"},
		{"negative limit", announcing, -1, true, "limit 0"},
		{"lying", lying, limit, false, "cannot hold so many"},
		{"empty", nil, limit, false, "no zstd frame"},
		{"text", []byte("hello, world: this is no frame"), limit, false, "no zstd frame"},
		{"truncated", announcing[:len(announcing)-1], limit, false, "corrupt"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := zstd.Codec{}.AppendDecoded([]byte("kept"), tt.body, tt.limit)
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
	encoded, _ := zstd.Codec{}.AppendEncoded(nil, src)
	dst := make([]byte, 0, 2*len(src))
	if n := testing.AllocsPerRun(100, func() { zstd.Codec{}.AppendEncoded(dst, src) }); n != 0 {
		t.Errorf("encoding takes %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { zstd.Codec{}.AppendDecoded(dst, encoded, limit) }); n != 0 {
		t.Errorf("decoding takes %v allocations", n)
	}
	encoded = unannounced(t, make([]byte, 200_000))
	if n := testing.AllocsPerRun(100, func() { zstd.Codec{}.AppendDecoded(dst, encoded, limit) }); n != 0 {
		t.Errorf("decoding what announces nothing takes %v allocations", n)
	}
}

func FuzzDecode(f *testing.F) {
	for _, src := range [][]byte{nil, []byte("a"), samples(1000), make([]byte, 300_000)} {
		encoded, err := zstd.Codec{}.AppendEncoded(nil, src)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(encoded, 1<<20)
		f.Add(unannounced(f, src), 100)
	}
	f.Fuzz(func(t *testing.T, body []byte, limit int) {
		limit = min(limit, 1<<22)
		got, err := zstd.Codec{}.AppendDecoded(nil, body, limit)
		if err != nil {
			if len(got) != 0 {
				t.Errorf("%d bytes with error %v", len(got), err)
			}
			return
		}
		if len(got) > max(limit, 0) || cap(got) > 4*max(limit, 0)+(1<<20) {
			t.Errorf("%d bytes in memory for %d, limit %d", len(got), cap(got), limit)
		}
		again, err := zstd.Codec{}.AppendEncoded(nil, got)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := (zstd.Codec{}).AppendDecoded(nil, again, len(got)); err != nil || !bytes.Equal(back, got) {
			t.Errorf("round trip: %v", err)
		}
	})
}
