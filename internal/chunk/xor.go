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
func appendXOR(dst []promwire.Sample, data []byte, lo, hi int64) ([]promwire.Sample, error) {
	if len(data) < xorHeader {
		return dst, malformed(promwire.ChunkXOR, 0, 0, errHeader)
	}
	s := xor{count: int(binary.BigEndian.Uint16(data)), pos: xorHeader}
	if s.count == 0 {
		return dst, nil
	}
	if err := s.first(data); err != nil {
		return dst, malformed(promwire.ChunkXOR, 0, s.pos, err)
	}
	if s.t > hi {
		return dst, nil
	}
	if s.t >= lo {
		dst = append(dst, promwire.Sample{Timestamp: s.t, Value: math.Float64frombits(s.value)})
	}
	if s.count == 1 {
		return dst, nil
	}
	n := 0
	if s.interval, n = binary.Uvarint(data[s.pos:]); n <= 0 {
		return dst, malformed(promwire.ChunkXOR, 1, s.pos, varintError(n))
	}
	s.pos += n
	return s.appendRest(dst, data, lo, hi)
}

// xor is an XOR chunk up to the point where its bits begin.
type xor struct {
	count    int
	pos      int
	t        int64
	value    uint64
	interval uint64
}

// first reads the first sample.
func (s *xor) first(data []byte) error {
	t, n := binary.Varint(data[s.pos:])
	if n <= 0 {
		return varintError(n)
	}
	s.pos += n
	if len(data)-s.pos < 8 {
		return errShort
	}
	s.t, s.value = t, binary.BigEndian.Uint64(data[s.pos:])
	s.pos += 8
	return nil
}

func varintError(n int) error {
	if n == 0 {
		return errShort
	}
	return errVarint
}

// appendRest decodes all samples but the first. Everything lives in local variables, those of the bit reader too,
// since that is what makes it fast.
func (s *xor) appendRest(dst []promwire.Sample, data []byte, lo, hi int64) ([]promwire.Sample, error) {
	out, j := dst[:cap(dst)], len(dst)
	count, pos, t, value, interval := s.count, s.pos, s.t, s.value, s.interval
	// The second sample has no code for the change of the interval: a zero bit in front makes it like the others.
	buf, free := uint64(0), 1
	width, trailing := 64, uint(0)
	for i := 1; i < count; i++ {
		if free < 40 {
			buf, free, pos = refill(data, buf, free, pos)
		}
		if int64(buf) >= 0 {
			buf <<= 1
			free--
		} else {
			var change int64
			change, buf, free, pos = intervalChange(data, buf, free, pos)
			interval += uint64(change)
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
				width = int(buf>>51-1)&63 + 1
				trailing = uint(64 - int(buf>>57&31) - width) // out of malformed data may be huge, and shift all out
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
			break
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

// grow returns s, which is full, with room for more. Memory follows what is really decoded, not what the header
// announces.
func grow(s []promwire.Sample, announced int) []promwire.Sample {
	s = slices.Grow(s, min(announced, 128))
	return s[:cap(s)]
}
