package difftest

import (
	"math"
	"math/rand"
	"testing"

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
		chunks := libraryXOR(b, benchSamplesOf(i))
		b.Run(series.name+"/promwire", func(b *testing.B) {
			var d chunk.Decoder
			var ts promwire.TimeSeries
			b.ReportAllocs()
			for b.Loop() {
				ts.Samples = ts.Samples[:0]
				for _, data := range chunks {
					c := promwire.Chunk{Encoding: promwire.ChunkXOR, Data: data}
					if err := d.Append(&ts, c, math.MinInt64, math.MaxInt64); err != nil {
						b.Fatal(err)
					}
				}
			}
			reportPerSample(b)
		})
		b.Run(series.name+"/library", func(b *testing.B) {
			var it chunkenc.Iterator
			var out []promwire.Sample
			b.ReportAllocs()
			for b.Loop() {
				out = out[:0]
				for _, data := range chunks {
					c, err := chunkenc.FromData(chunkenc.EncXOR, data)
					if err != nil {
						b.Fatal(err)
					}
					for it = c.Iterator(it); it.Next() == chunkenc.ValFloat; {
						t, v := it.At()
						out = append(out, promwire.Sample{Timestamp: t, Value: v})
					}
				}
			}
			reportPerSample(b)
		})
	}
}

func reportPerSample(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchSamples, "ns/sample")
}
