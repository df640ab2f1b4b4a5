package chunk

import (
	"fmt"
	"math"
	"math/rand"
	"testing"

	"github.com/promwire/promwire"
)

// TestBits writes fields of all widths and reads them back, at every alignment.
func TestBits(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	type field struct {
		v uint64
		n int
	}
	for range 200 {
		var fields []field
		w := newBitWriter(nil)
		for range rng.Intn(60) {
			f := field{n: 1 + rng.Intn(64)}
			f.v = rng.Uint64() >> (64 - f.n)
			w.put64(f.v, f.n)
			fields = append(fields, f)
		}
		data := w.bytes()
		r := bitReader{data: data}
		left := uint64(8 * len(data))
		for i, f := range fields {
			if got := r.take(f.n); got != f.v {
				t.Fatalf("field %d of %d bits: got %#x, want %#x", i, f.n, got, f.v)
			}
			if left -= uint64(f.n); r.left() != left {
				t.Fatalf("field %d: got %d bits left, want %d", i, r.left(), left)
			}
		}
		if r.failed() || left > 7 {
			t.Fatalf("failed %v, %d bits left", r.failed(), left)
		}
		if r.take(8) != 0 || !r.failed() || r.left() != 0 {
			t.Fatal("reading beyond the end is not noticed")
		}
	}
}

// TestVarbit covers the ends of the ranges, which are lopsided: with n bits the value 2^(n-1) is the largest.
func TestVarbit(t *testing.T) {
	tests := []struct {
		v    int64
		bits int
	}{{0, 1}, {1, 5}, {4, 5}, {-3, 5}, {-4, 9}, {5, 9}}
	for _, r := range []struct{ width, next int }{
		{6, 13}, {9, 17}, {12, 24}, {18, 32}, {25, 64}, {56, 72},
	} {
		top := int64(1) << (r.width - 1)
		bits := map[int]int{6: 9, 9: 13, 12: 17, 18: 24, 25: 32, 56: 64}[r.width]
		tests = append(tests, []struct {
			v    int64
			bits int
		}{{top, bits}, {-top + 1, bits}, {top + 1, r.next}, {-top, r.next}}...)
	}
	for _, v := range []int64{math.MaxInt64, math.MinInt64, math.MinInt64 + 1} {
		tests = append(tests, struct {
			v    int64
			bits int
		}{v, 72})
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.v), func(t *testing.T) {
			w := newBitWriter(nil)
			w.varbitInt(tt.v)
			if got := 8*w.pos + w.have; got != tt.bits {
				t.Errorf("takes %d bits, want %d", got, tt.bits)
			}
			w.varbitUint(uint64(tt.v))
			w.varbitInt(tt.v)
			r := bitReader{data: w.bytes()}
			if got := r.varbitInt(); got != tt.v {
				t.Errorf("got %d", got)
			}
			if got := r.varbitUint(); got != uint64(tt.v) {
				t.Errorf("unsigned: got %d", got)
			}
			sum := []delta2{{value: 1}}
			if r.addChanges(sum); sum[0] != (delta2{tt.v + 1, tt.v}) {
				t.Errorf("as change: got %+v", sum[0])
			}
		})
	}
}

// TestIntervalChanges covers the ends of the ranges of the delta of deltas, in XOR chunks.
func TestIntervalChanges(t *testing.T) {
	for _, tt := range []struct {
		change int64
		bits   int
	}{
		{0, 1},
		{1, 16},
		{-1, 16},
		{8192, 16},
		{-8191, 16},
		{8193, 20},
		{-8192, 20},
		{65536, 20},
		{-65535, 20},
		{65537, 24},
		{-65536, 24},
		{524288, 24},
		{-524287, 24},
		{524289, 68},
		{-524288, 68},
		{math.MaxInt64 - 4000, 68},
		{math.MinInt64, 68},
	} {
		ss := []promwire.Sample{{Timestamp: 1000}, {Timestamp: 2000}, {Timestamp: 3000 + tt.change}}
		var e Encoder
		chunks := e.AppendSamples(nil, ss)
		// Count, time, value, interval; then one bit for each value.
		if got, want := len(chunks[0].Data), 2+2+8+2+(1+tt.bits+1+7)/8; got != want {
			t.Errorf("%d: takes %d bytes, want %d", tt.change, got, want)
		}
		if got, err := decode(chunks[0]); err != nil || !sameSamples(got.Samples, ss) {
			t.Errorf("%d: got %+v, %v", tt.change, got.Samples, err)
		}
	}
}
