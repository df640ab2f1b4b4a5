package pb

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"
)

// numbers are around each length of a varint.
func numbers() []uint64 {
	vs := []uint64{0, 1, math.MaxUint64, math.MaxUint64 - 1, 1 << 63}
	for bits := 7; bits < 64; bits += 7 {
		vs = append(vs, 1<<bits-1, 1<<bits, 1<<bits+1, 0x5555555555555555>>(64-bits))
	}
	return vs
}

func TestUvarint(t *testing.T) {
	for _, v := range numbers() {
		enc := binary.AppendUvarint(nil, v)
		for _, tail := range []string{"", "\x00", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"} {
			got, next := Uvarint("x"+string(enc)+tail, 1)
			if got != v || next != 1+len(enc) {
				t.Errorf("%x, tail %x: %x, index %d", v, tail, got, next)
			}
		}
		for cut := range enc {
			if _, next := Uvarint(string(enc[:cut]), 0); next != -1 {
				t.Errorf("%x cut at %d: index %d, want -1", v, cut, next)
			}
		}
		if len(enc) > 8 {
			continue
		}
		var padded [8]byte
		copy(padded[:], enc)
		if got, n := ShortUvarint(binary.LittleEndian.Uint64(padded[:])); got != v || n != len(enc) {
			t.Errorf("short %x: %x, %d bytes", v, got, n)
		}
	}
	if _, n := ShortUvarint(math.MaxUint64); n != 0 {
		t.Errorf("short varint of more than eight bytes: %d", n)
	}
}

func TestUvarintLong(t *testing.T) {
	nine := "\x80\x80\x80\x80\x80\x80\x80\x80\x80"
	tests := []struct {
		name, in string
		v        uint64
		next     int
	}{
		{"zero in ten bytes", nine + "\x00", 0, 10},
		{"bits beyond 64 are dropped", nine + "\x7f", 1 << 63, 10},
		{"eleven bytes", nine + "\x80\x00", 0, -1},
		{"behind the end", "", 0, -1},
	}
	for _, tt := range tests {
		if v, next := Uvarint(tt.in, 0); v != tt.v || next != tt.next {
			t.Errorf("%s: %x, index %d", tt.name, v, next)
		}
	}
}

func TestField(t *testing.T) {
	long := string(make([]byte, 20000))
	tests := []struct {
		name, in string
		tag      uint64
		body     string
		next     int
	}{
		{"short", "\x0a\x02ab", 0x0a, "ab", 4},
		{"empty", "\x0a\x00", 0x0a, "", 2},
		{"empty, more behind", "\x0a\x00\x00", 0x0a, "", 2},
		{"length of two bytes", "\x12\x80\x01" + long[:128], 0x12, long[:128], 131},
		{"length of three bytes", "\x12\xa0\x9c\x01" + long, 0x12, long, 20004},
		{"long tag", "\x82\x01\x01x", 0x82, "x", 4},
		{"tag longer than needed", "\x8a\x00\x01x", 0x0a, "x", 4},
		{"varint", "\x08\x05", 0x08, "", 1},
		{"long tag of a double", "\x81\x01", 0x81, "", 2},
		{"cut off", "\x0a\x03ab", 0, "", -1},
		{"cut off, length of two bytes", "\x12\x80\x01" + long[:127], 0, "", -1},
		{"no length", "\x0a", 0, "", -1},
		{"length cut off", "\x0a\x80", 0, "", -1},
		{"length of 2^63", "\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 0, "", -1},
		{"tag cut off", "\x80", 0, "", -1},
		{"field number 0", "\x02\x00", 0, "", -1},
		{"field number 0 in a long tag", "\x82\x00\x00", 0, "", -1},
		{"field number 2^29", "\x82\x80\x80\x80\x10\x00", 0, "", -1},
		{"field number 2^29-1", "\xfa\xff\xff\xff\x0f\x00", (1<<29-1)<<3 | 2, "", 6},
	}
	for _, tt := range tests {
		tag, body, next := Field(tt.in, 0)
		if next != tt.next || next >= 0 && (tag != tt.tag || body != tt.body) {
			t.Errorf("%s: tag %x, %d bytes, index %d", tt.name, tag, len(body), next)
		}
		isShort := next > 0 && len(tt.body) < 0x80 && tt.in[0] < 0x80 && tt.tag&7 == Bytes
		if body, next := ShortField(tt.in, 0); (next > 0) != isShort && tt.in[0] != 0x02 || next > 0 && body != tt.body {
			t.Errorf("%s: short form %d bytes, index %d", tt.name, len(body), next)
		}
	}
}

func TestSkip(t *testing.T) {
	tests := []struct {
		name, value string
		tag         uint64
		next        int
	}{
		{"varint", "\x80\x01", 1<<3 | Varint, 2},
		{"fixed64", "12345678", 1<<3 | Fixed64, 8},
		{"fixed32", "1234", 1<<3 | Fixed32, 4},
		{"bytes", "\x02ab", 1<<3 | Bytes, 3},
		{"fixed64 cut off", "1234567", 1<<3 | Fixed64, -1},
		{"fixed32 cut off", "123", 1<<3 | Fixed32, -1},
		{"group", "\x0c", 1<<3 | 3, -1},
		{"end of group", "", 1<<3 | 4, -1},
		{"wire type 7", "", 1<<3 | 7, -1},
		{"field number 0", "\x01", Varint, -1},
		{"field number too high", "\x01", 1<<32 | Varint, -1},
	}
	for _, tt := range tests {
		if next := Skip(tt.value, 0, tt.tag); next != tt.next {
			t.Errorf("%s: index %d, want %d", tt.name, next, tt.next)
		}
	}
}

func TestZigzagInverse(t *testing.T) {
	for _, v := range numbers() {
		if got := Int64(Zigzag(int64(v))); got != int64(v) {
			t.Errorf("%d: got %d", int64(v), got)
		}
		if got := Int32(Zigzag(int64(int32(v)))); got != int32(v) {
			t.Errorf("%d: got %d", int32(v), got)
		}
	}
}

func TestCountVarints(t *testing.T) {
	var enc []byte
	for i, v := range numbers() {
		if got := CountVarints(string(enc)); got != i {
			t.Errorf("%d varints: counted %d", i, got)
		}
		enc = binary.AppendUvarint(enc, v)
	}
}

func TestReader(t *testing.T) {
	in := "\x08\x96\x01" + "\x11\x01\x00\x00\x00\x00\x00\x00\x80" + "\x1a\x02ab" + "\x25\x01\x00\x00\x80" + "\x82\x01\x00"
	want := []struct {
		field            uint64
		wire             int
		value            uint64
		data             string
		start, dataStart int
	}{
		{1, Varint, 150, "", 0, 0},
		{2, Fixed64, 1<<63 | 1, "", 3, 0},
		{3, Bytes, 0, "ab", 12, 14},
		{4, Fixed32, 1<<31 | 1, "", 16, 0},
		{16, Bytes, 0, "", 21, 24},
	}
	r := NewReader([]byte(in))
	for _, w := range want {
		if !r.Next() {
			t.Fatalf("field %d: %v", w.field, r.Err)
		}
		if r.Field != w.field || r.Wire != w.wire || string(r.Data) != w.data || r.Start != w.start {
			t.Errorf("got %+v, want %+v", r, w)
		}
		if w.wire == Bytes && r.DataStart != w.dataStart || w.wire != Bytes && r.Value != w.value {
			t.Errorf("got %+v, want %+v", r, w)
		}
	}
	if r.Next() || r.Err != nil {
		t.Errorf("no end: %v", r.Err)
	}
}

func TestReaderErrors(t *testing.T) {
	tests := []struct {
		name, in string
		err      error
	}{
		{"field number 0", "\x00\x00", ErrFieldNumber},
		{"field number too high", "\x80\x80\x80\x80\x10\x00", ErrFieldNumber},
		{"group", "\x0b", ErrGroup},
		{"end of group", "\x0c", ErrGroup},
		{"wire type 6", "\x0e", ErrWireType},
		{"long varint", "\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", ErrVarint},
		{"varint cut off", "\x08\x80", ErrTruncated},
		{"no value", "\x08", ErrTruncated},
		{"fixed64 cut off", "\x091234567", ErrTruncated},
		{"fixed32 cut off", "\x0d123", ErrTruncated},
		{"bytes cut off", "\x0a\x03ab", ErrTruncated},
		{"huge length", "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", ErrTruncated},
	}
	for _, tt := range tests {
		r := NewReader([]byte("\x10\x01" + tt.in))
		if !r.Next() || r.Next() || !errors.Is(r.Err, tt.err) || r.Start != 2 {
			t.Errorf("%s: %v at %d, want %v at 2", tt.name, r.Err, r.Start, tt.err)
		}
		if r.Next() {
			t.Errorf("%s: goes on after the error", tt.name)
		}
	}
}
