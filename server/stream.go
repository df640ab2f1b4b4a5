package server

import (
	"context"
	"iter"
	"math"
	"net/http"

	"github.com/promwire/promwire"
)

// flushBytes is how much of a stream is collected before it is written and flushed.
const flushBytes = 64 << 10

// stream answers with frames of ChunkedReadResponse.
func (h *readHandler) stream(ctx context.Context, w *responder, queries []promwire.Query, s *readState) error {
	st := &s.stream
	st.reset(w, &h.config)
	for i := range queries {
		if selectsNothing(&queries[i]) {
			continue
		}
		st.order.reset()
		st.response.QueryIndex = int64(i)
		for series, err := range h.chunkedSeries(ctx, queries[i], &s.chunks) {
			if err != nil {
				return &storageError{err}
			}
			if err := st.add(series); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return st.flush()
}

// chunkedSeries reads what a query selects as chunks, those of the storage if it has them.
func (h *readHandler) chunkedSeries(ctx context.Context, q promwire.Query, c *chunker) iter.Seq2[promwire.ChunkedSeries, error] {
	if h.chunks != nil {
		return c.plain(h.chunks.ReadChunks(ctx, q))
	}
	return c.encode(h.reader.Read(ctx, q))
}

// streamer cuts series into frames.
type streamer struct {
	w        *responder
	buf      []byte // frames that are not yet written
	maxFrame int
	order    order
	begun    int64                        // the start of the last chunk of the series, in milliseconds
	response promwire.ChunkedReadResponse // with one series
}

// reset begins a stream and keeps the memory.
func (st *streamer) reset(w *responder, c *readConfig) {
	st.w, st.maxFrame, st.order.any, st.buf = w, c.limits.MaxFrameBytes, c.anyOrder, st.buf[:0]
	if st.response.ChunkedSeries == nil {
		st.response.ChunkedSeries = make([]promwire.ChunkedSeries, 1)
	}
}

// release lets go of what is not the handler's.
func (st *streamer) release() {
	st.w = nil
	clear(st.response.ChunkedSeries)
}

// add appends a part of a series, as one frame or several.
func (st *streamer) add(series promwire.ChunkedSeries) error {
	if len(series.Chunks) == 0 {
		return nil
	}
	same, err := st.order.next(series.Labels)
	if err != nil {
		return err
	}
	if !same {
		st.begun = math.MinInt64
	}
	for i := range series.Chunks {
		if t := series.Chunks[i].MinTime; t < st.begun {
			return lateSample(series.Labels, t, st.begun)
		}
		st.begun = series.Chunks[i].MinTime
	}
	labels := labelBytes(series.Labels)
	for chunks := series.Chunks; len(chunks) > 0; {
		n, size := 1, labels+chunkBytes(&chunks[0])
		for n < len(chunks) && size+chunkBytes(&chunks[n]) <= st.maxFrame {
			size += chunkBytes(&chunks[n])
			n++
		}
		st.response.ChunkedSeries[0] = promwire.ChunkedSeries{Labels: series.Labels, Chunks: chunks[:n]}
		st.buf = promwire.AppendFrame(st.buf, &st.response)
		chunks = chunks[n:]
		if len(st.buf) >= flushBytes {
			if err := st.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush sends the frames collected so far.
func (st *streamer) flush() error {
	// The value has a blank, and readers compare it byte for byte.
	st.w.Header().Set("Content-Type", promwire.ContentTypeStream)
	if _, err := st.w.Write(st.buf); err != nil {
		return err
	}
	st.buf = st.buf[:0]
	// Where nothing can be flushed, the answer is as right, only later.
	_ = http.NewResponseController(st.w.w).Flush()
	return nil
}

// The bounds of what tags, lengths and numbers of a message take: those of a label, of a chunk, and of the rest.
const (
	labelOverhead = 3 * (1 + 5)
	chunkOverhead = 2*(1+5) + 2*(1+10) + 2
	frameOverhead = (1 + 5) + (1 + 10)
)

// labelBytes returns what a frame has without chunks, at most.
func labelBytes(ls promwire.Labels) int {
	size := frameOverhead
	for i := range ls {
		size += labelOverhead + len(ls[i].Name) + len(ls[i].Value)
	}
	return size
}

// chunkBytes returns what a chunk adds to a frame, at most.
func chunkBytes(c *promwire.Chunk) int { return chunkOverhead + len(c.Data) }
