package tsdbstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/index"
)

// checkBlocks demands that all blocks in dir are there and whole, as far as that can be told without reading them: the
// TSDB passes over a block without a meta.json that can be read, and does not miss files of chunks.
func checkBlocks(dir string, db *tsdb.DB, log *slog.Logger) error {
	loaded := map[string]*tsdb.Block{}
	for _, b := range db.Blocks() {
		loaded[b.Dir()] = b
	}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if _, noBlock := ulid.ParseStrict(e.Name()); noBlock != nil || !e.IsDir() {
			continue
		}
		path := filepath.Join(dir, e.Name())
		var fault error
		if b := loaded[path]; b == nil {
			fault = metaFault(path)
		} else {
			fault = blockFault(b, log)
		}
		if fault != nil {
			err = errors.Join(err, fmt.Errorf("damaged block %s: %w: restore it, or move it away to go on without its samples", e.Name(), fault))
		}
	}
	return err
}

// metaFault says why a block was not loaded.
func metaFault(block string) error {
	text, err := os.ReadFile(filepath.Join(block, "meta.json"))
	if err == nil {
		err = json.Unmarshal(text, new(tsdb.BlockMeta))
	}
	if err == nil {
		err = errors.New("it is of no version that is known, or of another block")
	}
	return fmt.Errorf("its meta.json cannot be used: %w", err)
}

// knownHints say that a block has late samples. Without that, the TSDB would not read the log up to the end of the block.
var knownHints = []string{tsdb.CompactionHintFromOutOfOrder, tsdb.CompactionHintFromStaleSeries, tsdb.CompactionHintFromSelectedSeries}

// blockFault demands that files of chunks have no gap, and that the chunk that was written last is in them. Samples at
// times that the meta.json does not tell, which nobody will find, it writes into the log: old blocks may have some.
func blockFault(b *tsdb.Block, log *slog.Logger) error {
	meta := b.Meta()
	for _, hint := range meta.Compaction.Hints {
		if !slices.Contains(knownHints, hint) {
			return fmt.Errorf("its meta.json has an unknown hint, %q", hint)
		}
	}
	sizes, err := chunkFiles(filepath.Join(b.Dir(), "chunks"))
	if err != nil {
		return err
	}
	found, err := someChunks(b)
	if err != nil {
		return fmt.Errorf("its index: %w", err)
	}
	if found.some && (found.min < b.MinTime() || found.max >= b.MaxTime()) {
		log.Error("a block has samples outside of the times in its meta.json, which may be damaged: they are not read",
			"block", b.Dir(), "minTime", b.MinTime(), "maxTime", b.MaxTime(), "first", found.min, "last", found.max)
	}
	file, offset := found.last.Unpack()
	switch {
	case !found.some:
		return nil
	case file >= len(sizes):
		return fmt.Errorf("chunks/%06d is missing", len(sizes)+1)
	case int64(offset) >= sizes[file]:
		return fmt.Errorf("chunks/%06d has %d bytes, and more were written", file+1, sizes[file])
	}
	return nil
}

// chunkFiles returns the sizes of the files of chunks, whose names are numbers from 1 on.
func chunkFiles(dir string) (sizes []int64, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if n != len(sizes)+1 {
			return nil, fmt.Errorf("chunks/%06d is missing", len(sizes)+1)
		}
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		sizes = append(sizes, info.Size())
	}
	return sizes, nil
}

// blockSample is what some series of a block tell of its chunks.
type blockSample struct {
	some     bool
	min, max int64                // times
	last     chunks.BlockChunkRef // where the last chunk of the last series is: blocks are written in the order of their index
}

// sampledSeries is how many series of a block are looked at.
const sampledSeries = 100

// someChunks looks at series from all over the index, and at the last one.
func someChunks(b *tsdb.Block) (found blockSample, err error) {
	r, err := b.Index()
	if err != nil {
		return found, err
	}
	defer r.Close()
	series, err := someSeries(r, b.Meta().Stats.NumSeries/sampledSeries+1)
	if err != nil {
		return found, err
	}
	found.min, found.max = math.MaxInt64, math.MinInt64
	var builder labels.ScratchBuilder
	var metas []chunks.Meta
	for _, ref := range series {
		if err := r.Series(ref, &builder, &metas); err != nil {
			return found, err
		}
		for _, m := range metas {
			found.some, found.last = true, chunks.BlockChunkRef(m.Ref)
			found.min, found.max = min(found.min, m.MinTime), max(found.max, m.MaxTime)
		}
	}
	return found, nil
}

// someSeries returns every so many a series, and the last one.
func someSeries(r tsdb.IndexReader, every uint64) (series []storage.SeriesRef, err error) {
	name, value := index.AllPostingsKey()
	all, err := r.Postings(context.Background(), name, value)
	if err != nil {
		return nil, err
	}
	var last storage.SeriesRef
	for i := uint64(0); all.Next(); i++ {
		if last = all.At(); i%every == 0 && len(series) < 2*sampledSeries {
			series = append(series, last)
		}
	}
	if last != 0 {
		series = append(series, last)
	}
	return series, all.Err()
}
