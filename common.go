package promwire

import (
	"encoding/binary"
	"math/bits"
)

// commonEnds returns the numbers of bytes that a and b begin with alike, and that they end with alike behind those.
func commonEnds(a, b []byte) (prefix, suffix int) {
	if n := len(a); n == len(b) && n >= 16 {
		begin := binary.LittleEndian.Uint64(a) ^ binary.LittleEndian.Uint64(b)
		end := binary.LittleEndian.Uint64(a[n-8:]) ^ binary.LittleEndian.Uint64(b[n-8:])
		if end == 0 {
			suffix = 8
			end = binary.LittleEndian.Uint64(a[n-16:]) ^ binary.LittleEndian.Uint64(b[n-16:])
		}
		if begin != 0 && end != 0 {
			prefix = bits.TrailingZeros64(begin) / 8
			return prefix, min(suffix+bits.LeadingZeros64(end)/8, n-prefix)
		}
	}
	prefix = commonPrefix(a, b)
	return prefix, commonSuffix(a[prefix:], b[prefix:])
}

// commonPrefix returns the number of bytes that a and b begin with alike.
func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	a, b = a[:n], b[:n]
	i := 0
	for ; i+8 <= n; i += 8 {
		if x := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

// commonSuffix returns the number of bytes that a and b end with alike.
func commonSuffix(a, b []byte) int {
	n := min(len(a), len(b))
	a, b = a[len(a)-n:], b[len(b)-n:]
	i := n
	for ; i >= 8; i -= 8 {
		if x := binary.LittleEndian.Uint64(a[i-8:]) ^ binary.LittleEndian.Uint64(b[i-8:]); x != 0 {
			return n - i + bits.LeadingZeros64(x)/8
		}
	}
	for i > 0 && a[i-1] == b[i-1] {
		i--
	}
	return n - i
}
