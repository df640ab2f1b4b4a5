package server

import (
	"context"
	"fmt"
	"strconv"

	"github.com/promwire/promwire"
)

// samples answers with a ReadResponse.
func (h *readHandler) samples(ctx context.Context, w *responder, queries []promwire.Query, s *readState) error {
	s.message.reset(h.config.limits.MaxResponseBytes, h.config.anyOrder)
	for i := range queries {
		if err := h.sampleQuery(ctx, &queries[i], &s.message); err != nil {
			return err
		}
	}
	block := s.message.block()
	header := w.Header()
	header.Set("Content-Type", promwire.ContentTypeProtobuf)
	header.Set("Content-Encoding", promwire.EncodingSnappy)
	header.Set("Content-Length", strconv.Itoa(len(block)))
	_, err := w.Write(block)
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
