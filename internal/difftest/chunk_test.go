package difftest

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/chunk"
)

var encodings = []promwire.ChunkEncoding{
	promwire.ChunkXOR, promwire.ChunkHistogram, promwire.ChunkFloatHistogram,
	promwire.ChunkXOR2, promwire.ChunkHistogramST, promwire.ChunkFloatHistogramST,
}

func isFloats(e promwire.ChunkEncoding) bool {
	return e == promwire.ChunkXOR || e == promwire.ChunkXOR2
}

func hasStarts(e promwire.ChunkEncoding) bool { return e >= promwire.ChunkXOR2 }

// libraryDecode decodes a chunk as the reference does to answer a remote read, start timestamps added.
func libraryDecode(c promwire.Chunk) (ts promwire.TimeSeries, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	lc, err := chunkenc.FromData(chunkenc.Encoding(c.Encoding), c.Data)
	if err != nil {
		return ts, err
	}
	it := lc.Iterator(nil)
	for v := it.Next(); v != chunkenc.ValNone; v = it.Next() {
		switch v {
		case chunkenc.ValFloat:
			t, v := it.At()
			ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: t, StartTimestamp: it.AtST(), Value: v})
			continue
		case chunkenc.ValHistogram:
			t, h := it.AtHistogram(nil)
			p := prompb.FromIntHistogram(t, h)
			ts.Histograms = append(ts.Histograms, fromProto(&p))
		case chunkenc.ValFloatHistogram:
			t, h := it.AtFloatHistogram(nil)
			p := prompb.FromFloatHistogram(t, h)
			ts.Histograms = append(ts.Histograms, fromProto(&p))
		}
		ts.Histograms[len(ts.Histograms)-1].StartTimestamp = it.AtST()
	}
	return ts, it.Err()
}

// libraryEncode writes a series with the library's appenders, as its TSDB does.
func libraryEncode(t testing.TB, e promwire.ChunkEncoding, ts *promwire.TimeSeries) []promwire.Chunk {
	t.Helper()
	w := libraryWriter{t: t, encoding: e}
	for _, s := range ts.Samples {
		if w.app == nil || w.chunk.NumSamples() >= 200 {
			w.cut()
		}
		w.app.Append(s.StartTimestamp, s.Timestamp, s.Value)
	}
	for i := range ts.Histograms {
		w.histogram(&ts.Histograms[i])
	}
	return w.end()
}

type libraryWriter struct {
	t        testing.TB
	encoding promwire.ChunkEncoding
	chunk    chunkenc.Chunk
	app      chunkenc.Appender
	out      []promwire.Chunk
}

func (w *libraryWriter) end() []promwire.Chunk {
	if w.chunk != nil {
		w.out = append(w.out, promwire.Chunk{Encoding: w.encoding, Data: w.chunk.Bytes()})
	}
	return w.out
}

func (w *libraryWriter) cut() {
	w.end()
	var err error
	if w.chunk, err = chunkenc.NewEmptyChunk(chunkenc.Encoding(w.encoding)); err != nil {
		w.t.Fatal(err)
	}
	if w.app, err = w.chunk.Appender(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *libraryWriter) histogram(h *promwire.Histogram) {
	prev := w.app
	if w.app == nil || w.chunk.NumSamples() >= 200 {
		w.cut()
	} else {
		prev = nil
	}
	var c chunkenc.Chunk
	var recoded bool
	var err error
	if h.IsFloat {
		c, recoded, w.app, err = w.app.AppendFloatHistogram(prev, h.StartTimestamp, h.Timestamp, toFloat(h), false)
	} else {
		c, recoded, w.app, err = w.app.AppendHistogram(prev, h.StartTimestamp, h.Timestamp, toInt(h), false)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	if c == nil {
		return
	}
	if !recoded {
		w.end()
	}
	w.chunk = c
}

func (s *source) series(e promwire.ChunkEncoding) *promwire.TimeSeries {
	if isFloats(e) {
		return &promwire.TimeSeries{Samples: s.samples(hasStarts(e))}
	}
	isFloat := e == promwire.ChunkFloatHistogram || e == promwire.ChunkFloatHistogramST
	return &promwire.TimeSeries{Histograms: s.histograms(isFloat, hasStarts(e))}
}

// compareDecode decodes a chunk with both. Where promwire refuses one, the samples before must be the same, and the
// library must refuse it as well, but for these:
//
//   - Limits on memory: the library has none and would take gigabytes.
//   - Data that end within a sample: at the end the library's bit reader miscounts, so that it may go on with made-up
//     samples, among them histograms of gigabytes.
//   - Reserved schemas of invalid histograms: promwire reduces valid ones only.
func compareDecode(t *testing.T, d *chunk.Decoder, c promwire.Chunk) {
	t.Helper()
	var got promwire.TimeSeries
	err := d.Append(&got, c, math.MinInt64, math.MaxInt64)
	short := err != nil && strings.HasSuffix(err.Error(), "data end too early")
	if errors.Is(err, promwire.ErrTooLarge) || short && len(got.Samples)+len(got.Histograms) == 0 {
		return
	}
	want, wantErr := libraryDecode(c)
	if err == nil && wantErr != nil {
		t.Fatalf("%d: got no error, library %v", c.Encoding, wantErr)
	}
	if err != nil {
		if wantErr == nil && !short && !errors.Is(err, promwire.ErrInvalidHistogram) {
			t.Fatalf("%d: got %v, library has no error", c.Encoding, err)
		}
		want.Samples = want.Samples[:min(len(want.Samples), len(got.Samples))]
		want.Histograms = want.Histograms[:min(len(want.Histograms), len(got.Histograms))]
	}
	if diff := diffSeries(&got, &want); diff != "" {
		t.Fatalf("%d: %s", c.Encoding, diff)
	}
}

// checkSeries lets the library encode a generated series and promwire decode it, and the other way round.
func checkSeries(t *testing.T, d *chunk.Decoder, enc *chunk.Encoder, e promwire.ChunkEncoding, s *source) {
	ts := s.series(e)
	for _, c := range libraryEncode(t, e, ts) {
		compareDecode(t, d, c)
	}
	if hasStarts(e) {
		return
	}
	enc.Reset()
	chunks := enc.AppendHistograms(enc.AppendSamples(nil, ts.Samples), ts.Histograms)
	var got promwire.TimeSeries
	for _, c := range chunks {
		part, err := libraryDecode(c)
		if err != nil {
			t.Fatalf("library on promwire's chunk: %v", err)
		}
		compareDecode(t, d, c)
		got.Samples = append(got.Samples, part.Samples...)
		got.Histograms = append(got.Histograms, part.Histograms...)
	}
	want := ts.Clone()
	for i := range want.Histograms {
		// Within a chunk the reader derives the hint.
		want.Histograms[i].ResetHint = got.Histograms[min(i, len(got.Histograms)-1)].ResetHint
		if promwire.IsStaleNaN(want.Histograms[i].Sum) {
			want.Histograms[i] = promwire.Histogram{
				Timestamp: want.Histograms[i].Timestamp, IsFloat: want.Histograms[i].IsFloat, Sum: promwire.StaleNaN(),
			}
		}
	}
	if diff := diffSeries(&got, &want); diff != "" {
		t.Fatalf("%d: %s", e, diff)
	}
}

func TestChunks(t *testing.T) {
	for _, e := range encodings {
		t.Run(fmt.Sprint(e), func(t *testing.T) {
			var d chunk.Decoder
			var enc chunk.Encoder
			eachSource(t, 500, func(t *testing.T, s *source) { checkSeries(t, &d, &enc, e, s) })
		})
	}
}

// TestDamagedChunks changes bytes of valid chunks, which reaches deeper than arbitrary ones.
func TestDamagedChunks(t *testing.T) {
	for _, e := range encodings {
		t.Run(fmt.Sprint(e), func(t *testing.T) {
			var d chunk.Decoder
			eachSource(t, 500, func(t *testing.T, s *source) {
				damage := source{slices.Clone(s.data)}
				for _, c := range libraryEncode(t, e, s.series(e)) {
					for range 4 {
						c.Data[int(damage.uint64()%uint64(len(c.Data)))] ^= 1 << (damage.byte() & 7)
						compareDecode(t, &d, c)
					}
					c.Data = c.Data[:int(damage.uint64()%uint64(len(c.Data)))]
					compareDecode(t, &d, c)
				}
			})
		})
	}
}

// FuzzChunkSeries turns bytes into series.
func FuzzChunkSeries(f *testing.F) {
	for _, e := range encodings {
		f.Add(byte(e)-1, []byte("\x00some bytes for choices\x01\x02\x03 and a few more of them"))
	}
	var d chunk.Decoder
	var enc chunk.Encoder
	f.Fuzz(func(t *testing.T, e byte, data []byte) {
		checkSeries(t, &d, &enc, encodings[int(e)%len(encodings)], &source{data})
	})
}

// FuzzChunkBytes decodes arbitrary bytes.
func FuzzChunkBytes(f *testing.F) {
	for _, e := range encodings {
		for i := range 4 {
			s := source{bytes.Repeat([]byte{byte(37 * i), 5, 0, 1, byte(11 * i), 200, 3, 9}, 20)}
			for _, c := range libraryEncode(f, e, s.series(e)) {
				f.Add(byte(e)-1, c.Data)
			}
		}
	}
	var d chunk.Decoder
	f.Fuzz(func(t *testing.T, e byte, data []byte) {
		compareDecode(t, &d, promwire.Chunk{Encoding: encodings[int(e)%len(encodings)], Data: data})
	})
}

// TestXORBytes compares XOR chunks byte by byte.
func TestXORBytes(t *testing.T) {
	eachSource(t, 500, func(t *testing.T, s *source) {
		ss := s.samples(false)
		var enc chunk.Encoder
		got := enc.AppendSamples(nil, ss)
		want := libraryXOR(t, ss)
		if len(got) != len(want) {
			t.Fatalf("got %d chunks, want %d", len(got), len(want))
		}
		for i := range got {
			if !bytes.Equal(got[i].Data, want[i]) {
				t.Fatalf("chunk %d: got %x\nwant %x", i, got[i].Data, want[i])
			}
		}
	})
}
