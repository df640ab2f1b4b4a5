package server_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/promwire/promwire/internal/pb"
)

const (
	maxPool    = 2048    // messages that are kept to be changed further
	maxMutated = 4 << 10 // bytes of such a message
	maxDepth   = 6       // of messages in messages that are changed
)

// mutator makes messages out of others. What it makes depends on its seed and its seeds only.
type mutator struct {
	rng   *rand.Rand
	pool  [][]byte
	seeds int    // the first ones of the pool stay
	made  []byte // the last message
}

func newMutator(rng *rand.Rand, seeds [][]byte) *mutator {
	return &mutator{rng: rng, pool: slices.Clone(seeds), seeds: len(seeds)}
}

func (m *mutator) chance(oneIn int) bool { return m.rng.IntN(oneIn) == 0 }

func (m *mutator) any() []byte { return m.pool[m.rng.IntN(len(m.pool))] }

// message returns a message that nobody has seen, or seldom one as it is.
func (m *mutator) message() []byte {
	m.made = slices.Clone(m.any())
	if m.chance(64) {
		return m.made
	}
	for range 1 + min(m.rng.IntN(4), m.rng.IntN(4)) {
		if m.chance(3) {
			m.made = m.bytes(m.made)
		} else {
			m.made = m.fields(m.made, 0)
		}
	}
	return m.made
}

// keep has the last message changed further, mostly if it was taken: what is malformed already only gets more so.
func (m *mutator) keep(taken bool) {
	if len(m.made) > maxMutated || !taken && !m.chance(64) || !m.chance(8) {
		return
	}
	if len(m.pool) < maxPool {
		m.pool = append(m.pool, m.made)
	} else {
		m.pool[m.seeds+m.rng.IntN(maxPool-m.seeds)] = m.made
	}
}

// bytes changes b without a look at what it means.
func (m *mutator) bytes(b []byte) []byte {
	if len(b) == 0 {
		return m.noise()
	}
	from := m.rng.IntN(len(b))
	to := min(len(b), from+1+m.rng.IntN(16))
	switch m.rng.IntN(8) {
	case 0:
		b[from] ^= 1 << m.rng.IntN(8)
	case 1:
		b[from] = byte(m.rng.Uint32())
	case 2:
		return slices.Insert(b, from, m.noise()...)
	case 3:
		return slices.Delete(b, from, to)
	case 4:
		return slices.Insert(b, from, slices.Clone(b[from:to])...)
	case 5:
		return b[:from]
	case 6:
		other := m.any()
		return append(b[:from], other[min(from, len(other)):]...)
	case 7:
		copy(b[from:], binary.AppendUvarint(nil, m.number()))
	}
	return b
}

func (m *mutator) noise() []byte {
	b := make([]byte, 1+m.rng.IntN(12))
	for i := range b {
		b[i] = byte(m.rng.Uint32())
	}
	return b
}

// number is one that breaks things, often.
func (m *mutator) number() uint64 {
	odd := []uint64{
		0, 1, 2, 127, 128, 255, math.MaxInt32, 1 << 31, math.MaxUint32, 1 << 32, 1<<53 + 1, math.MaxInt64, 1 << 63, math.MaxUint64,
		math.Float64bits(math.NaN()), math.Float64bits(math.Inf(-1)), 0x7ff0000000000002, // a stale marker
	}
	if m.chance(2) {
		return odd[m.rng.IntN(len(odd))]
	}
	return m.rng.Uint64() >> m.rng.IntN(64)
}

// piece is a field of a message, from its tag to its end.
type piece struct {
	tag        uint64
	body       string // of one that has a length
	start, end int
}

// pick returns two fields of a message, by chance; false if it is none.
func (m *mutator) pick(msg []byte) (f, other piece, ok bool) {
	s, n := pb.AsString(msg), 0
	for i := 0; i < len(s); {
		tag, body, next := pb.Field(s, i)
		if next >= 0 && tag&7 != pb.Bytes {
			next = pb.Skip(s, next, tag)
		}
		if next < 0 {
			return f, other, false
		}
		p := piece{tag, body, i, next}
		n++
		if m.chance(n) {
			f = p
		}
		if m.chance(n) {
			other = p
		}
		i = next
	}
	return f, other, n > 0
}

// fields changes one field of a message, or of a message in it; lengths around it are right again afterwards.
func (m *mutator) fields(msg []byte, depth int) []byte {
	f, other, ok := m.pick(msg)
	if !ok {
		return m.bytes(msg)
	}
	put := func(middle []byte) []byte { return slices.Concat(msg[:f.start], middle, msg[f.end:]) }
	whole := msg[f.start:f.end]
	if f.tag&7 == pb.Bytes && depth < maxDepth && len(f.body) > 0 && !m.chance(3) {
		return put(appendBytes(nil, f.tag, m.fields([]byte(f.body), depth+1)))
	}
	switch m.rng.IntN(6) {
	case 0:
		return put(nil)
	case 1:
		return put(slices.Repeat(whole, m.copies(len(whole))))
	case 2:
		return put(slices.Concat(msg[other.start:other.end], whole))
	case 3:
		another := m.any()
		return put(appendBytes(nil, f.tag&^7|pb.Bytes, another[:min(200, len(another))]))
	case 4: // another number or type of field
		return put(append(binary.AppendUvarint(nil, f.tag^1<<m.rng.IntN(7)), whole[1:]...))
	default:
		return put(m.value(f))
	}
}

// copies is a number of copies, seldom so many that limits are met.
func (m *mutator) copies(size int) int {
	if m.chance(50) {
		return 1 + min(1500, 16<<10/size)
	}
	return 2 + m.rng.IntN(3)
}

// value is f with another value.
func (m *mutator) value(f piece) []byte {
	dst := binary.AppendUvarint(nil, f.tag)
	switch f.tag & 7 {
	case pb.Varint:
		return binary.AppendUvarint(dst, m.number())
	case pb.Fixed64:
		return binary.LittleEndian.AppendUint64(dst, m.number())
	default:
		return appendBytes(nil, f.tag&^7|pb.Bytes, m.bytes([]byte(f.body)))
	}
}

func appendBytes(dst []byte, tag uint64, body []byte) []byte {
	return append(binary.AppendUvarint(binary.AppendUvarint(dst, tag), uint64(len(body))), body...)
}
