package server

import (
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"strconv"

	"github.com/promwire/promwire"
)

// samples answers with a ReadResponse.
func (h *readHandler) samples(ctx context.Context, w *responder, queries []promwire.Query, s *readState) error {
	results := s.sampleResults(len(queries))
	total := newResponseSize(h.config.limits.MaxResponseBytes)
	err := h.eachQuery(ctx, len(queries), s, func(ctx context.Context, i int, l *lane) error {
		return h.sampleQuery(ctx, &queries[i], l, &results[i], total)
	})
	if err == nil {
		err = writeSamples(w, results)
	}
	for i := range results {
		results[i].out.release()
	}
	return err
}

// eachQuery works on all queries, side by side where there are places. On failure some may not have been begun.
func (h *readHandler) eachQuery(ctx context.Context, n int, s *readState, work func(context.Context, int, *lane) error) error {
	lanes := h.lanes(n, s)
	defer h.leaveLanes(lanes)
	if len(lanes) > 1 {
		return newCrew(ctx, lanes, n, h.config.logger, always, work).wait()
	}
	for i := range n {
		if err := work(ctx, i, &lanes[0]); err != nil {
			return err
		}
	}
	return nil
}

// sampleQuery builds the result of one query.
func (h *readHandler) sampleQuery(ctx context.Context, q *promwire.Query, l *lane, r *sampleResult, total *responseSize) error {
	m := &l.message
	m.begin(r, total, &h.config)
	if !selectsNothing(q) {
		left := h.config.limits.MaxSamples
		for ts, err := range h.series(ctx, q) {
			if err != nil {
				return storageFailure(err)
			}
			l.stats.samples += len(ts.Samples) + len(ts.Histograms)
			if left -= len(ts.Samples) + len(ts.Histograms); left < 0 {
				return fmt.Errorf("%w: exceeded sample limit (%d)", errBadRequest, h.config.limits.MaxSamples)
			}
			if err := m.add(ts); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
	l.stats.series += m.order.count
	if err := m.end(); err != nil {
		return err
	}
	return ctx.Err()
}

// series reads what a query selects, in label order if the handler is to sort.
func (h *readHandler) series(ctx context.Context, q *promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	all := h.reader.Read(ctx, *q)
	if h.config.sort {
		return sortSeries(all, h.config.sortBytes)
	}
	return all
}

// writeSamples sends the results as one snappy block.
func writeSamples(w *responder, results []sampleResult) error {
	size, length := uint64(0), 0
	for i := range results {
		size += results[i].size
		length += results[i].out.size()
	}
	head := binary.AppendUvarint(make([]byte, 0, binary.MaxVarintLen32), size)
	header := w.Header()
	header.Set("Content-Type", promwire.ContentTypeProtobuf)
	header.Set("Content-Encoding", promwire.EncodingSnappy)
	header.Set("Content-Length", strconv.Itoa(len(head)+length))
	if _, err := w.Write(head); err != nil {
		return err
	}
	for i := range results {
		for _, part := range results[i].out.parts {
			if len(part) == 0 {
				continue
			}
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
	}
	return nil
}
