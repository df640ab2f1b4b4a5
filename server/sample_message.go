package server

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/xcompress"
)

// pieceBytes is how much of a message is collected before it is compressed: little enough to stay in the cache.
const pieceBytes = 128 << 10

// sampleMessage builds a ReadResponse as a snappy block, straight from the parts of series that a storage yields. It
// holds the compressed message and one piece of the message itself.
//
// The lengths of series, results and the whole are known at their end only. Room is left for them, as much as the one
// before took, so that what follows seldom moves. That of a result stands among compressed elements, as a literal.
type sampleMessage struct {
	piece  []byte // not yet compressed: whole series, and the one that is open
	out    []byte // room for the length of the whole, and compressed elements
	size   uint64 // of the message in out
	limit  uint64
	order  order
	times  timeOrder
	open   bool   // a series is open
	series nested // in piece
	result nested // in out
	before uint64 // size in front of the result
}

// maxHead is the largest length in front of a block.
const maxHead = binary.MaxVarintLen32

// reset begins a message and keeps the memory.
func (m *sampleMessage) reset(limit int, anyOrder bool) {
	m.order.any = anyOrder
	*m = sampleMessage{
		piece: m.piece[:0], out: append(m.out[:0], make([]byte, maxHead)...), order: m.order,
		limit:  min(uint64(limit), math.MaxUint32),
		series: nested{room: 2}, result: nested{room: 3},
	}
}

// block ends the message.
func (m *sampleMessage) block() []byte {
	head := binary.AppendUvarint(make([]byte, 0, maxHead), m.size)
	block := m.out[maxHead-len(head):]
	copy(block, head)
	return block
}

func (m *sampleMessage) beginResult() {
	m.order.reset()
	m.out = m.result.begin(append(m.out, 0), 0x0a)
	m.before = m.size
}

func (m *sampleMessage) endResult() {
	m.endSeries()
	m.compress()
	m.out = m.result.end(m.out, m.size-m.before)
	// Tag and length are a literal: its own tag holds the number of bytes less one.
	m.out[m.result.at-2] = byte(m.result.room) << 2
	m.size += 1 + uint64(m.result.room)
}

// add appends a part of a series. Further parts of a series become fields of the same message.
func (m *sampleMessage) add(ts promwire.TimeSeries) error {
	if len(ts.Samples) == 0 && len(ts.Histograms) == 0 {
		return nil
	}
	same, err := m.order.next(ts.Labels)
	switch {
	case err != nil:
		return err
	case !same:
		m.times.reset()
		m.endSeries()
		m.piece = m.series.begin(m.piece, 0x0a)
		m.open = true
	}
	if err := m.times.next(&ts); err != nil {
		return err
	}
	if same {
		ts.Labels = nil
	}
	m.piece = ts.AppendProto(m.piece)
	if m.size+uint64(len(m.piece)) > m.limit {
		return fmt.Errorf("%w: the answer exceeds %d bytes; ask for STREAMED_XOR_CHUNKS, fewer series or less time",
			errBadRequest, m.limit)
	}
	return nil
}

func (m *sampleMessage) endSeries() {
	if !m.open {
		return
	}
	m.open = false
	m.piece = m.series.end(m.piece, uint64(len(m.piece)-m.series.at-m.series.room))
	if len(m.piece) >= pieceBytes {
		m.compress()
	}
}

func (m *sampleMessage) compress() {
	if len(m.piece) == 0 {
		return
	}
	if need := xcompress.MaxSnappyLen(len(m.piece)); cap(m.out)-len(m.out) < need {
		m.out = slices.Grow(m.out, max(need, len(m.out)))
	}
	m.out = xcompress.AppendElements(m.out, m.piece)
	m.size += uint64(len(m.piece))
	m.piece = m.piece[:0]
}

// memory returns how many bytes m holds.
func (m *sampleMessage) memory() int { return cap(m.piece) + cap(m.out) }
