package server

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/xcompress"
)

const (
	// pieceBytes is how much of a message is collected before it is compressed: little enough to stay in the cache.
	pieceBytes = 128 << 10
	// maxRun bounds the samples, and the histograms, that are encoded before it is seen whether there is a piece.
	maxRun = 5_000
)

// sampleResult is a finished QueryResult: elements of a snappy block, those of its own tag and length included.
type sampleResult struct {
	out  rope
	size uint64 // decompressed
}

// responseSize counts what all results of an answer take before compression. It is shared by queries side by side.
type responseSize struct {
	built atomic.Uint64
	limit uint64
}

func newResponseSize(limit int) *responseSize {
	return &responseSize{limit: min(uint64(limit), math.MaxUint32)} // of which a snappy block can have no more
}

func (s *responseSize) add(n int) error {
	if s.built.Add(uint64(n)) > s.limit {
		return fmt.Errorf("%w: the answer exceeds %d bytes; ask for STREAMED_XOR_CHUNKS, fewer series or less time",
			errBadRequest, s.limit)
	}
	return nil
}

// sampleMessage builds the results of a ReadResponse, one after the other, straight from the parts of series that a
// storage yields. It holds the compressed results and two pieces of the message itself, however long a series is.
//
// The lengths of series and results are known at their end only. In a piece, room is left for that of a series, as much
// as the one before took, so that what follows seldom moves. A result, and a series that is longer than a piece, has a
// hole among the compressed elements, into which tag and length come as a literal.
type sampleMessage struct {
	result  *sampleResult
	total   *responseSize
	piece   []byte // not yet compressed: whole series, and the one that is open
	element []byte // a piece that is compressed
	order   order
	times   timeOrder
	open    bool   // a series is open
	spilled bool   // and has a hole, since it is longer than a piece
	series  nested // in piece, unless spilled
	head    int    // hole of the result
	hole    int    // hole of the series that is spilled
	before  uint64 // size of the result in front of its content
}

// begin begins a result. It keeps the memory of the one before.
func (m *sampleMessage) begin(r *sampleResult, total *responseSize, c *readConfig) {
	m.result, m.total, m.piece, m.open, m.spilled = r, total, m.piece[:0], false, false
	m.order.reset(c)
	if m.series.room == 0 {
		m.series.room = 2
	}
	r.size, m.head = 0, r.out.hole()
}

// end ends the result.
func (m *sampleMessage) end() error {
	if err := m.endSeries(); err != nil {
		return err
	}
	if err := m.compress(m.piece); err != nil {
		return err
	}
	m.piece = m.piece[:0]
	return m.fill(m.head, m.result.size)
}

// fill writes tag and length of a message with size bytes into a hole, as a literal. Results and series have field
// number 1, both.
func (m *sampleMessage) fill(hole int, size uint64) error {
	var b [maxHole]byte
	b[1] = 0x0a
	n := binary.PutUvarint(b[2:], size)
	b[0] = byte(n) << 2 // a literal's own tag holds the number of its bytes less one
	m.result.out.fill(hole, b[:2+n])
	m.result.size += uint64(1 + n)
	return m.total.add(1 + n)
}

// add appends a part of a series. Further parts of a series become fields of the same message.
func (m *sampleMessage) add(ts promwire.TimeSeries) error {
	if len(ts.Samples) == 0 && len(ts.Histograms) == 0 {
		return nil
	}
	same, err := m.order.next(ts.Labels)
	if err != nil {
		return err
	}
	if !same {
		m.times.reset()
	}
	if err := m.times.next(&ts); err != nil {
		return err
	}
	if same {
		ts.Labels = nil
		return m.encode(ts)
	}
	if err := m.endSeries(); err != nil {
		return err
	}
	m.piece = m.series.begin(m.piece, 0x0a)
	m.open = true
	return m.encode(ts)
}

// encode appends the fields of a part, a run after the other.
func (m *sampleMessage) encode(ts promwire.TimeSeries) error {
	for {
		run := ts
		run.Samples = ts.Samples[:min(len(ts.Samples), maxRun)]
		run.Histograms = ts.Histograms[:min(len(ts.Histograms), maxRun)]
		ts.Samples, ts.Histograms = ts.Samples[len(run.Samples):], ts.Histograms[len(run.Histograms):]
		m.piece = run.AppendProto(m.piece)
		if err := m.spill(); err != nil {
			return err
		}
		if len(ts.Samples) == 0 && len(ts.Histograms) == 0 {
			return nil
		}
		ts.Labels, ts.Exemplars = nil, nil
	}
}

// spill compresses what there is of the open series if that is a piece.
func (m *sampleMessage) spill() error {
	if m.spilled {
		return m.compressPiece()
	}
	content := m.series.at + m.series.room
	if len(m.piece)-content < pieceBytes {
		return nil
	}
	if err := m.compress(m.piece[:m.series.at-1]); err != nil {
		return err
	}
	m.spilled, m.hole, m.before = true, m.result.out.hole(), m.result.size
	err := m.compress(m.piece[content:])
	m.piece = m.piece[:0]
	return err
}

func (m *sampleMessage) endSeries() error {
	switch {
	case !m.open:
		return nil
	case m.spilled:
		m.open, m.spilled = false, false
		if err := m.compress(m.piece); err != nil {
			return err
		}
		m.piece = m.piece[:0]
		return m.fill(m.hole, m.result.size-m.before)
	default:
		m.open = false
		m.piece = m.series.end(m.piece, uint64(len(m.piece)-m.series.at-m.series.room))
		return m.compressPiece()
	}
}

// compressPiece compresses what there is if it is a piece.
func (m *sampleMessage) compressPiece() error {
	if len(m.piece) < pieceBytes {
		return nil
	}
	err := m.compress(m.piece)
	m.piece = m.piece[:0]
	return err
}

func (m *sampleMessage) compress(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	m.element = xcompress.AppendElements(m.element[:0], p)
	m.result.out.append(m.element)
	m.result.size += uint64(len(p))
	return m.total.add(len(p))
}

// release lets go of what is not the lane's.
func (m *sampleMessage) release() { m.result, m.total = nil, nil }

// memory returns how many bytes m holds.
func (m *sampleMessage) memory() int { return cap(m.piece) + cap(m.element) }
