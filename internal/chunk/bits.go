package chunk

import "encoding/binary"

// bitReader reads bits, the most significant first, from a 64-bit buffer that is refilled by loads of 8 bytes.
//
// Nothing reports the end of the data at once: what is taken beyond it is zero, and free turns negative. So a caller
// may read a whole sample and ask failed then.
type bitReader struct {
	data []byte
	pos  int    // of the next byte to load
	buf  uint64 // unread bits, from the top; those below the free ones are no valid bits, but the right ones
	free int    // number of unread bits in buf
}

// refill makes at least 56 bits available, unless the data end before.
func (r *bitReader) refill() {
	r.buf, r.free, r.pos = refill(r.data, r.buf, r.free, r.pos)
}

// refill is for callers that keep the fields of a bitReader in local variables.
func refill(data []byte, buf uint64, free, pos int) (uint64, int, int) {
	if pos+8 <= len(data) {
		buf |= binary.BigEndian.Uint64(data[pos:]) >> uint(free&63)
		return buf, free | 56, pos + (63-free)>>3
	}
	for free < 56 && pos < len(data) {
		buf |= uint64(data[pos]) << uint(56-free)
		free += 8
		pos++
	}
	return buf, free, pos
}

// failed reports whether more was taken than there was.
func (r *bitReader) failed() bool { return r.free < 0 }

// left returns the number of unread bits.
func (r *bitReader) left() uint64 {
	if r.free < 0 {
		return 0
	}
	return uint64(len(r.data)-r.pos)*8 + uint64(r.free)
}

// take returns the next n bits, 1 <= n <= 64.
func (r *bitReader) take(n int) uint64 {
	if r.free < n {
		return r.takeMore(n)
	}
	v := r.buf >> uint(-n&63)
	r.skip(n)
	return v
}

// takeMore is take where the buffer does not suffice.
func (r *bitReader) takeMore(n int) (v uint64) {
	r.refill()
	if n > 56 {
		v = r.buf >> 32 << uint(n-32)
		r.skip(32)
		r.refill()
		n -= 32
	}
	v |= r.buf >> uint(-n&63)
	r.skip(n)
	return v
}

// skip drops n < 64 bits that are in the buffer.
func (r *bitReader) skip(n int) {
	r.buf <<= uint(n & 63)
	r.free -= n
}

// uvarint reads bytes of seven bits each, the least significant first. Ten bytes hold more than 64 bits; strict says
// whether the surplus must be zero.
func (r *bitReader) uvarint(strict bool) (uint64, error) {
	var v uint64
	for shift := 0; shift < 70; shift += 7 {
		b := r.take(8)
		v |= (b & 0x7f) << uint(shift)
		if b < 0x80 {
			if shift == 63 && b > 1 && strict {
				return 0, errVarint
			}
			return v, nil
		}
	}
	return 0, errVarint
}

// varint is uvarint for signed integers in zigzag form.
func (r *bitReader) varint(strict bool) (int64, error) {
	u, err := r.uvarint(strict)
	return int64(u>>1) ^ -int64(u&1), err
}
