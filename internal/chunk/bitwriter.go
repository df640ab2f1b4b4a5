package chunk

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// bitWriter writes bits, the most significant first. It stores 8 bytes at a time, so that buf[:pos] is whole and up
// to seven bits wait in acc.
type bitWriter struct {
	buf  []byte
	pos  int
	acc  uint64 // bits not in buf[:pos], from the top
	have int    // number of them, at most 7
}

// newBitWriter returns a writer into the capacity of dst, which is empty.
func newBitWriter(dst []byte) bitWriter { return bitWriter{buf: dst[:cap(dst)]} }

// put writes the low n bits of v, whose others are zero; n is at most 56.
func (w *bitWriter) put(v uint64, n int) {
	if len(w.buf)-w.pos < 8 {
		w.grow()
	}
	w.acc |= v << uint((64-w.have-n)&63)
	binary.BigEndian.PutUint64(w.buf[w.pos:], w.acc)
	n += w.have
	w.pos += n >> 3
	w.acc <<= uint(n &^ 7)
	w.have = n & 7
}

func (w *bitWriter) grow() {
	w.buf = slices.Grow(w.buf, len(w.buf)+64)
	w.buf = w.buf[:cap(w.buf)]
}

// put64 writes the low n bits of v, whose others are zero; n is at most 64.
func (w *bitWriter) put64(v uint64, n int) {
	if n > 56 {
		w.put(v>>32, n-32)
		v, n = v&0xffffffff, 32
	}
	w.put(v, n)
}

// bytes returns what was written, padded with zero bits.
func (w *bitWriter) bytes() []byte {
	return w.buf[:w.pos+(w.have+7)>>3]
}

// uvarint writes bytes of seven bits each, the least significant first.
func (w *bitWriter) uvarint(v uint64) {
	for ; v >= 0x80; v >>= 7 {
		w.put(v&0x7f|0x80, 8)
	}
	w.put(v, 8)
}

// varint is uvarint for signed integers, in zigzag form.
func (w *bitWriter) varint(v int64) { w.uvarint(uint64(v<<1) ^ uint64(v>>63)) }

// varbitUint writes an unsigned variable-bit integer.
func (w *bitWriter) varbitUint(v uint64) { w.varbit(v, bits.Len64(v)) }

// varbitInt writes a signed variable-bit integer.
func (w *bitWriter) varbitInt(v int64) {
	if v == 0 {
		w.put(0, 1)
		return
	}
	w.varbit(uint64(v), signedBits(v))
}

// signedBits returns the number of bits that v takes with a lopsided sign (see lopsided).
func signedBits(v int64) int {
	if v > 0 {
		v--
	} else {
		v = -v
	}
	return bits.Len64(uint64(v)) + 1
}

// varbit writes v, which takes that many bits, with the shortest prefix that offers as many.
func (w *bitWriter) varbit(v uint64, need int) {
	ones := 0
	for ones < 8 && varbitBits[ones] < need {
		ones++
	}
	if ones == 8 {
		w.put(0xff, 8)
		w.put64(v, 64)
		return
	}
	w.put((1<<uint(ones)-1)<<1, ones+1)
	n := varbitBits[ones]
	w.put(v&(1<<uint(n)-1), n)
}
