package tsdbstore

import (
	"context"
	"fmt"
	"iter"

	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunks"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/chunk"
)

// Read implements [promwire.Reader]. A part holds at most 10,000 samples and histograms; series without any in the
// range are left out. A yielded series shares memory with the next one.
func (s *Store) Read(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	return func(yield func(promwire.TimeSeries, error) bool) {
		sel, err := newSelection(q)
		if err == nil {
			r := seriesReader{ctx: ctx, yield: yield, mint: sel.mint, maxt: sel.maxt}
			err = s.each(ctx, sel, r.series)
		}
		if err != nil {
			yield(promwire.TimeSeries{}, err)
		}
	}
}

// seriesReader yields stored series in parts and reuses its memory for all of them. It decodes chunks itself, which is
// faster than the iterators of the TSDB.
type seriesReader struct {
	ctx        context.Context
	yield      func(promwire.TimeSeries, error) bool
	mint, maxt int64
	it         chunks.Iterator
	decoder    chunk.Decoder
	part       promwire.TimeSeries
}

// series yields one series; more is false if the loop was left.
func (r *seriesReader) series(s storage.ChunkSeries) (more bool, err error) {
	r.part.Reset()
	r.part.Labels = appendLabels(r.part.Labels, s.Labels())
	r.it = s.Iterator(r.it)
	for r.it.Next() {
		m := r.it.At()
		if r.held() > 0 && r.held()+m.Chunk.NumSamples() > partSamples {
			if more, err := r.flush(); err != nil || !more {
				return more, err
			}
		}
		if err := r.decoder.Append(&r.part, newChunk(m), r.mint, r.maxt); err != nil {
			return false, fmt.Errorf("read %s: %w", r.part.Labels, err)
		}
	}
	if err := r.it.Err(); err != nil {
		return false, fmt.Errorf("read %s: %w", r.part.Labels, err)
	}
	if r.held() == 0 {
		return true, nil
	}
	return r.flush()
}

func (r *seriesReader) held() int { return len(r.part.Samples) + len(r.part.Histograms) }

func (r *seriesReader) flush() (more bool, err error) {
	if err := r.ctx.Err(); err != nil {
		return false, err
	}
	more = r.yield(r.part, nil)
	r.part.Samples, r.part.Histograms = r.part.Samples[:0], r.part.Histograms[:0]
	return more, nil
}
