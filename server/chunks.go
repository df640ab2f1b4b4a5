package server

import (
	"fmt"
	"iter"
	"math"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/chunk"
)

// chunker turns what storages yield into chunks that every reader knows. What it yields is valid until the loop asks
// for the next one.
type chunker struct {
	encoder chunk.Encoder
	decoder chunk.Decoder
	chunks  []promwire.Chunk
	series  promwire.TimeSeries // of a chunk that is encoded anew
	times   timeOrder
	largest int // samples of the largest part encoded
}

// maxEncoded bounds the samples, and maxEncodedHistograms the histograms, that are encoded before they are yielded:
// whole chunks.
const (
	maxEncoded           = 100 * 120
	maxEncodedHistograms = 10 * 120
)

// encode yields series as chunks, large parts as several.
func (c *chunker) encode(all iter.Seq2[promwire.TimeSeries, error]) iter.Seq2[promwire.ChunkedSeries, error] {
	return func(yield func(promwire.ChunkedSeries, error) bool) {
		for ts, err := range all {
			c.times.reset()
			if err == nil {
				err = c.times.next(&ts) // of this part; between parts, the order of chunks tells
			}
			for more := true; more; {
				c.reset()
				if more = err == nil; more {
					more = c.addRun(&ts)
				}
				if !yield(promwire.ChunkedSeries{Labels: ts.Labels, Chunks: c.chunks}, err) {
					return
				}
			}
		}
	}
}

// addRun encodes the beginning of ts, takes it off, and reports whether there is more. Floats and histograms of a mixed
// part take turns in time, so it is encoded as a whole.
func (c *chunker) addRun(ts *promwire.TimeSeries) (more bool) {
	ss, hs := ts.Samples, ts.Histograms
	if len(hs) == 0 {
		ss = ss[:min(len(ss), maxEncoded)]
	}
	if len(ss) == 0 {
		hs = hs[:min(len(hs), maxEncodedHistograms)]
	}
	c.add(ss, hs)
	ts.Samples, ts.Histograms = ts.Samples[len(ss):], ts.Histograms[len(hs):]
	return len(ts.Samples)+len(ts.Histograms) > 0
}

// plain yields chunks as they are, but for those with start timestamps.
func (c *chunker) plain(all iter.Seq2[promwire.ChunkedSeries, error]) iter.Seq2[promwire.ChunkedSeries, error] {
	return func(yield func(promwire.ChunkedSeries, error) bool) {
		for series, err := range all {
			if err == nil && !allPlain(series.Chunks) {
				c.reset()
				err = c.addPlain(series.Chunks)
				series.Chunks = c.chunks
			}
			if !yield(series, err) {
				return
			}
		}
	}
}

// release lets go of what is the storage's, and of memory for parts of unusual size.
func (c *chunker) release() {
	clear(c.chunks[:cap(c.chunks)])
	if c.largest > maxPooledPart {
		*c = chunker{}
	}
}

// reset begins a part.
func (c *chunker) reset() {
	c.encoder.Reset()
	c.chunks = c.chunks[:0]
}

// add encodes samples and histograms into chunks in order of time. Readers walk the chunks of a series one after the
// other, so those of both kinds must not overlap. At the same time, the sample counts.
func (c *chunker) add(ss []promwire.Sample, hs []promwire.Histogram) {
	c.largest = max(c.largest, len(ss)+len(hs))
	for len(ss) > 0 && len(hs) > 0 {
		n := 0
		for n < len(ss) && ss[n].Timestamp <= hs[0].Timestamp {
			n++
		}
		c.chunks = c.encoder.AppendSamples(c.chunks, ss[:n])
		if n > 0 && ss[n-1].Timestamp == hs[0].Timestamp {
			hs = hs[1:]
		}
		if ss = ss[n:]; len(ss) == 0 {
			break
		}
		n = 0
		for n < len(hs) && hs[n].Timestamp < ss[0].Timestamp {
			n++
		}
		c.chunks = c.encoder.AppendHistograms(c.chunks, hs[:n])
		hs = hs[n:]
	}
	c.chunks = c.encoder.AppendSamples(c.chunks, ss)
	c.chunks = c.encoder.AppendHistograms(c.chunks, hs)
}

// addPlain adds chunks, encoded anew where their encoding is not one that every reader knows.
func (c *chunker) addPlain(chunks []promwire.Chunk) error {
	for i := range chunks {
		if isPlain(chunks[i].Encoding) {
			c.chunks = append(c.chunks, chunks[i])
			continue
		}
		c.series.Reset()
		if err := c.decoder.Append(&c.series, chunks[i], math.MinInt64, math.MaxInt64); err != nil {
			return fmt.Errorf("chunk %d of the storage: %w", i, err)
		}
		c.add(c.series.Samples, c.series.Histograms)
	}
	return nil
}

func allPlain(chunks []promwire.Chunk) bool {
	for i := range chunks {
		if !isPlain(chunks[i].Encoding) {
			return false
		}
	}
	return true
}

func isPlain(e promwire.ChunkEncoding) bool {
	return e >= promwire.ChunkXOR && e <= promwire.ChunkFloatHistogram
}
