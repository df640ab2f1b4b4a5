package tsdbstore

import (
	"context"
	"fmt"
	"iter"

	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"

	"github.com/promwire/promwire"
)

// ReadChunks implements [promwire.ChunkReader]: chunks as they are stored, which may reach beyond the range. Chunks
// of other encodings than [promwire.ChunkXOR], [promwire.ChunkHistogram] and [promwire.ChunkFloatHistogram] are encoded
// again as those. A part ends with the chunk that brings it to 10,000 samples.
func (s *Store) ReadChunks(ctx context.Context, q promwire.Query) iter.Seq2[promwire.ChunkedSeries, error] {
	return func(yield func(promwire.ChunkedSeries, error) bool) {
		sel, err := newSelection(q)
		if err == nil {
			r := chunkReader{ctx: ctx, yield: yield}
			err = s.each(ctx, sel, r.series)
		}
		if err != nil {
			yield(promwire.ChunkedSeries{}, err)
		}
	}
}

// chunkReader yields the chunks of stored series in parts and reuses its memory for all of them.
type chunkReader struct {
	ctx     context.Context
	yield   func(promwire.ChunkedSeries, error) bool
	it      chunks.Iterator
	part    promwire.ChunkedSeries
	samples int // in part
}

// series yields one series; more is false if the loop was left.
func (r *chunkReader) series(s storage.ChunkSeries) (more bool, err error) {
	r.part.Labels = appendLabels(r.part.Labels[:0], s.Labels())
	r.it = s.Iterator(r.it)
	for r.it.Next() {
		if err := r.take(r.it.At()); err != nil {
			return false, fmt.Errorf("read %s: %w", r.part.Labels, err)
		}
		if r.samples < partSamples {
			continue
		}
		if more, err := r.flush(); err != nil || !more {
			return more, err
		}
	}
	if err := r.it.Err(); err != nil {
		return false, fmt.Errorf("read %s: %w", r.part.Labels, err)
	}
	if len(r.part.Chunks) == 0 {
		return true, nil
	}
	return r.flush()
}

func (r *chunkReader) take(m chunks.Meta) error {
	r.samples += m.Chunk.NumSamples()
	switch m.Chunk.Encoding() {
	case chunkenc.EncXOR, chunkenc.EncHistogram, chunkenc.EncFloatHistogram:
		r.part.Chunks = append(r.part.Chunks, newChunk(m))
		return nil
	default:
		metas, err := recode(m.Chunk)
		for _, m := range metas {
			r.part.Chunks = append(r.part.Chunks, newChunk(m))
		}
		return err
	}
}

// newChunk gives m the form of the contract; the numbers of the encodings are the same.
func newChunk(m chunks.Meta) promwire.Chunk {
	return promwire.Chunk{
		MinTime: m.MinTime, MaxTime: m.MaxTime,
		Encoding: promwire.ChunkEncoding(m.Chunk.Encoding()), Data: m.Chunk.Bytes(),
	}
}

func (r *chunkReader) flush() (more bool, err error) {
	if err := r.ctx.Err(); err != nil {
		return false, err
	}
	more = r.yield(r.part, nil)
	r.part.Chunks, r.samples = r.part.Chunks[:0], 0
	return more, nil
}
