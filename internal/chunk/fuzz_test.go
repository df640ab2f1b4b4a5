package chunk

import (
	"errors"
	"math"
	"testing"

	"github.com/promwire/promwire"
)

func FuzzXOR(f *testing.F)              { fuzzDecode(f, promwire.ChunkXOR) }
func FuzzXOR2(f *testing.F)             { fuzzDecode(f, promwire.ChunkXOR2) }
func FuzzHistogram(f *testing.F)        { fuzzDecode(f, promwire.ChunkHistogram) }
func FuzzFloatHistogram(f *testing.F)   { fuzzDecode(f, promwire.ChunkFloatHistogram) }
func FuzzHistogramST(f *testing.F)      { fuzzDecode(f, promwire.ChunkHistogramST) }
func FuzzFloatHistogramST(f *testing.F) { fuzzDecode(f, promwire.ChunkFloatHistogramST) }

// fuzzDecode decodes arbitrary data. What comes out, also in front of an error, must survive encoding and decoding.
func fuzzDecode(f *testing.F, encoding promwire.ChunkEncoding) {
	for _, v := range vectors {
		f.Add(v.chunk(f).Data)
	}
	var d Decoder
	var e Encoder
	f.Fuzz(func(t *testing.T, data []byte) {
		var ts promwire.TimeSeries
		err := d.Append(&ts, promwire.Chunk{Encoding: encoding, Data: data}, math.MinInt64, math.MaxInt64)
		var de *promwire.DecodeError
		if err != nil && !errors.As(err, &de) {
			t.Fatalf("got %v", err)
		}
		for i := range ts.Samples {
			ts.Samples[i].StartTimestamp = 0
		}
		for i := range ts.Histograms {
			ts.Histograms[i].StartTimestamp = 0
		}
		e.Reset()
		chunks := e.AppendHistograms(e.AppendSamples(nil, ts.Samples), ts.Histograms)
		var got promwire.TimeSeries
		for _, c := range chunks {
			if err := d.Append(&got, c, math.MinInt64, math.MaxInt64); err != nil {
				t.Fatal(err)
			}
		}
		if !sameSamples(got.Samples, ts.Samples) {
			t.Fatalf("got %+v\nwant %+v", got.Samples, ts.Samples)
		}
		checkHistograms(t, got.Histograms, ts.Histograms)
	})
}
