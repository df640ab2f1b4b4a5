// Package pb appends and reads the few protobuf wire elements that promwire needs.
//
// Appending comes in two forms. The Append functions grow a slice, for messages that are written now and then. The
// Put functions write by index into memory that the caller has sized before with the Size functions; the hot paths
// use them, since they check no capacity and carry no slice header around.
package pb

import (
	"encoding/binary"
	"math/bits"
)

// Wire types, as in the low three bits of a tag.
const (
	Varint  = 0
	Fixed64 = 1
	Bytes   = 2
	Fixed32 = 5
)

// SizeVarint returns the number of bytes of x as a varint, 1 to 10.
func SizeVarint(x uint64) int { return (9*bits.Len64(x|1) + 64) / 64 }

// SizeBytes returns the number of bytes of a field with a one-byte tag that holds n bytes; 0 if n is 0, since an empty
// field is left out.
func SizeBytes(n int) uint64 {
	if n == 0 {
		return 0
	}
	return SizeMessage(uint64(n))
}

// SizeMessage returns the number of bytes of a field with a one-byte tag that holds a message of n bytes; an empty
// message is written.
func SizeMessage(n uint64) uint64 { return 1 + uint64(SizeVarint(n)) + n }

// SizeUint returns the number of bytes of a varint field with a one-byte tag; 0 if x is 0, since a default is left out.
func SizeUint(x uint64) uint64 {
	if x == 0 {
		return 0
	}
	return 1 + uint64(SizeVarint(x))
}

// Zigzag returns x as sint32 and sint64 fields store it: 0, -1, 1, -2 become 0, 1, 2, 3.
func Zigzag(x int64) uint64 { return uint64(x)<<1 ^ uint64(x>>63) }

// PutVarint writes x to b at i and returns the index behind it.
func PutVarint(b []byte, i int, x uint64) int {
	for x >= 0x80 {
		b[i] = byte(x) | 0x80
		x >>= 7
		i++
	}
	b[i] = byte(x)
	return i + 1
}

// PutFixed64 writes the eight bytes of x to b at i and returns the index behind them.
func PutFixed64(b []byte, i int, x uint64) int {
	binary.LittleEndian.PutUint64(b[i:], x)
	return i + 8
}

// PutUint writes a varint field, or nothing if x is 0.
func PutUint(b []byte, i int, tag byte, x uint64) int {
	if x == 0 {
		return i
	}
	b[i] = tag
	return PutVarint(b, i+1, x)
}

// PutDouble writes a double field by its bits, or nothing if they are all zero. So -0 is written.
func PutDouble(b []byte, i int, tag byte, bits uint64) int {
	if bits == 0 {
		return i
	}
	b[i] = tag
	return PutFixed64(b, i+1, bits)
}

// PutString writes a string or bytes field, or nothing if s is empty.
func PutString[T string | []byte](b []byte, i int, tag byte, s T) int {
	if len(s) == 0 {
		return i
	}
	b[i] = tag
	i = PutVarint(b, i+1, uint64(len(s)))
	return i + copy(b[i:], s)
}

// PutHeader writes tag and length of a message field of n bytes.
func PutHeader(b []byte, i int, tag byte, n uint64) int {
	b[i] = tag
	return PutVarint(b, i+1, n)
}

// OpenMessage writes the tag of a message field at i and leaves room for a length of as many bytes as a message of
// about n bytes takes. It returns the index where the message begins; the caller keeps i for [CloseMessage].
func OpenMessage(b []byte, i int, tag byte, n int) int {
	b[i] = tag
	return i + 1 + SizeVarint(uint64(n))
}

// CloseMessage writes the length of a message that begins at begin, and whose tag is at open, and returns its end. If
// the length takes another number of bytes than OpenMessage left room for, the message is moved.
func CloseMessage(b []byte, open, begin, end int) int {
	n := uint64(end - begin)
	if n < 0x80 && begin == open+2 {
		b[open+1] = byte(n)
		return end
	}
	at := open + 1 + SizeVarint(n)
	if at != begin {
		copy(b[at:], b[begin:end])
	}
	PutVarint(b, open+1, n)
	return at + int(n)
}

// AppendVarint appends x.
func AppendVarint(b []byte, x uint64) []byte {
	if x < 0x80 {
		return append(b, byte(x))
	}
	return binary.AppendUvarint(b, x)
}

// AppendFixed64 appends the eight bytes of x.
func AppendFixed64(b []byte, x uint64) []byte { return binary.LittleEndian.AppendUint64(b, x) }

// AppendUint appends a varint field, or nothing if x is 0. Negative int32, int64 and enum values are passed as
// uint64(int64(v)).
func AppendUint(b []byte, tag byte, x uint64) []byte {
	if x == 0 {
		return b
	}
	return AppendVarint(append(b, tag), x)
}

// AppendDouble appends a double field by its bits, or nothing if they are all zero. So -0 is written.
func AppendDouble(b []byte, tag byte, bits uint64) []byte {
	if bits == 0 {
		return b
	}
	return AppendFixed64(append(b, tag), bits)
}

// AppendString appends a string or bytes field, or nothing if s is empty.
func AppendString[T string | []byte](b []byte, tag byte, s T) []byte {
	if len(s) == 0 {
		return b
	}
	return append(AppendHeader(b, tag, uint64(len(s))), s...)
}

// AppendHeader appends tag and length of a field of n bytes, which the caller appends next.
func AppendHeader(b []byte, tag byte, n uint64) []byte { return AppendVarint(append(b, tag), n) }
