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
	switch {
	case int64(r.buf) >= 0:
		r.skip(1)
	case r.buf>>62 == 0b10:
		r.skip(2)
		x.inWindow(r)
	default:
		r.skip(2)
		x.newWindow(r)
	}
}

func (x *xorFloat) inWindow(r *bitReader) {
	x.bits ^= r.take(int(x.width)) << x.trailing
}

// newWindow reads a window, five bits of leading zeros and six bits of width where 0 stands for 64, and the value.
func (x *xorFloat) newWindow(r *bitReader) {
	w := r.take(11)
	x.width = uint8(w-1)&63 + 1
	x.trailing = 64 - uint8(w>>6) - x.width
	x.inWindow(r)
}
