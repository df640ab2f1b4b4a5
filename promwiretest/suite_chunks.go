package promwiretest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/chunk"
	"github.com/promwire/promwire/internal/same"
)

// chunkSuite holds for a [promwire.ChunkReader]; any other storage passes it.
var chunkSuite = []suiteCheck{
	{"chunks/samples", chunkSamples},
	{"chunks/histograms", chunkHistograms},
	{"chunks/matchers", chunkMatchers},
	{"chunks/loop", chunkLoop},
}

// readChunks collects and decodes what a query yields as chunks, cut to its range.
func (s *suite) readChunks(r promwire.ChunkReader, q promwire.Query) ([]promwire.TimeSeries, error) {
	lo, hi := q.Range()
	got, err := join(decoded(r.ReadChunks(s.ctx, q), lo, hi))
	return slices.DeleteFunc(got, func(ts promwire.TimeSeries) bool { return len(ts.Samples)+len(ts.Histograms) == 0 }), err
}

// decoded yields what the chunks of each part hold. Their memory is the storage's until the loop goes on, so they are
// decoded at once.
func decoded(parts iter.Seq2[promwire.ChunkedSeries, error], lo, hi int64) iter.Seq2[promwire.TimeSeries, error] {
	return func(yield func(promwire.TimeSeries, error) bool) {
		var decoder chunk.Decoder
		for part, err := range parts {
			if err != nil {
				if !yield(promwire.TimeSeries{}, err) {
					return
				}
				continue // whoever collects notices a storage that goes on
			}
			ts, err := decodeChunks(&decoder, &part, lo, hi)
			if !yield(ts, err) || err != nil {
				return
			}
		}
	}
}

func decodeChunks(d *chunk.Decoder, part *promwire.ChunkedSeries, lo, hi int64) (promwire.TimeSeries, error) {
	ts := promwire.TimeSeries{Labels: part.Labels}
	begun := int64(math.MinInt64)
	for i, c := range part.Chunks {
		if c.MinTime < begun {
			return ts, fmt.Errorf("%s: chunk %d begins at %d, before chunk %d", part.Labels, i, c.MinTime, i-1)
		}
		begun = c.MinTime
		if err := appendChunk(d, &ts, c, lo, hi); err != nil {
			return ts, err
		}
	}
	return ts, nil
}

// appendChunk decodes a chunk and holds its times against those that it announces.
func appendChunk(d *chunk.Decoder, ts *promwire.TimeSeries, c promwire.Chunk, lo, hi int64) error {
	c.Data = bytes.Clone(c.Data) // so that a look behind the end is noticed
	var whole promwire.TimeSeries
	if err := d.Append(&whole, c, math.MinInt64, math.MaxInt64); err != nil {
		return fmt.Errorf("%s: %w", ts.Labels, err)
	}
	first, last, n := int64(math.MaxInt64), int64(math.MinInt64), len(whole.Samples)+len(whole.Histograms)
	for _, x := range whole.Samples {
		first, last = min(first, x.Timestamp), max(last, x.Timestamp)
	}
	for i := range whole.Histograms {
		first, last = min(first, whole.Histograms[i].Timestamp), max(last, whole.Histograms[i].Timestamp)
	}
	if n > 0 && (first < c.MinTime || last > c.MaxTime) {
		return fmt.Errorf("%s: a chunk holds %d to %d, and announces %d to %d", ts.Labels, first, last, c.MinTime, c.MaxTime)
	}
	return d.Append(ts, c, lo, hi)
}

// wantChunks compares chunks with series, and so with what Read has to yield.
func (s *suite) wantChunks(r promwire.ChunkReader, what string, q promwire.Query, want ...promwire.TimeSeries) {
	s.until(func() string {
		got, err := s.readChunks(r, q)
		if err != nil {
			return what + ", as chunks: " + err.Error()
		}
		if diff := same.All(got, want); diff != "" {
			return what + ", as chunks: " + diff
		}
		return ""
	})
}

func chunkSamples(s *suite) {
	r, ok := s.storage.(promwire.ChunkReader)
	if !ok {
		return
	}
	long := promwire.TimeSeries{Labels: name("i", "0")}
	for i := range 1000 {
		long.Samples = append(long.Samples, promwire.Sample{Timestamp: s.at(0) + int64(i)*1000 + int64(i*i)%7, Value: float64(i*i) / 3})
	}
	odd := s.series(name("i", "1"), append(oddFloats(), promwire.StaleNaN(), 1)...)
	s.write(long, odd)
	s.wantChunks(r, "samples", s.everything(), long, odd)
	middle := promwire.TimeSeries{Labels: long.Labels, Samples: long.Samples[150:451]}
	s.wantChunks(r, "a range", s.between(long.Samples[150].Timestamp, long.Samples[450].Timestamp), middle)
	// A write to a chunk that is not full.
	next := promwire.TimeSeries{Labels: odd.Labels, Samples: []promwire.Sample{{Timestamp: s.at(100), Value: 5}}}
	s.write(next)
	odd.Samples = append(odd.Samples, next.Samples...)
	s.wantChunks(r, "after a further write", s.everything(promwire.Matcher{Name: "i", Value: "1"}), odd)
}

func chunkHistograms(s *suite) {
	r, ok := s.storage.(promwire.ChunkReader)
	if !ok || s.noHistograms {
		return
	}
	all := s.allHistograms()
	s.write(all...)
	s.wantChunks(r, "native histograms", s.everything(), all...)
	s.wantRead("the same", s.everything(), all...)
}

func chunkMatchers(s *suite) {
	r, ok := s.storage.(promwire.ChunkReader)
	if !ok {
		return
	}
	all := s.matcherSeries()
	s.write(all[3], all[0], all[4], all[2], all[1])
	for _, c := range matcherCases {
		m := promwire.Matcher{Type: c.t, Name: "x", Value: c.value}
		s.wantChunks(r, m.String(), s.everything(m), pick(all, c.want)...)
	}
	q := s.everything()
	q.Matchers = nil
	s.wantChunks(r, "a query without matchers selects nothing", q)
	s.wantChunks(r, "a range without samples", s.between(s.at(100), s.at(200)))
}

// chunkLoop leaves loops, and cancels.
func chunkLoop(s *suite) {
	r, ok := s.storage.(promwire.ChunkReader)
	if !ok {
		return
	}
	all := s.ladder()
	s.write(all...)
	for range 100 {
		for _, err := range r.ReadChunks(s.ctx, s.everything()) {
			if err != nil {
				s.fatal("ReadChunks: %v", err)
			}
			break
		}
	}
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	seen := 0
	var failed error
	for _, err := range r.ReadChunks(ctx, s.everything()) {
		if err != nil {
			failed = err
			continue
		}
		seen++
		cancel()
	}
	if !errors.Is(failed, context.Canceled) || seen >= len(all) {
		s.fail("ReadChunks cancelled at the first series: %d series and the error %v, want one that wraps context.Canceled", seen, failed)
	}
	s.wantChunks(r, "after loops that were left", s.everything(), all...)
}
