// Package xcompress compresses and decompresses bodies into memory of the caller, with bounds.
package xcompress

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/klauspost/compress/s2"
)

// ErrCorrupt says that a body is not what its encoding promises.
var ErrCorrupt = errors.New("corrupt snappy block")

var (
	errEmpty  = fmt.Errorf("%w: no bytes at all, where even empty data takes one", ErrCorrupt)
	errLength = fmt.Errorf("%w: invalid length in front", ErrCorrupt)
	errFramed = fmt.Errorf("%w: snappy framed stream format; remote write wants the block format", ErrCorrupt)
)

// SizeError says that a body announces more than the limit; no memory was taken for it.
type SizeError struct{ Announced, Limit uint64 }

// Error implements error.
func (e *SizeError) Error() string {
	return fmt.Sprintf("announces %d bytes decompressed, limit %d", e.Announced, e.Limit)
}

const (
	// literalBelow is the size up to which data is stored as it is: the search for matches would take longer than
	// the network takes for the few bytes it saves.
	literalBelow = 1 << 10
	// framedMagic begins the framed stream format. It is never the beginning of a valid block.
	framedMagic = "\xff\x06\x00\x00sNaPpY"
)

// AppendSnappy appends src to dst as a snappy block. src and dst must not overlap. It panics if src is larger than a
// block can be, about 4 GiB, or 2 GiB on 32-bit systems. With room for [MaxSnappyLen] bytes in dst it allocates
// nothing.
func AppendSnappy(dst, src []byte) []byte {
	if len(src) < literalBelow {
		return appendLiteral(dst, src)
	}
	start := len(dst)
	dst = slices.Grow(dst, MaxSnappyLen(len(src)))
	block := s2.EncodeSnappy(dst[start:cap(dst)], src)
	return dst[:start+len(block)]
}

// AppendElements appends what AppendSnappy does, without the length in front. The elements of several pieces one after
// the other are those of a block with all of them, as copies count back from where they stand; so a block can be made
// piece by piece, behind the length of the whole ([binary.AppendUvarint]).
func AppendElements(dst, src []byte) []byte {
	start := len(dst)
	dst = AppendSnappy(dst, src)
	_, used := binary.Uvarint(dst[start:])
	return slices.Delete(dst, start, start+used)
}

// MaxSnappyLen returns the largest size of the block that AppendSnappy makes of n bytes. It panics as AppendSnappy.
func MaxSnappyLen(n int) int {
	size := s2.MaxEncodedLen(n)
	if size < 0 {
		panic("xcompress: data is larger than a snappy block can be")
	}
	return size
}

// appendLiteral appends a block with src as one literal.
func appendLiteral(dst, src []byte) []byte {
	dst = slices.Grow(dst, binary.MaxVarintLen32+MaxLiteralTag+len(src))
	dst = binary.AppendUvarint(dst, uint64(len(src)))
	return dst[:PutLiteral(dst[:cap(dst)], len(dst), src)]
}

// SnappyLen returns the decompressed length that a snappy block announces. Errors wrap [ErrCorrupt]; a body in the
// framed stream format is recognised.
func SnappyLen(block []byte) (uint64, error) {
	n, _, err := snappyLen(block)
	return n, err
}

// snappyLen returns the announced length and the elements behind it.
func snappyLen(block []byte) (n uint64, elements []byte, err error) {
	if len(block) == 0 {
		return 0, nil, errEmpty
	}
	if bytes.HasPrefix(block, []byte(framedMagic)) {
		return 0, nil, errFramed
	}
	n, used := binary.Uvarint(block)
	if used <= 0 || used > binary.MaxVarintLen32 || n > math.MaxUint32 {
		return 0, nil, errLength
	}
	return n, block[used:], nil
}

// AppendDecoded appends the decompressed block to dst. It takes no memory for a block that announces more than limit
// bytes (the error is a [*SizeError]), or more than so few bytes can hold. Every other error wraps [ErrCorrupt]. On an
// error dst is returned as it was.
//
// One thing is accepted that strict snappy decoders call corrupt: the repeated offset of the S2 format, a copy of
// 4 to 11 bytes with offset 0. It is harmless, and a walk over the elements to find it took a seventh of the time of
// decompressing (of a request of 2,000 series).
func AppendDecoded(dst, block []byte, limit int) ([]byte, error) {
	n, elements, err := snappyLen(block)
	if err != nil {
		return dst, err
	}
	if limit = max(limit, 0); n > uint64(limit) {
		return dst, &SizeError{n, uint64(limit)}
	}
	// The densest element is a copy of 64 bytes in three.
	if n*3 > uint64(len(elements))*64 {
		return dst, fmt.Errorf("%w: announces %d bytes, of which %d cannot hold so many", ErrCorrupt, n, len(elements))
	}
	start := len(dst)
	dst = slices.Grow(dst, int(n))
	if _, err := s2.Decode(dst[start:start+int(n)], block); err != nil {
		return dst[:start], ErrCorrupt
	}
	return dst[:start+int(n)], nil
}
