package tsdbstore

import (
	"context"
	"fmt"
	"iter"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/promwire/promwire"
)

// Read implements [promwire.Reader]. A part holds at most 10,000 samples and histograms; series without any in the
// range are left out. A yielded series shares memory with the next one.
func (s *Store) Read(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	return func(yield func(promwire.TimeSeries, error) bool) {
		if err := s.read(ctx, q, yield); err != nil {
			yield(promwire.TimeSeries{}, err)
		}
	}
}

// read returns the error that is to be yielded; nil also if the loop was left.
func (s *Store) read(ctx context.Context, q promwire.Query, yield func(promwire.TimeSeries, error) bool) error {
	sel, err := newSelection(q)
	if err != nil {
		return err
	}
	db, err := s.use(ctx)
	if err != nil {
		return err
	}
	defer s.release()
	if sel.empty() {
		return nil
	}
	querier, err := db.Querier(sel.mint, sel.maxt)
	if err != nil {
		return fmt.Errorf("read %s: %w", s.dir, err)
	}
	defer querier.Close()
	set := querier.Select(ctx, true, sel.hints(), sel.matchers...)
	r := seriesReader{ctx: ctx, yield: yield}
	for set.Next() {
		if more, err := r.series(set.At()); err != nil || !more {
			return err
		}
	}
	if err := set.Err(); err != nil {
		return fmt.Errorf("read %s: %w", s.dir, err)
	}
	return ctx.Err()
}

// seriesReader yields stored series in parts and reuses its memory for all of them.
type seriesReader struct {
	ctx   context.Context
	yield func(promwire.TimeSeries, error) bool
	it    chunkenc.Iterator
	part  promwire.TimeSeries
	h     *histogram.Histogram
	fh    *histogram.FloatHistogram
}

// series yields one series; more is false if the loop was left.
func (r *seriesReader) series(s storage.Series) (more bool, err error) {
	r.part.Reset()
	r.part.Labels = appendLabels(r.part.Labels, s.Labels())
	r.it = s.Iterator(r.it)
	for vt := r.it.Next(); vt != chunkenc.ValNone; vt = r.it.Next() {
		r.take(vt)
		if len(r.part.Samples)+len(r.part.Histograms) < partSamples {
			continue
		}
		if more, err := r.flush(); err != nil || !more {
			return more, err
		}
	}
	if err := r.it.Err(); err != nil {
		return false, fmt.Errorf("read %s: %w", r.part.Labels, err)
	}
	if len(r.part.Samples)+len(r.part.Histograms) == 0 {
		return true, r.ctx.Err()
	}
	return r.flush()
}

// take adds the value at the iterator to the part.
func (r *seriesReader) take(vt chunkenc.ValueType) {
	switch vt {
	case chunkenc.ValFloat:
		t, v := r.it.At()
		r.part.Samples = append(r.part.Samples, promwire.Sample{Timestamp: t, StartTimestamp: r.it.AtST(), Value: v})
	case chunkenc.ValHistogram:
		var t int64
		t, r.h = r.it.AtHistogram(r.h)
		setInt(r.nextHistogram(), t, r.it.AtST(), r.h)
	case chunkenc.ValFloatHistogram:
		var t int64
		t, r.fh = r.it.AtFloatHistogram(r.fh)
		setFloat(r.nextHistogram(), t, r.it.AtST(), r.fh)
	}
}

// nextHistogram makes room in the part, in memory of an earlier part if there is some.
func (r *seriesReader) nextHistogram() *promwire.Histogram {
	hs := r.part.Histograms
	if len(hs) < cap(hs) {
		hs = hs[:len(hs)+1]
	} else {
		hs = append(hs, promwire.Histogram{})
	}
	r.part.Histograms = hs
	return &hs[len(hs)-1]
}

func (r *seriesReader) flush() (more bool, err error) {
	if err := r.ctx.Err(); err != nil {
		return false, err
	}
	more = r.yield(r.part, nil)
	r.part.Samples, r.part.Histograms = r.part.Samples[:0], r.part.Histograms[:0]
	return more, nil
}
