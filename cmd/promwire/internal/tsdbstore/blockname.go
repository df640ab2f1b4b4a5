package tsdbstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// namedBlockQuerier makes a querier of a block whose errors name the block: they are of what is damaged in it. The head is
// no such block: of its chunks the TSDB takes copies, by methods of its reader that namedChunks has not.
func namedBlockQuerier(b tsdb.BlockReader, mint, maxt int64) (storage.Querier, error) {
	if _, ok := b.(*tsdb.Block); !ok {
		return tsdb.NewBlockQuerier(b, mint, maxt)
	}
	q, err := tsdb.NewBlockQuerier(namedBlock{b}, mint, maxt)
	if err != nil {
		return nil, nameBlock(b, err)
	}
	return namedQuerier{namedLabels{q, b}, q}, nil
}

func namedBlockChunkQuerier(b tsdb.BlockReader, mint, maxt int64) (storage.ChunkQuerier, error) {
	if _, ok := b.(*tsdb.Block); !ok {
		return tsdb.NewBlockChunkQuerier(b, mint, maxt)
	}
	q, err := tsdb.NewBlockChunkQuerier(namedBlock{b}, mint, maxt)
	if err != nil {
		return nil, nameBlock(b, err)
	}
	return namedChunkQuerier{namedLabels{q, b}, q}, nil
}

// nameBlock puts the name of the block in front of an error that does not tell it.
func nameBlock(b tsdb.BlockReader, err error) error {
	name := b.Meta().ULID.String()
	if err == nil || strings.Contains(err.Error(), name) {
		return err
	}
	return fmt.Errorf("block %s: %w", name, err)
}

// namedBlock is a block that names itself in errors of reading its chunks, which come by iterators of samples.
type namedBlock struct{ tsdb.BlockReader }

func (b namedBlock) Chunks() (tsdb.ChunkReader, error) {
	r, err := b.BlockReader.Chunks()
	return namedChunks{r, b.BlockReader}, nameBlock(b.BlockReader, err)
}

type namedChunks struct {
	tsdb.ChunkReader
	block tsdb.BlockReader
}

func (c namedChunks) ChunkOrIterable(m chunks.Meta) (chunkenc.Chunk, chunkenc.Iterable, error) {
	chunk, iterable, err := c.ChunkReader.ChunkOrIterable(m)
	return chunk, iterable, nameBlock(c.block, err)
}

// namedLabels is what both kinds of queriers have.
type namedLabels struct {
	storage.LabelQuerier
	block tsdb.BlockReader
}

func (q namedLabels) LabelValues(ctx context.Context, name string, hints *storage.LabelHints, ms ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	values, notes, err := q.LabelQuerier.LabelValues(ctx, name, hints, ms...)
	return values, notes, nameBlock(q.block, err)
}

func (q namedLabels) LabelNames(ctx context.Context, hints *storage.LabelHints, ms ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	names, notes, err := q.LabelQuerier.LabelNames(ctx, hints, ms...)
	return names, notes, nameBlock(q.block, err)
}

type namedQuerier struct {
	namedLabels
	querier storage.Querier
}

func (q namedQuerier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, ms ...*labels.Matcher) storage.SeriesSet {
	return namedSet{q.querier.Select(ctx, sorted, hints, ms...), q.block}
}

type namedSet struct {
	storage.SeriesSet
	block tsdb.BlockReader
}

func (s namedSet) Err() error { return nameBlock(s.block, s.SeriesSet.Err()) }

type namedChunkQuerier struct {
	namedLabels
	querier storage.ChunkQuerier
}

func (q namedChunkQuerier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, ms ...*labels.Matcher) storage.ChunkSeriesSet {
	return namedChunkSet{q.querier.Select(ctx, sorted, hints, ms...), q.block}
}

type namedChunkSet struct {
	storage.ChunkSeriesSet
	block tsdb.BlockReader
}

func (s namedChunkSet) Err() error { return nameBlock(s.block, s.ChunkSeriesSet.Err()) }
