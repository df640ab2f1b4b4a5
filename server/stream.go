package server

import (
	"context"
	"iter"
	"math"

	"github.com/promwire/promwire"
)

const (
	// flushBytes is how much of a stream is collected before it is written and flushed.
	flushBytes = 64 << 10
	// pipeBuffers is how many buffers of frames a query may be ahead of those before it. A buffer has flushBytes, and
	// the frame that it ended with.
	pipeBuffers = 2
)

// stream answers with frames of ChunkedReadResponse, in the order of the queries.
func (h *readHandler) stream(ctx context.Context, w *responder, queries []promwire.Query, s *readState) error {
	lanes := h.lanes(len(queries), s)
	defer h.leaveLanes(lanes)
	if len(lanes) > 1 {
		return h.streamSideBySide(ctx, w, queries, lanes)
	}
	l := &lanes[0]
	l.stream.send = func(frames []byte) ([]byte, error) { return frames[:0], w.writeFrames(frames) }
	for i := range queries {
		if err := h.streamQuery(ctx, i, &queries[i], l); err != nil {
			return err
		}
	}
	return l.stream.flush()
}

// streamSideBySide sends the frames of the first query that is not done, while those of others wait in pipes.
func (h *readHandler) streamSideBySide(ctx context.Context, w *responder, queries []promwire.Query, lanes []lane) error {
	p := newPipes(len(queries), len(lanes))
	c := newCrew(ctx, lanes, len(queries), h.config.logger, p.ready, func(ctx context.Context, i int, l *lane) error {
		l.stream.send = func(frames []byte) ([]byte, error) { return p.send(ctx, i, frames) }
		if err := h.streamQuery(ctx, i, &queries[i], l); err != nil {
			return err
		}
		if err := l.stream.flush(); err != nil {
			return err
		}
		close(p.frames[i])
		return nil
	})
	c.fail(p.drain(c.ctx, w))
	return c.wait()
}

// streamQuery sends the result of a query, but for what is left in the buffer.
func (h *readHandler) streamQuery(ctx context.Context, i int, q *promwire.Query, l *lane) error {
	if selectsNothing(q) {
		return nil
	}
	l.stream.begin(i, &h.config)
	for series, err := range h.chunkedSeries(ctx, q, &l.chunks) {
		if err != nil {
			return storageFailure(err)
		}
		l.stats.chunks += len(series.Chunks)
		if err := l.stream.add(series); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	l.stats.series += l.stream.order.count
	return ctx.Err()
}

// chunkedSeries reads what a query selects as chunks, those of the storage if it has them.
func (h *readHandler) chunkedSeries(ctx context.Context, q *promwire.Query, c *chunker) iter.Seq2[promwire.ChunkedSeries, error] {
	var all iter.Seq2[promwire.ChunkedSeries, error]
	if h.chunks != nil {
		all = c.plain(h.chunks.ReadChunks(ctx, *q))
	} else {
		all = c.encode(h.reader.Read(ctx, *q))
	}
	if h.config.sort {
		return sortChunks(all, h.config.sortBytes)
	}
	return all
}

// streamer cuts series into frames.
type streamer struct {
	send     func(frames []byte) (next []byte, err error) // takes the buffer, and returns one to go on with
	buf      []byte                                       // frames that are not yet sent
	maxFrame int
	order    order
	begun    int64                        // the start of the last chunk of the series, in milliseconds
	response promwire.ChunkedReadResponse // with one series
}

// begin begins a query and keeps the memory, and what is in the buffer.
func (st *streamer) begin(query int, c *readConfig) {
	st.maxFrame, st.response.QueryIndex = c.limits.MaxFrameBytes, int64(query)
	st.order.reset(c)
	if st.response.ChunkedSeries == nil {
		st.response.ChunkedSeries = make([]promwire.ChunkedSeries, 1)
	}
}

// release lets go of what is not the handler's.
func (st *streamer) release() {
	st.send, st.buf = nil, st.buf[:0]
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
func (st *streamer) flush() (err error) {
	st.buf, err = st.send(st.buf)
	return err
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
