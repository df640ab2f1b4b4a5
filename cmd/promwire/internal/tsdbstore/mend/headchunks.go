package mend

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"syscall"

	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/tsdb/record"
)

const headChunksDir = "chunks_head"

// headChunks reads the head chunks, and puts all of them aside if one is damaged: their samples are in the logs too, and
// the TSDB makes them anew. It would keep those before the damage, and does not miss files that are gone.
func (d *directory) headChunks() error {
	dir := filepath.Join(d.dir, headChunksDir)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	late, damage := readHeadChunks(dir)
	if errno := syscall.Errno(0); errors.As(damage, &errno) {
		return damage // it says nothing about what is in the files
	}
	if damage == nil {
		d.late = late
		return nil
	}
	kept, err := d.keep(dir, os.Rename)
	if err == nil {
		d.log.Warn("head chunks are damaged: all are made anew from the logs, nothing is lost by that",
			"err", damage, "dir", dir, "original", kept)
	}
	return err
}

// lateChunks are all head chunks of late samples: where each is, and of which series.
type lateChunks map[chunks.ChunkDiskMapperRef]chunks.HeadSeriesRef

func readHeadChunks(dir string) (late lateChunks, err error) {
	defer func() {
		if p := recover(); p != nil { // lengths can overflow where an int has 32 bits
			err = fmt.Errorf("%s: %v", dir, p)
		}
	}()
	mapper, err := chunks.NewChunkDiskMapper(nil, dir, nil, chunks.DefaultWriteBufferSize, chunks.DefaultWriteQueueSize)
	if err != nil {
		return nil, err
	}
	late = lateChunks{}
	newest := map[int]int64{} // where the last chunk of each file is
	err = mapper.IterateAllChunks(func(series chunks.HeadSeriesRef, ref chunks.ChunkDiskMapperRef, _, _ int64, _ uint16, _ chunkenc.Encoding, outOfOrder bool) error {
		if outOfOrder {
			late[ref] = series
		}
		file, offset := ref.Unpack()
		newest[file] = int64(offset)
		return nil
	})
	if err = errors.Join(err, mapper.Close()); err != nil {
		return nil, err
	}
	files, err := numbered(dir)
	if err != nil {
		return nil, err
	}
	for i, f := range files.files {
		if err := endsWith(files.path(i), newest[f.number]); err != nil {
			return nil, err
		}
	}
	return late, nil
}

// endsWith demands that nothing but zeros follow the chunk at this offset; the header of the file, if it is 0. The TSDB
// takes zeros in the place of a chunk for the end of the file.
func endsWith(path string, offset int64) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	end := int64(chunks.HeadChunkFileHeaderSize)
	if offset > 0 {
		const before = chunks.SeriesRefSize + 2*chunks.MintMaxtSize + chunks.ChunkEncodingSize
		length := make([]byte, chunks.MaxChunkLengthFieldSize)
		if _, err := f.ReadAt(length, offset+before); err != nil {
			return err
		}
		size, n := binary.Uvarint(length)
		end = offset + before + int64(n) + int64(size) + chunks.CRCSize
	}
	rest := bufio.NewReader(io.NewSectionReader(f, end, math.MaxInt64-end))
	for {
		switch c, err := rest.ReadByte(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case c != 0:
			return fmt.Errorf("%s: zeros where a chunk should begin, at %d", path, end)
		}
	}
}

// stale reports whether a record of the log of late samples, one of markers, says that all samples of a series before are
// in a head chunk that is not there.
//
// A kill takes chunks that were not written to their file yet. The TSDB overlooks their records at the next start, but no
// longer when a chunk has been written behind where they would have been. Then it passes over the samples. There are
// records too that name no chunk, for it was on its way into a block; a kill took that as well. Without such a record
// samples may be in two chunks, which does no harm.
func (late lateChunks) stale(rec []byte) bool {
	var decoder record.Decoder
	markers, err := decoder.MmapMarkers(rec, nil)
	for _, m := range markers {
		if series, there := late[m.MmapRef]; !there || series != m.Ref {
			return true
		}
	}
	return err != nil
}
