// Package xcompress compresses and decompresses bodies into memory of the caller, with bounds.
package xcompress

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/klauspost/compress/s2"
)

// ErrCorrupt says that a body is not what its encoding promises.
var ErrCorrupt = errors.New("corrupt snappy block")

// SizeError says that a body announces more than the limit; no memory was taken for it.
type SizeError struct{ Announced, Limit uint64 }

// Error implements error.
func (e *SizeError) Error() string {
	return fmt.Sprintf("announces %d bytes decompressed, limit %d", e.Announced, e.Limit)
}

// AppendSnappy appends src to dst as a snappy block. src and dst must not overlap.
func AppendSnappy(dst, src []byte) []byte {
	start := len(dst)
	dst = slices.Grow(dst, s2.MaxEncodedLen(len(src)))
	block := s2.EncodeSnappy(dst[start:cap(dst)], src)
	return dst[:start+len(block)]
}

// SnappyLen returns the decompressed length that a snappy block announces.
func SnappyLen(block []byte) (uint64, error) {
	n, used := binary.Uvarint(block)
	if used <= 0 || n > 1<<32-1 {
		return 0, ErrCorrupt
	}
	return n, nil
}

// AppendDecoded appends the decompressed block to dst. It refuses a block that announces more than limit bytes
// before it takes memory.
func AppendDecoded(dst, block []byte, limit int) ([]byte, error) {
	n, err := SnappyLen(block)
	if err != nil {
		return dst, err
	}
	if n > uint64(limit) {
		return dst, &SizeError{n, uint64(limit)}
	}
	start := len(dst)
	dst = slices.Grow(dst, int(n))
	out, err := s2.Decode(dst[start:start+int(n)], block)
	if err != nil {
		return dst[:start], ErrCorrupt
	}
	return dst[:start+len(out)], nil
}
