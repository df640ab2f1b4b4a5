package chunk

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"github.com/promwire/promwire"
)

// xorHeader is the size of the sample count.
const xorHeader = 2

// appendXOR decodes an XOR chunk.
//
// The reader's state lives in local variables, since that is what makes it fast. One round of the loop decodes one
// sample, or a run of samples that keep interval and value, which are two zero bits each.
func appendXOR(dst []promwire.Sample, data []byte, lo, hi int64) ([]promwire.Sample, error) {
	if len(data) < xorHeader {
		return dst, malformed(promwire.ChunkXOR, 0, 0, errHeader)
	}
	count := int(binary.BigEndian.Uint16(data))
	if count == 0 {
		return dst, nil
	}
	t, value, pos, err := firstXOR(data)
	if err != nil {
		return dst, malformed(promwire.ChunkXOR, 0, pos, err)
	}
	if t > hi {
		return dst, nil
	}
	if t >= lo {
		dst = append(dst, promwire.Sample{Timestamp: t, Value: math.Float64frombits(value)})
	}
	if count == 1 {
		return dst, nil
	}
	interval, n := binary.Uvarint(data[pos:])
	if n <= 0 {
		return dst, malformed(promwire.ChunkXOR, 1, pos, varintError(n))
	}
	pos += n

	out, j := dst[:cap(dst)], len(dst)
	// The second sample has no interval code. A zero bit in front of its value makes it like the others.
	var buf uint64
	free := 1
	width, trailing := 64, uint(0)
	for i := 1; i < count; i++ {
		if free < 40 {
			buf, free, pos = refill(data, buf, free, pos)
		}
		if int64(buf) >= 0 {
			buf <<= 1
			free--
		} else {
			var dod int64
			dod, buf, free, pos = intervalChange(data, buf, free, pos)
			interval += uint64(dod)
		}
		t += int64(interval)
		if int64(buf) >= 0 {
			buf <<= 1
			free--
		} else {
			if buf&(1<<62) == 0 {
				buf <<= 2
				free -= 2
			} else {
				width = int((buf>>51)-1)&63 + 1
				trailing = uint(64 - int(buf>>57&31) - width)
				buf <<= 13
				free -= 13
			}
			if free < width {
				buf, free, pos = refill(data, buf, free, pos)
			}
			if width > 56 {
				value ^= buf >> 32 << uint(width-32) << trailing
				buf, free, pos = refill(data, buf<<32, free-32, pos)
				value ^= buf >> uint(96-width) << trailing
				buf <<= uint(width - 32)
				free -= width - 32
			} else {
				value ^= buf >> uint((64-width)&63) << trailing
				buf <<= uint(width & 63)
				free -= width
			}
		}
		if free < 0 {
			return out[:j], malformed(promwire.ChunkXOR, i, pos, errShort)
		}
		if t > hi {
			return out[:j], nil
		}
		if t < lo {
			continue
		}
		if j == len(out) {
			out = grow(out, count-i)
		}
		out[j] = promwire.Sample{Timestamp: t, Value: math.Float64frombits(value)}
		j++
	}
	return out[:j], nil
}

// firstXOR reads the first sample.
func firstXOR(data []byte) (t int64, value uint64, pos int, err error) {
	t, n := binary.Varint(data[xorHeader:])
	if n <= 0 {
		return 0, 0, xorHeader, varintError(n)
	}
	pos = xorHeader + n
	if len(data)-pos < 8 {
		return 0, 0, pos, errShort
	}
	return t, binary.BigEndian.Uint64(data[pos:]), pos + 8, nil
}

func varintError(n int) error {
	if n == 0 {
		return errShort
	}
	return errVarint
}

// intervalChange reads a delta of deltas other than zero: up to four ones, and 14, 17, 20 or 64 bits.
func intervalChange(data []byte, buf uint64, free, pos int) (int64, uint64, int, int) {
	ones := bits.LeadingZeros64(^buf)
	if ones < 4 {
		width := 11 + 3*ones
		buf <<= uint(ones+1) & 63
		dod := lopsided(buf>>uint((64-width)&63), width)
		return dod, buf << uint(width&63), free - ones - 1 - width, pos
	}
	buf, free, pos = refill(data, buf<<4, free-4, pos)
	dod := buf >> 32 << 32
	buf, free, pos = refill(data, buf<<32, free-32, pos)
	dod |= buf >> 32
	buf, free, pos = refill(data, buf<<32, free-32, pos)
	return int64(dod), buf, free, pos
}

// grow returns s, which is full, with room for more. It does not trust the announced number of samples further than
// to the next hundred: memory follows what is really decoded.
func grow(s []promwire.Sample, announced int) []promwire.Sample {
	s = slices.Grow(s, min(announced, 128))
	return s[:cap(s)]
}
