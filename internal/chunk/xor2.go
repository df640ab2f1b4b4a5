package chunk

import (
	"encoding/binary"
	"math/bits"

	"github.com/promwire/promwire"
)

// xor2Header is the size of the sample count and the start-time byte.
const xor2Header = 3

// xor2 is the state of an XOR2 chunk, which codes interval and value under one prefix.
type xor2 struct {
	time  delta2
	value xorFloat // of the last sample that is no stale marker
	stale bool
}

// appendXOR2 decodes an XOR2 chunk.
func (d *Decoder) appendXOR2(dst []promwire.Sample, data []byte, lo, hi int64) ([]promwire.Sample, error) {
	if len(data) < xor2Header {
		return dst, malformed(promwire.ChunkXOR2, 0, 0, errHeader)
	}
	count := int(binary.BigEndian.Uint16(data))
	start := newStartTimes(data[2])
	r := &d.r
	*r = bitReader{data: data, pos: xor2Header}
	s := xor2{value: newXORFloat(0)}
	for i := range count {
		before := s.time.value
		err := s.next(r, i)
		if err == nil && start.due(i) {
			err = start.next(r, i, s.time.value, before)
		}
		if r.failed() {
			err = errShort
		}
		if err != nil {
			return dst, malformed(promwire.ChunkXOR2, i, r.pos, err)
		}
		if s.time.value > hi {
			break
		}
		if s.time.value >= lo {
			dst = append(dst, s.sample(start.value))
		}
	}
	return dst, nil
}

func (s *xor2) sample(start int64) promwire.Sample {
	v := s.value.float()
	if s.stale {
		v = promwire.StaleNaN()
	}
	return promwire.Sample{Timestamp: s.time.value, StartTimestamp: start, Value: v}
}

// next reads sample i.
func (s *xor2) next(r *bitReader, i int) (err error) {
	s.stale = false
	switch i {
	case 0:
		if s.time.value, err = r.varint(false); err != nil {
			return err
		}
		// A stale marker in front is no base for the next value; that is zero then.
		if v := r.take(64); v == promwire.StaleNaNBits {
			s.stale = true
		} else {
			s.value.bits = v
		}
	case 1:
		interval, err := r.uvarint(false)
		if err != nil {
			return err
		}
		s.time.add(int64(interval))
		s.nextValue(r)
	default:
		s.nextJoint(r)
	}
	return nil
}

// nextJoint reads a sample with a prefix of up to five bits, which says how interval and value changed.
func (s *xor2) nextJoint(r *bitReader) {
	if r.free < 32 {
		r.refill()
	}
	ones := bits.LeadingZeros64(^r.buf)
	switch ones {
	case 0:
		r.skip(1)
		s.time.add(0)
	case 1:
		isNew := r.buf&(1<<61) != 0
		r.skip(3)
		s.time.add(0)
		s.value.changed(r, isNew)
	case 2:
		r.skip(3)
		s.nextInterval(r, 13)
	case 3:
		r.skip(4)
		s.nextInterval(r, 20)
	case 4:
		r.skip(5)
		s.nextInterval(r, 64)
	default:
		r.skip(5)
		s.time.add(0)
		s.stale = true
	}
}

// nextInterval reads a change of the interval, in two's complement, and a value.
func (s *xor2) nextInterval(r *bitReader, width int) {
	s.time.add(int64(r.take(width)<<uint(64-width)) >> uint(64-width))
	s.nextValue(r)
}

// nextValue reads a value that stands on its own: 0 for the same, 10 for the window known, 110 for a new window, 111
// for a stale marker.
func (s *xor2) nextValue(r *bitReader) {
	switch {
	case r.take(1) == 0:
	case r.take(1) == 0:
		s.value.changed(r, false)
	case r.take(1) == 0:
		s.value.changed(r, true)
	default:
		s.stale = true
	}
}
