package server

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/xcompress"
)

// maxBlock is the largest message that fits a snappy block with room for incompressible data, on any platform.
const maxBlock = int(min(uint64(math.MaxInt), math.MaxUint32)) / 8 * 7

// samples answers with a ReadResponse.
func (h *readHandler) samples(ctx context.Context, w *responder, queries []promwire.Query, s *readState) error {
	s.message.reset(min(h.config.limits.MaxResponseBytes, maxBlock))
	for i := range queries {
		if err := h.sampleQuery(ctx, &queries[i], &s.message); err != nil {
			return err
		}
	}
	s.encoded = xcompress.AppendSnappy(s.encoded[:0], s.message.buf)
	header := w.Header()
	header.Set("Content-Type", promwire.ContentTypeProtobuf)
	header.Set("Content-Encoding", promwire.EncodingSnappy)
	header.Set("Content-Length", strconv.Itoa(len(s.encoded)))
	_, err := w.Write(s.encoded)
	return err
}

// sampleQuery appends the result of one query to m.
func (h *readHandler) sampleQuery(ctx context.Context, q *promwire.Query, m *sampleMessage) error {
	m.beginResult()
	if !selectsNothing(q) {
		left := h.config.limits.MaxSamples
		for ts, err := range h.reader.Read(ctx, *q) {
			if err != nil {
				return &storageError{err}
			}
			if left -= len(ts.Samples) + len(ts.Histograms); left < 0 {
				return fmt.Errorf("%w: exceeded sample limit (%d)", errBadRequest, h.config.limits.MaxSamples)
			}
			if err := m.add(ts); err != nil {
				return err
			}
		}
	}
	m.endResult()
	return ctx.Err()
}

// sampleMessage builds a ReadResponse straight from the parts of series that a storage yields: no series is held.
//
// The lengths of series and results are known at their end only. Room is left for them, as much as the one before
// took, so that what follows seldom moves.
type sampleMessage struct {
	buf    []byte
	limit  int
	order  order
	result nested
	series nested
	open   bool // a series is open
}

// reset begins a message and keeps the memory.
func (m *sampleMessage) reset(limit int) {
	*m = sampleMessage{buf: m.buf[:0], limit: limit, order: m.order, result: nested{room: 4}, series: nested{room: 2}}
}

func (m *sampleMessage) beginResult() {
	m.order.reset()
	m.open = false
	m.buf = m.result.begin(m.buf, 0x0a)
}

// add appends a part of a series. Further parts of a series become fields of the same message.
func (m *sampleMessage) add(ts promwire.TimeSeries) error {
	if len(ts.Samples) == 0 && len(ts.Histograms) == 0 {
		return nil
	}
	switch m.order.next(ts.Labels) {
	case 0:
		ts.Labels = nil
	case 1:
		m.endSeries()
		m.buf = m.series.begin(m.buf, 0x0a)
		m.open = true
	default:
		return errOrder(ts.Labels)
	}
	m.buf = ts.AppendProto(m.buf)
	if len(m.buf) > m.limit {
		return fmt.Errorf("%w: the answer exceeds %d bytes; ask for STREAMED_XOR_CHUNKS, fewer series or less time",
			errBadRequest, m.limit)
	}
	return nil
}

func (m *sampleMessage) endSeries() {
	if m.open {
		m.buf = m.series.end(m.buf)
		m.open = false
	}
}

func (m *sampleMessage) endResult() {
	m.endSeries()
	m.buf = m.result.end(m.buf)
}

func errOrder(ls promwire.Labels) error {
	return &storageError{fmt.Errorf("the storage yields series out of label order: %.300s came too late", ls)}
}
