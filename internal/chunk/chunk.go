// Package chunk is the codec of the chunks that Remote Read streams: runs of float samples or native histograms of
// one series, compressed bit by bit as in the Prometheus TSDB.
//
// All six encodings are decoded; the three without start timestamps are written, since every reader knows them. The
// layout is that of Prometheus' package tsdb/chunkenc, and its docs/chunks.md and docs/bstream.md.
package chunk

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/promwire/promwire"
)

// Bounds on what one chunk may hold. Decoding refuses more with [promwire.ErrTooLarge].
const (
	// maxBuckets is the number of buckets of one histogram, both sides together. Schema 8, the finest there is, has
	// that many buckets for all finite floats.
	maxBuckets = 1 << 20
	// maxShared bounds spans and custom bounds times samples, in a chunk. They are stored once and given out with
	// every histogram, so the size of the payload alone does not bound them. 4 Mi of them take 32 MiB.
	maxShared = 4 << 20
	// maxCounts bounds the bucket counts of all histograms of a chunk: one that has not changed takes a bit of the
	// payload and 8 bytes of memory. 8 Mi of them take 64 MiB; chunks as stores cut them have some thousands.
	maxCounts = 8 << 20
)

var (
	errShort  = errors.New("data end too early")
	errVarint = errors.New("integer has more than 64 bits")
	errHeader = errors.New("data are shorter than the header")
)

// name returns the name of an encoding for error texts.
func name(e promwire.ChunkEncoding) string {
	names := [...]string{
		promwire.ChunkXOR:              "XOR",
		promwire.ChunkHistogram:        "HISTOGRAM",
		promwire.ChunkFloatHistogram:   "FLOAT_HISTOGRAM",
		promwire.ChunkXOR2:             "XOR2",
		promwire.ChunkHistogramST:      "HISTOGRAM_ST",
		promwire.ChunkFloatHistogramST: "FLOAT_HISTOGRAM_ST",
	}
	if e <= promwire.ChunkUnknown || int(e) >= len(names) {
		return strconv.Itoa(int(e))
	}
	return names[e]
}

// Decoder decodes chunks. The zero value is ready. It keeps memory for the next chunk, nothing of the last one, and
// is not safe for concurrent use.
type Decoder struct {
	r      bitReader
	ints   intHistograms
	floats floatHistograms
}

// Append decodes the samples of c with lo <= timestamp <= hi (milliseconds) and appends them to ts.Samples or
// ts.Histograms, whose memory it reuses, that of nested slices included. Decoding stops behind hi, as timestamps
// ascend in a chunk; what follows is not looked at. Nothing in ts refers to c.Data afterwards.
//
// Histograms come with reset hints as Prometheus gives them out: ResetGauge for a gauge histogram, ResetNo for all
// but the first of a chunk, ResetUnknown for the first, whose predecessor is not known here. A stale histogram
// carries the marker and its times, nothing else. Schemas above [promwire.MaxSchema] are reduced to it.
//
// Malformed data give a [*promwire.DecodeError] with the index of the sample; what was decoded before is in ts. It
// wraps [promwire.ErrTooLarge] for data that would take unreasonable memory. An unknown encoding is
// [promwire.ErrUnsupported].
func (d *Decoder) Append(ts *promwire.TimeSeries, c promwire.Chunk, lo, hi int64) error {
	var err error
	switch c.Encoding {
	case promwire.ChunkXOR:
		ts.Samples, err = appendXOR(ts.Samples, c.Data, lo, hi)
	case promwire.ChunkXOR2:
		ts.Samples, err = d.appendXOR2(ts.Samples, c.Data, lo, hi)
	case promwire.ChunkHistogram, promwire.ChunkHistogramST:
		ts.Histograms, err = d.appendHistograms(ts.Histograms, c, lo, hi, &d.ints.histograms, &d.ints)
	case promwire.ChunkFloatHistogram, promwire.ChunkFloatHistogramST:
		ts.Histograms, err = d.appendHistograms(ts.Histograms, c, lo, hi, &d.floats.histograms, &d.floats)
	default:
		return fmt.Errorf("%w: chunk encoding %d", promwire.ErrUnsupported, c.Encoding)
	}
	d.r.data = nil
	return err
}

// malformed says that sample i of a chunk cannot be decoded, and at which byte of the data that was noticed.
func malformed(e promwire.ChunkEncoding, i, offset int, err error) error {
	return &promwire.DecodeError{
		Message: name(e) + " chunk",
		Field:   "samples[" + strconv.Itoa(i) + "]",
		Offset:  offset,
		Err:     err,
	}
}
