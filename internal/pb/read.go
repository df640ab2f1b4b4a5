package pb

import (
	"errors"
	"math/bits"
)

// maxField is the highest legal field number.
const maxField = 1<<29 - 1

// What can be wrong with an encoded message.
var (
	ErrTruncated   = errors.New("value reaches past the end")
	ErrVarint      = errors.New("varint is longer than ten bytes")
	ErrFieldNumber = errors.New("invalid field number")
	ErrGroup       = errors.New("groups are not supported")
	ErrWireType    = errors.New("wrong wire type")
)

// The readers below work on a string, so that parts of a message need no conversion to become strings, and on an
// index, so that the fast path is a compare and a load. They report failure by a negative index; whoever needs the
// reason reads the message again with a Reader.

// Uvarint returns the varint at s[i:] and the index behind it; -1 if it is cut off or longer than ten bytes. Bits
// beyond the 64th are dropped, as all common decoders do. i must not be negative.
func Uvarint(s string, i int) (v uint64, next int) {
	if i < len(s) && s[i] < 0x80 {
		return uint64(s[i]), i + 1
	}
	return uvarint(s, i)
}

func uvarint(s string, i int) (v uint64, next int) {
	if len(s)-i >= 8 {
		if v, n := ShortUvarint(Uint64(s, i)); n > 0 {
			return v, i + n
		}
	}
	for shift := 0; shift < 70; shift += 7 {
		if i >= len(s) {
			return 0, -1
		}
		c := s[i]
		i++
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v, i
		}
	}
	return 0, -1
}

// ShortUvarint decodes the varint in the low bytes of x without a loop, and its length; 0 if it is longer than eight.
func ShortUvarint(x uint64) (v uint64, n int) {
	stop := ^x & 0x8080808080808080
	if stop == 0 {
		return 0, 0
	}
	return Gather(x & (stop ^ (stop - 1))), bits.TrailingZeros64(stop)/8 + 1
}

// Gather joins the low seven bits of each of x's bytes.
func Gather(x uint64) uint64 {
	x = x&0x007f007f007f007f | x&0x7f007f007f007f00>>1
	x = x&0x00003fff00003fff | x&0x3fff00003fff0000>>2
	return x&0x000000000fffffff | x&0x0fffffff00000000>>4
}

// CountVarints returns the number of varints in s: of bytes without continuation bit.
func CountVarints(s string) (n int) {
	i := 0
	for ; len(s)-i >= 8; i += 8 {
		n += bits.OnesCount64(^Uint64(s, i) & 0x8080808080808080)
	}
	for ; i < len(s); i++ {
		n += int(^s[i] >> 7)
	}
	return n
}

// Uint64 returns the eight bytes at s[i:], little endian. There must be eight.
func Uint64(s string, i int) uint64 {
	b := s[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// Length reads the length at s[i:] and returns the bounds of what it announces; end is -1 if that is cut off.
func Length(s string, i int) (start, end int) {
	if i < len(s) {
		if n := int(s[i]); n < 0x80 && n < len(s)-i {
			return i + 1, i + 1 + n
		}
	}
	return length(s, i)
}

func length(s string, i int) (start, end int) {
	n, start := Uvarint(s, i)
	if start < 0 || n > uint64(len(s)-start) {
		return 0, -1
	}
	return start, start + int(n)
}

// ShortField returns the length-delimited field at s[i:], if its tag and its length take one byte each, and the index
// behind it. If the field is of any other form, or cut off, the index is 0: see Field. It is small enough to be
// inlined.
func ShortField(s string, i int) (body string, next int) {
	if len(s)-i >= 2 && s[i]&0x87 == Bytes && s[i+1] < 0x80 && int(s[i+1]) <= len(s)-i-2 {
		return s[i+2 : i+2+int(s[i+1])], i + 2 + int(s[i+1])
	}
	return "", 0
}

// Field reads the tag at s[i:] and, if that is of a length-delimited field, the field; next is the index behind what
// was read, so for other fields that of the value. It is -1 if that is malformed.
func Field(s string, i int) (tag uint64, body string, next int) {
	if tag := uint64(s[i]); tag < 0x80 && tag&7 != Bytes {
		return tag, "", i + 1
	}
	if len(s)-i < 3 || s[i] < 0x08 || s[i] >= 0x80 {
		return field(s, i)
	}
	start, n := i+2, int(s[i+1])
	if n >= 0x80 {
		start, n = i+3, n&0x7f|int(s[i+2])<<7
		if n >= 1<<14 {
			return field(s, i)
		}
	}
	if n > len(s)-start {
		return 0, "", -1
	}
	return uint64(s[i]), s[start : start+n], start + n
}

func field(s string, i int) (tag uint64, body string, next int) {
	tag, next = Uvarint(s, i)
	if next < 0 || tag&7 != Bytes {
		return tag, "", next
	}
	start, end := Length(s, next)
	if end < 0 || !validField(tag) {
		return tag, "", -1
	}
	return tag, s[start:end], end
}

func validField(tag uint64) bool { return tag>>3 != 0 && tag>>3 <= maxField }

// Skip returns the index behind the value at s[i:], whose tag is given; -1 if the tag or the value is malformed.
func Skip(s string, i int, tag uint64) int {
	if !validField(tag) {
		return -1
	}
	switch tag & 7 {
	case Varint:
		_, i = Uvarint(s, i)
		return i
	case Fixed64:
		return fits(s, i+8)
	case Bytes:
		_, end := Length(s, i)
		return end
	case Fixed32:
		return fits(s, i+4)
	default:
		return -1
	}
}

func fits(s string, i int) int {
	if i > len(s) {
		return -1
	}
	return i
}

// Int32 undoes the zigzag encoding of a sint32.
func Int32(v uint64) int32 { return int32(uint32(v)>>1) ^ -int32(v&1) }

// Int64 undoes the zigzag encoding of a sint64.
func Int64(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }
