package pb

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math"
	"testing"
)

func TestVarint(t *testing.T) {
	values := []uint64{0, 1, math.MaxUint32, math.MaxUint64, 1_700_000_000_000}
	for shift := range 64 {
		values = append(values, 1<<shift, 1<<shift-1, 1<<shift+1)
	}
	for _, x := range values {
		want := string(binary.AppendUvarint(nil, x))
		if n := SizeVarint(x); n != len(want) {
			t.Errorf("SizeVarint(%d) = %d, want %d", x, n, len(want))
		}
		var b [32]byte
		if i := PutVarint(b[:], 3, x); string(b[3:i]) != want {
			t.Errorf("PutVarint(%d) = %x, want %x", x, b[3:i], want)
		}
		if got := AppendVarint([]byte("ab"), x); string(got) != "ab"+want {
			t.Errorf("AppendVarint(%d) = %x, want %x behind ab", x, got, want)
		}
	}
}

func TestZigzag(t *testing.T) {
	for x, want := range map[int64]uint64{0: 0, -1: 1, 1: 2, -2: 3, math.MaxInt64: math.MaxUint64 - 1, math.MinInt64: math.MaxUint64} {
		if got := Zigzag(x); got != want {
			t.Errorf("Zigzag(%d) = %d, want %d", x, got, want)
		}
	}
}

// TestFields writes each kind of field in both ways, and compares its size.
func TestFields(t *testing.T) {
	minusOne, long := int64(-1), make([]byte, 200)
	tests := []struct {
		name   string
		size   uint64
		put    func(b []byte, i int) int
		append func(b []byte) []byte
		want   string
	}{
		{
			"uint", SizeUint(300), func(b []byte, i int) int { return PutUint(b, i, 0x08, 300) },
			func(b []byte) []byte { return AppendUint(b, 0x08, 300) }, "08ac02",
		},
		{
			"uint 0", SizeUint(0), func(b []byte, i int) int { return PutUint(b, i, 0x08, 0) },
			func(b []byte) []byte { return AppendUint(b, 0x08, 0) }, "",
		},
		{
			"int -1", SizeUint(uint64(minusOne)), func(b []byte, i int) int { return PutUint(b, i, 0x08, uint64(minusOne)) },
			func(b []byte) []byte { return AppendUint(b, 0x08, uint64(minusOne)) }, "08ffffffffffffffffff01",
		},
		{
			"double", 9, func(b []byte, i int) int { return PutDouble(b, i, 0x09, math.Float64bits(1)) },
			func(b []byte) []byte { return AppendDouble(b, 0x09, math.Float64bits(1)) }, "09000000000000f03f",
		},
		{
			"double 0", 0, func(b []byte, i int) int { return PutDouble(b, i, 0x09, 0) },
			func(b []byte) []byte { return AppendDouble(b, 0x09, 0) }, "",
		},
		{
			"double -0", 9, func(b []byte, i int) int { return PutDouble(b, i, 0x09, 1<<63) },
			func(b []byte) []byte { return AppendDouble(b, 0x09, 1<<63) }, "090000000000000080",
		},
		{
			"string", SizeBytes(2), func(b []byte, i int) int { return PutString(b, i, 0x12, "ab") },
			func(b []byte) []byte { return AppendString(b, 0x12, "ab") }, "12026162",
		},
		{
			"string empty", SizeBytes(0), func(b []byte, i int) int { return PutString(b, i, 0x12, "") },
			func(b []byte) []byte { return AppendString(b, 0x12, "") }, "",
		},
		{
			"bytes long", SizeBytes(len(long)), func(b []byte, i int) int { return PutString(b, i, 0x12, long) },
			func(b []byte) []byte { return AppendString(b, 0x12, long) }, "12c801" + hex.EncodeToString(long),
		},
		{
			"message header", SizeMessage(0), func(b []byte, i int) int { return PutHeader(b, i, 0x2a, 0) },
			func(b []byte) []byte { return AppendHeader(b, 0x2a, 0) }, "2a00",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := make([]byte, 256)
			if i := tt.put(b, 5); hex.EncodeToString(b[5:i]) != tt.want {
				t.Errorf("put %x, want %s", b[5:i], tt.want)
			}
			if got := tt.append([]byte{1}); hex.EncodeToString(got) != "01"+tt.want {
				t.Errorf("appended %x, want 01%s", got, tt.want)
			}
			if tt.size != uint64(len(tt.want)/2) {
				t.Errorf("size %d, want %d", tt.size, len(tt.want)/2)
			}
		})
	}
}

// TestMessages writes messages of many lengths with room left for shorter and longer ones.
func TestMessages(t *testing.T) {
	for _, n := range []int{0, 1, 126, 127, 128, 129, 16383, 16384, 16385, 1 << 21} {
		content := make([]byte, n)
		for i := range content {
			content[i] = byte(i * 7)
		}
		want := append(binary.AppendUvarint([]byte{9, 9, 9, 0x2a}, uint64(n)), content...)
		for _, likely := range []int{0, 1, 127, 128, 20000, 1 << 21, 1 << 30} {
			b := make([]byte, n+20)
			b[0], b[1], b[2] = 9, 9, 9
			begin := OpenMessage(b, 3, 0x2a, likely)
			end := CloseMessage(b, 3, begin, begin+copy(b[begin:], content))
			if !bytes.Equal(b[:end], want) {
				t.Errorf("%d bytes, likely %d: %d bytes written, want %d", n, likely, end, len(want))
			}
		}
	}
}
