package tsdbstore

import (
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
)

// recode encodes the samples of a chunk again, as encodings that know no start timestamps.
func recode(c chunkenc.Chunk) ([]chunks.Meta, error) {
	series := &storage.SeriesEntry{SampleIteratorFn: func(chunkenc.Iterator) chunkenc.Iterator {
		return withoutStart{c.Iterator(nil)}
	}}
	it := storage.NewSeriesToChunkEncoder(series).Iterator(nil)
	var out []chunks.Meta
	for it.Next() {
		out = append(out, it.At())
	}
	return out, it.Err()
}

// withoutStart is an iterator that hides the start timestamps.
type withoutStart struct{ chunkenc.Iterator }

// AtST implements chunkenc.Iterator.
func (withoutStart) AtST() int64 { return 0 }
