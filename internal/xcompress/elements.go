package xcompress

import "encoding/binary"

const (
	// MaxDistance is how far back a copy of [PutCopy] reaches, in bytes.
	MaxDistance = 1<<16 - 1
	// MaxLiteralTag is the size of tag and length in front of a literal, at most.
	MaxLiteralTag = 5

	maxCopy      = 64
	maxNearCopy  = 11
	nearDistance = 1<<11 - 1
)

// PutLiteral writes src to b at i as a literal element and returns the index behind it; nothing if src is empty. It
// takes up to [MaxLiteralTag] bytes more than src, which must be smaller than 4 GiB.
func PutLiteral(b []byte, i int, src []byte) int {
	switch n := len(src) - 1; {
	case n < 0:
		return i
	case n < 60:
		b[i] = byte(n) << 2
		i++
	case n < 1<<8:
		b[i], b[i+1] = 60<<2, byte(n)
		i += 2
	case n < 1<<16:
		b[i], b[i+1], b[i+2] = 61<<2, byte(n), byte(n>>8)
		i += 3
	default:
		b[i] = 63 << 2
		binary.LittleEndian.PutUint32(b[i+1:], uint32(n))
		i += 5
	}
	return i + copy(b[i:], src)
}

// PutCopy writes copies of n bytes in all, from distance bytes before where they stand, and returns the index behind
// them. distance must be 1 to [MaxDistance]. They take at most [MaxCopies](n) bytes.
func PutCopy(b []byte, i, distance, n int) int {
	rest := n % maxCopy
	if rest < 4 || rest > maxNearCopy || distance > nearDistance {
		return PutFarCopy(b, i, distance, n)
	}
	i = PutFarCopy(b, i, distance, n-rest)
	b[i], b[i+1] = byte(distance>>8)<<5|byte(rest-4)<<2|1, byte(distance)
	return i + 2
}

// PutFarCopy does what PutCopy does with elements that [EachCopy] can change, of three bytes each.
func PutFarCopy(b []byte, i, distance, n int) int {
	for n > 0 {
		part, d := min(n, maxCopy), b[i:i+3]
		d[0], d[1], d[2] = byte(part-1)<<2|2, byte(distance), byte(distance>>8)
		i += 3
		n -= part
	}
	return i
}

// MaxCopies returns the most bytes that PutCopy writes for n bytes.
func MaxCopies(n int) int { return 3 * ((n + maxCopy - 1) / maxCopy) }

// EachCopy replaces the distance of each copy among elements that [PutLiteral] and [PutFarCopy] wrote. It calls
// change with the offset of the copy in what the elements decode to, and its distance.
func EachCopy(elements []byte, change func(offset, distance int) int) {
	offset := 0
	for i := 0; i < len(elements); {
		if elements[i]&3 != 0 {
			binary.LittleEndian.PutUint16(elements[i+1:], uint16(change(offset, int(binary.LittleEndian.Uint16(elements[i+1:])))))
			offset += int(elements[i]>>2) + 1
			i += 3
			continue
		}
		n, header := literalLen(elements[i:])
		offset += n
		i += header + n
	}
}

// literalLen returns the length of a literal and of what is in front of it.
func literalLen(b []byte) (n, header int) {
	switch n := int(b[0] >> 2); n {
	case 60:
		return int(b[1]) + 1, 2
	case 61:
		return int(binary.LittleEndian.Uint16(b[1:])) + 1, 3
	case 63:
		return int(binary.LittleEndian.Uint32(b[1:])) + 1, 5
	default:
		return n + 1, 1
	}
}
