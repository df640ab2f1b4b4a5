package xcompress

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"testing"
)

var errStrict = errors.New("corrupt")

// errZeroOffset is what S2 reads as "the offset of the copy before".
var errZeroOffset = errors.New("offset 0 in a short copy")

// decodeStrictly decodes a snappy block by the letter of the format description, for comparison.
func decodeStrictly(block []byte) ([]byte, error) {
	n, used := binary.Uvarint(block)
	if used <= 0 || used > 5 || n > 1<<24 {
		return nil, errStrict
	}
	src, out := block[used:], []byte{}
	for len(src) > 0 {
		length, extra := int(src[0]>>2)+1, 0
		if src[0]&3 == 0 {
			if length > 60 {
				extra = length - 60
				if len(src) < 1+extra {
					return nil, errStrict
				}
				length = int(littleEndian(src[1:1+extra])) + 1
			}
			src = src[1+extra:]
			if length > len(src) {
				return nil, errStrict
			}
			out, src = append(out, src[:length]...), src[length:]
			continue
		}
		size := [...]int{0, 2, 3, 5}[src[0]&3]
		if len(src) < size {
			return nil, errStrict
		}
		offset := littleEndian(src[1:size])
		if size == 2 {
			length = 4 + int(src[0]>>2&7)
			if offset |= uint64(src[0]>>5) << 8; offset == 0 {
				return nil, errZeroOffset
			}
		}
		if offset == 0 || offset > uint64(len(out)) {
			return nil, errStrict
		}
		for range length {
			out = append(out, out[len(out)-int(offset)])
		}
		src = src[size:]
	}
	if uint64(len(out)) != n {
		return nil, errStrict
	}
	return out, nil
}

func littleEndian(b []byte) uint64 {
	x := uint64(0)
	for i, c := range b {
		x |= uint64(c) << (8 * i)
	}
	return x
}

func FuzzSnappyDecode(f *testing.F) {
	for _, seed := range []string{
		"", "00", "ff060000734e61507059", "05080102", "0401050000", "0a0061", "01006162", "8180801000", "ffffffffff7f",
		"0500610101", "060061120100", "06006113010000000000", "0800616200" + "0101" + "0100",
	} {
		b, _ := hex.DecodeString(seed)
		f.Add(b)
	}
	f.Add(AppendSnappy(nil, payload(3000)))
	f.Fuzz(func(t *testing.T, block []byte) {
		const limit = 1 << 20
		got, err := AppendDecoded(nil, block, limit)
		want, strictErr := decodeStrictly(block)
		switch {
		case errors.Is(strictErr, errZeroOffset):
			// The one leniency: accepted or not, it must not go beyond the limit.
		case strictErr != nil:
			if err == nil {
				t.Fatalf("accepted what is corrupt: %x", block)
			}
		case len(want) > limit:
			var size *SizeError
			if !errors.As(err, &size) {
				t.Fatalf("%d bytes over the limit: %v", len(want), err)
			}
		default:
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("got %x, %v; want %x", got, err, want)
			}
		}
		if len(got) > limit {
			t.Fatalf("%d bytes", len(got))
		}
	})
}

func FuzzSnappyRoundTrip(f *testing.F) {
	f.Add([]byte(nil), 1)
	f.Add([]byte("abcabcabc"), 200)
	f.Fuzz(func(t *testing.T, src []byte, times int) {
		src = bytes.Repeat(src, max(1, times%256))
		block := AppendSnappy(nil, src)
		got, err := AppendDecoded(nil, block, len(src))
		if err != nil || !bytes.Equal(got, src) {
			t.Fatalf("%d bytes: %d back, %v", len(src), len(got), err)
		}
		if strict, err := decodeStrictly(block); err != nil && len(src) <= 1<<24 || !bytes.Equal(strict, src) {
			t.Fatalf("%d bytes: strict decoder: %v", len(src), err)
		}
	})
}
