package chunk

import "math"

// xorFloat is a float stored as its difference, by xor, to the one before. The bits that differ lie in a window,
// which is given once and reused as long as it fits.
type xorFloat struct {
	bits     uint64
	width    uint8
	trailing uint8 // 64 and more, from malformed data, shift all bits out
}

// newXORFloat returns a float with a window of all bits.
func newXORFloat(bits uint64) xorFloat { return xorFloat{bits: bits, width: 64} }

func (x *xorFloat) float() float64 { return math.Float64frombits(x.bits) }

// next reads a value: 0 for the same, 10 for the window known, 11 for a new window.
func (x *xorFloat) next(r *bitReader) {
	if r.free < 2 {
		r.refill()
	}
	if int64(r.buf) >= 0 {
		r.skip(1)
		return
	}
	isNew := r.buf&(1<<62) != 0
	r.skip(2)
	x.changed(r, isNew)
}

// changed reads a value that differs, in a new window or the one known.
func (x *xorFloat) changed(r *bitReader, isNew bool) {
	if isNew {
		x.setWindow(r.take(11))
	}
	x.bits ^= r.take(int(x.width)) << x.trailing
}

// setWindow sets the window: five bits of leading zeros, and six bits of width where 0 stands for 64.
func (x *xorFloat) setWindow(w uint64) {
	x.width = uint8(w-1)&63 + 1
	x.trailing = 64 - uint8(w>>6) - x.width
}

// nextFloats reads the next value of each element of dst. Like addChanges it keeps the reader in local variables.
func (r *bitReader) nextFloats(dst []xorFloat) {
	data, buf, free, pos := r.data, r.buf, r.free, r.pos
	for i := range dst {
		x := &dst[i]
		if free < 13 {
			buf, free, pos = refill(data, buf, free, pos)
		}
		if int64(buf) >= 0 {
			buf <<= 1
			free--
			continue
		}
		if buf&(1<<62) == 0 {
			buf <<= 2
			free -= 2
		} else {
			x.setWindow(buf >> 51 & (1<<11 - 1))
			buf <<= 13
			free -= 13
		}
		if free < int(x.width) {
			r.buf, r.free, r.pos = buf, free, pos
			x.bits ^= r.take(int(x.width)) << x.trailing
			buf, free, pos = r.buf, r.free, r.pos
			continue
		}
		x.bits ^= buf >> (-x.width & 63) << x.trailing
		buf <<= x.width & 63
		free -= int(x.width)
	}
	r.buf, r.free, r.pos = buf, free, pos
}
