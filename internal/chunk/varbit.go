package chunk

import "math/bits"

// varbitBits is the number of value bits behind a prefix of that many ones. The eighth one has no zero behind it.
var varbitBits = [9]int{0, 3, 6, 9, 12, 18, 25, 56, 64}

// varbit reads the prefix and the value bits of a variable-bit integer.
func (r *bitReader) varbit() (v uint64, width int) {
	if r.free < 32 {
		r.refill()
	}
	if int64(r.buf) >= 0 {
		r.skip(1)
		return 0, 0
	}
	ones := min(bits.LeadingZeros64(^r.buf), 8)
	r.skip(min(ones+1, 8))
	width = varbitBits[ones]
	return r.take(width), width
}

// varbitUint reads an unsigned variable-bit integer.
func (r *bitReader) varbitUint() uint64 {
	v, _ := r.varbit()
	return v
}

// varbitInt reads a signed variable-bit integer.
func (r *bitReader) varbitInt() int64 {
	v, width := r.varbit()
	if width == 0 {
		return 0
	}
	return lopsided(v, width)
}

// addChanges reads a signed variable-bit integer for each element of dst, and adds it. It is what histograms spend
// their time on, so it keeps the reader in local variables.
func (r *bitReader) addChanges(dst []delta2) {
	data, buf, free, pos := r.data, r.buf, r.free, r.pos
	for i := range dst {
		if free < 32 {
			buf, free, pos = refill(data, buf, free, pos)
		}
		if int64(buf) >= 0 {
			buf <<= 1
			free--
			dst[i].add(0)
			continue
		}
		ones := bits.LeadingZeros64(^buf)
		if ones >= 7 { // more than 32 bits
			r.buf, r.free, r.pos = buf, free, pos
			dst[i].add(r.varbitInt())
			buf, free, pos = r.buf, r.free, r.pos
			continue
		}
		width := varbitBits[ones]
		buf <<= uint(ones + 1)
		dst[i].add(lopsided(buf>>uint(-width&63), width))
		buf <<= uint(width & 63)
		free -= ones + 1 + width
	}
	r.buf, r.free, r.pos = buf, free, pos
}

// lopsided gives n bits their sign. The pattern with only the top bit set is positive, unlike in two's complement:
// the range is -(2^(n-1))+1 .. 2^(n-1). With 64 bits there is no such choice.
func lopsided(v uint64, n int) int64 {
	s := int64(v<<uint((64-n)&63)) >> uint((64-n)&63)
	if n < 64 && v == 1<<uint((n-1)&63) {
		return -s
	}
	return s
}
