package difftest

import (
	"math"
	"math/rand"
	"testing"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/chunk"
)

// benchSeries are float series like those of real targets.
var benchSeries = []struct {
	name string
	next func(rng *rand.Rand, i int, last promwire.Sample) promwire.Sample
}{
	{"random", func(rng *rand.Rand, i int, last promwire.Sample) promwire.Sample {
		return promwire.Sample{Timestamp: last.Timestamp + 15000, Value: rng.Float64() * 100}
	}},
	{"counter", func(rng *rand.Rand, i int, last promwire.Sample) promwire.Sample {
		return promwire.Sample{Timestamp: last.Timestamp + 15000, Value: last.Value + float64(rng.Intn(50))}
	}},
	{"jitter", func(rng *rand.Rand, i int, last promwire.Sample) promwire.Sample {
		return promwire.Sample{Timestamp: last.Timestamp + 15000 + int64(rng.Intn(7)-3), Value: float64(rng.Intn(1000))}
	}},
	{"constant", func(rng *rand.Rand, i int, last promwire.Sample) promwire.Sample {
		return promwire.Sample{Timestamp: last.Timestamp + 15000, Value: 1}
	}},
}

const benchSamples = 100 * 120

func benchSamplesOf(i int) []promwire.Sample {
	rng := rand.New(rand.NewSource(1))
	s := make([]promwire.Sample, benchSamples)
	last := promwire.Sample{Timestamp: 1700000000000}
	for j := range s {
		s[j] = benchSeries[i].next(rng, j, last)
		last = s[j]
	}
	return s
}

func libraryXOR(tb testing.TB, ss []promwire.Sample) [][]byte {
	var out [][]byte
	for len(ss) > 0 {
		n := min(len(ss), 120)
		c := chunkenc.NewXORChunk()
		app, err := c.Appender()
		if err != nil {
			tb.Fatal(err)
		}
		for _, s := range ss[:n] {
			app.Append(0, s.Timestamp, s.Value)
		}
		out = append(out, c.Bytes())
		ss = ss[n:]
	}
	return out
}

func BenchmarkDecodeXOR(b *testing.B) {
	for i, series := range benchSeries {
		ts := promwire.TimeSeries{Samples: benchSamplesOf(i)}
		b.Run(series.name, func(b *testing.B) {
			benchDecode(b, libraryEncode(b, promwire.ChunkXOR, &ts), benchSamples)
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	floats := promwire.TimeSeries{Samples: benchSamplesOf(1)}
	ints, counts := benchHistograms(false), benchHistograms(true)
	b.Run("XOR2", func(b *testing.B) {
		benchDecode(b, libraryEncode(b, promwire.ChunkXOR2, &floats), benchSamples)
	})
	b.Run("histogram", func(b *testing.B) {
		benchDecode(b, libraryEncode(b, promwire.ChunkHistogram, &ints), len(ints.Histograms))
	})
	b.Run("float-histogram", func(b *testing.B) {
		benchDecode(b, libraryEncode(b, promwire.ChunkFloatHistogram, &counts), len(counts.Histograms))
	})
}

// benchDecode decodes chunks that hold n samples, with promwire and with the library.
func benchDecode(b *testing.B, chunks []promwire.Chunk, n int) {
	b.Run("promwire", func(b *testing.B) {
		var d chunk.Decoder
		var ts promwire.TimeSeries
		b.ReportAllocs()
		for b.Loop() {
			for _, c := range chunks {
				ts.Reset()
				if err := d.Append(&ts, c, math.MinInt64, math.MaxInt64); err != nil {
					b.Fatal(err)
				}
			}
		}
		reportPerSample(b, n)
	})
	b.Run("library", func(b *testing.B) {
		var r libraryReader
		b.ReportAllocs()
		for b.Loop() {
			for _, c := range chunks {
				if err := r.read(c); err != nil {
					b.Fatal(err)
				}
			}
		}
		reportPerSample(b, n)
	})
}

// libraryReader reads chunks with all the reuse that the library offers.
type libraryReader struct {
	it      chunkenc.Iterator
	samples []promwire.Sample
	h       histogram.Histogram
	fh      histogram.FloatHistogram
}

func (r *libraryReader) read(c promwire.Chunk) error {
	lc, err := chunkenc.FromData(chunkenc.Encoding(c.Encoding), c.Data)
	if err != nil {
		return err
	}
	r.samples = r.samples[:0]
	for r.it = lc.Iterator(r.it); ; {
		switch r.it.Next() {
		case chunkenc.ValFloat:
			t, v := r.it.At()
			r.samples = append(r.samples, promwire.Sample{Timestamp: t, Value: v})
		case chunkenc.ValHistogram:
			r.it.AtHistogram(&r.h)
		case chunkenc.ValFloatHistogram:
			r.it.AtFloatHistogram(&r.fh)
		default:
			return r.it.Err()
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	floats := promwire.TimeSeries{Samples: benchSamplesOf(1)}
	ints, counts := benchHistograms(false), benchHistograms(true)
	b.Run("XOR", func(b *testing.B) { benchEncode(b, promwire.ChunkXOR, &floats, benchSamples) })
	b.Run("histogram", func(b *testing.B) { benchEncode(b, promwire.ChunkHistogram, &ints, len(ints.Histograms)) })
	b.Run("float-histogram", func(b *testing.B) {
		benchEncode(b, promwire.ChunkFloatHistogram, &counts, len(counts.Histograms))
	})
}

func benchEncode(b *testing.B, e promwire.ChunkEncoding, ts *promwire.TimeSeries, n int) {
	b.Run("promwire", func(b *testing.B) {
		var enc chunk.Encoder
		var chunks []promwire.Chunk
		b.ReportAllocs()
		for b.Loop() {
			enc.Reset()
			chunks = enc.AppendSamples(chunks[:0], ts.Samples)
			chunks = enc.AppendHistograms(chunks, ts.Histograms)
		}
		reportPerSample(b, n)
	})
	b.Run("library", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			libraryEncode(b, e, ts)
		}
		reportPerSample(b, n)
	})
}

// benchHistograms is a series of counter histograms with 30 buckets that fill slowly.
func benchHistograms(isFloat bool) promwire.TimeSeries {
	rng := rand.New(rand.NewSource(1))
	var ts promwire.TimeSeries
	counts := make([]int64, 30)
	for i := range 1200 {
		h := promwire.Histogram{
			Timestamp: 1700000000000 + int64(i)*15000, Schema: 3, ZeroThreshold: 0x1p-128, IsFloat: isFloat,
			PositiveSpans: []promwire.BucketSpan{{Offset: -3, Length: 20}, {Offset: 5, Length: 10}},
		}
		before := int64(0)
		for j := range counts {
			counts[j] += int64(rng.Intn(10) / 3)
			h.Count += uint64(counts[j])
			h.PositiveDeltas = append(h.PositiveDeltas, counts[j]-before)
			h.PositiveCounts = append(h.PositiveCounts, float64(counts[j]))
			before = counts[j]
		}
		h.Sum = float64(h.Count) * rng.Float64()
		if isFloat {
			h.CountFloat, h.Count, h.PositiveDeltas = float64(h.Count), 0, nil
		} else {
			h.PositiveCounts = nil
		}
		ts.Histograms = append(ts.Histograms, h)
	}
	return ts
}

func reportPerSample(b *testing.B, n int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/sample")
}
