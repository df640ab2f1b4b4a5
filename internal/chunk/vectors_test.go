package chunk

import (
	"encoding/hex"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/promwire/promwire"
)

// Chunks that the Prometheus library wrote.
const (
	// Values 1, 1, 2 at 1000, 2000, 3000.
	hexXOR = "0003 d00f 3ff0000000000000 e807 3097ffc0"
	// Value 0 at 0, 1000, 2001, 3000: the interval changes by 1 and by -2.
	hexXORJitter = "0004 00 0000000000000000 e807 4000afff80"
	// One integer histogram.
	hexHistogram = "0001 00 74 4a518c5e3e8a100ca00000000000231b80"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecodeVectors(t *testing.T) {
	tests := []struct {
		name string
		c    promwire.ChunkEncoding
		hex  string
		want promwire.TimeSeries
	}{
		{"XOR", promwire.ChunkXOR, hexXOR, promwire.TimeSeries{Samples: []promwire.Sample{
			{Timestamp: 1000, Value: 1}, {Timestamp: 2000, Value: 1}, {Timestamp: 3000, Value: 2},
		}}},
		{"XOR with jitter", promwire.ChunkXOR, hexXORJitter, promwire.TimeSeries{Samples: []promwire.Sample{
			{Timestamp: 0}, {Timestamp: 1000}, {Timestamp: 2001}, {Timestamp: 3000},
		}}},
		{"integer histogram", promwire.ChunkHistogram, hexHistogram, promwire.TimeSeries{Histograms: []promwire.Histogram{{
			Timestamp:      1000,
			Sum:            18.5,
			ZeroThreshold:  0x1p-128,
			Count:          4,
			PositiveDeltas: []int64{1, 1, -1},
			PositiveSpans:  []promwire.BucketSpan{{Offset: 1, Length: 2}, {Offset: 1, Length: 1}},
		}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var d Decoder
			var got promwire.TimeSeries
			c := promwire.Chunk{Encoding: tt.c, Data: unhex(t, tt.hex)}
			if err := d.Append(&got, c, math.MinInt64, math.MaxInt64); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}
