package tsdbstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
func checkBlocks(dir string, db *tsdb.DB) error {
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
			fault = chunksFault(b)
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
	return fmt.Errorf("its meta.json cannot be used: %w", errors.Join(err, errNotLoaded))
}

var errNotLoaded = errors.New("the block was not loaded")

// chunksFault demands that files of chunks have no gap, and that the chunk that was written last is in them.
func chunksFault(b *tsdb.Block) error {
	sizes, err := chunkFiles(filepath.Join(b.Dir(), "chunks"))
	if err != nil {
		return err
	}
	ref, err := lastChunk(b)
	if err != nil {
		return fmt.Errorf("its index: %w", err)
	}
	file, offset := ref.Unpack()
	switch {
	case ref == 0: // it has none
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

// lastChunk returns where the last chunk of the last series is; 0 if the block has none. Blocks are written in the order
// of their index.
func lastChunk(b *tsdb.Block) (chunks.BlockChunkRef, error) {
	r, err := b.Index()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	name, value := index.AllPostingsKey()
	all, err := r.Postings(context.Background(), name, value)
	if err != nil {
		return 0, err
	}
	var builder labels.ScratchBuilder
	var metas []chunks.Meta
	last := storage.SeriesRef(0)
	for all.Next() {
		last = all.At()
	}
	if err := all.Err(); err != nil || last == 0 {
		return 0, err
	}
	if err := r.Series(last, &builder, &metas); err != nil || len(metas) == 0 {
		return 0, err
	}
	return chunks.BlockChunkRef(metas[len(metas)-1].Ref), nil
}
