package chunk

import (
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/promwire/promwire"
)

type vector struct {
	name     string
	encoding promwire.ChunkEncoding
	hex      string
	want     promwire.TimeSeries
}

func (v *vector) chunk(t testing.TB) promwire.Chunk {
	return promwire.Chunk{Encoding: v.encoding, Data: unhex(t, v.hex)}
}

// vectors are chunks that the Prometheus library wrote.
var vectors = []vector{
	{
		"XOR", promwire.ChunkXOR, "0003 d00f 3ff0000000000000 e807 3097ffc0",
		promwire.TimeSeries{Samples: []promwire.Sample{
			{Timestamp: 1000, Value: 1}, {Timestamp: 2000, Value: 1}, {Timestamp: 3000, Value: 2},
		}},
	},
	{
		"XOR, interval changes by 1 and by -2", promwire.ChunkXOR, "0004 00 0000000000000000 e807 4000afff80",
		promwire.TimeSeries{Samples: []promwire.Sample{
			{Timestamp: 0}, {Timestamp: 1000}, {Timestamp: 2001}, {Timestamp: 3000},
		}},
	},
	{
		"HISTOGRAM", promwire.ChunkHistogram, "0001 00 74 4a518c5e3e8a100ca00000000000231b80",
		promwire.TimeSeries{Histograms: []promwire.Histogram{{
			Timestamp: 1000, Sum: 18.5, ZeroThreshold: 0x1p-128, Count: 4, PositiveDeltas: []int64{1, 1, -1},
			PositiveSpans: []promwire.BucketSpan{{Offset: 1, Length: 2}, {Offset: 1, Length: 1}},
		}}},
	},
	{
		"FLOAT_HISTOGRAM, gauge with custom buckets", promwire.ChunkFloatHistogram,
		"0003c000ee5c66517fe0000000000001cfbfdffffff2101502f9000000078fa1003000000000000000000000000000" +
			"02ffc0000000000000ffc00000000000010000000000000000ff80000000000003c3e9b41b005eb06787d000",
		promwire.TimeSeries{Histograms: floatHistogramsOfVector(0, 0, 0)},
	},
	{
		"XOR2 with start times and stale markers", promwire.ChunkXOR2,
		"000984d00f3ff0000000000000e807e8075097fff0015bff79a0fdc23ff1f478000000001574bc8dfdfffffff5459dc" +
			"9efffffffffaa2ccf6ffc0000000aba6617c30d3d8077ffbea250",
		promwire.TimeSeries{Samples: []promwire.Sample{
			{Timestamp: 1000, StartTimestamp: 500, Value: 1},
			{Timestamp: 2000, StartTimestamp: 500, Value: 1},
			{Timestamp: 3000, StartTimestamp: 500, Value: 2},
			{Timestamp: 4005, StartTimestamp: 500, Value: 2},
			{Timestamp: 5005, StartTimestamp: 4500, Value: 2.5},
			{Timestamp: 6005, StartTimestamp: 4500, Value: promwire.StaleNaN()},
			{Timestamp: 90000000, StartTimestamp: 89999000, Value: 2.5},
			{Timestamp: 90000001, StartTimestamp: 89999000, Value: promwire.StaleNaN()},
			{Timestamp: 90100000, StartTimestamp: 90000500, Value: -1},
		}},
	},
	{
		"HISTOGRAM_ST, both sides, stale at the end", promwire.ChunkHistogramST,
		"000482ff3f50624dd2f1a9fc8ca568ce3178fa315240290000000000008caf2e807f1f44dac5ec6363c3de5ef2f0f97" +
			"b83062f7fc4000000000003e3e8",
		promwire.TimeSeries{Histograms: []promwire.Histogram{
			intHistogramOfVector(1000, 500, 10, 12.5, promwire.ResetUnknown, []int64{1, 2, -1}, 2),
			intHistogramOfVector(2000, 500, 13, 20, promwire.ResetNo, []int64{2, 3, -3}, 2),
			intHistogramOfVector(3000, 2500, 511, 20, promwire.ResetNo, []int64{2, 3, -3}, 500),
			{Timestamp: 4000, StartTimestamp: 2500, Sum: promwire.StaleNaN()},
		}},
	},
	{
		"FLOAT_HISTOGRAM_ST", promwire.ChunkFloatHistogramST,
		"c0038200ee5c66517fe0000000000001cfbfdffffff2101502f9000000078fa10030000000000000000000000000000" +
			"2ffc0000000000000ffc00000000000010000000000000000ff80000000000003a01fc3e9b41b005eb06787d00f7060",
		promwire.TimeSeries{Histograms: floatHistogramsOfVector(500, 500, 2000)},
	},
}

func intHistogramOfVector(t, start int64, count uint64, sum float64, hint promwire.ResetHint, positive []int64,
	negative int64,
) promwire.Histogram {
	return promwire.Histogram{
		Timestamp: t, StartTimestamp: start, Schema: 1, ZeroThreshold: 0.001, Count: count, ZeroCount: 2, Sum: sum,
		ResetHint:      hint,
		PositiveSpans:  []promwire.BucketSpan{{Offset: -2, Length: 2}, {Offset: 3, Length: 1}},
		PositiveDeltas: positive,
		NegativeSpans:  []promwire.BucketSpan{{Offset: 0, Length: 1}},
		NegativeDeltas: []int64{negative},
	}
}

func floatHistogramsOfVector(starts ...int64) []promwire.Histogram {
	h := promwire.Histogram{
		IsFloat: true, ResetHint: promwire.ResetGauge, Schema: promwire.CustomBucketsSchema,
		Timestamp: 1000, StartTimestamp: starts[0], CountFloat: 3.5, Sum: -1,
		PositiveSpans:  []promwire.BucketSpan{{Length: 3}},
		PositiveCounts: []float64{1, 2, 0.5},
		CustomValues:   []float64{-1, 0.25, 33554.43, 1e10},
	}
	second := h.Clone()
	second.Timestamp, second.StartTimestamp, second.CountFloat, second.Sum = 1500, starts[1], 3, math.Inf(1)
	second.PositiveCounts[0] = 0.5
	third := second.Clone()
	third.Timestamp, third.StartTimestamp = 2500, starts[2]
	return []promwire.Histogram{h, second, third}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// decode decodes a whole chunk.
func decode(c promwire.Chunk) (promwire.TimeSeries, error) {
	var d Decoder
	var ts promwire.TimeSeries
	err := d.Append(&ts, c, math.MinInt64, math.MaxInt64)
	return ts, err
}

func sameFloat(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }

func sameFloats(a, b []float64) bool { return slices.EqualFunc(a, b, sameFloat) }

func sameSamples(a, b []promwire.Sample) bool {
	return slices.EqualFunc(a, b, func(a, b promwire.Sample) bool {
		return a.Timestamp == b.Timestamp && a.StartTimestamp == b.StartTimestamp && sameFloat(a.Value, b.Value)
	})
}

func sameHistograms(a, b []promwire.Histogram) bool { return slices.EqualFunc(a, b, sameHistogram) }

func sameHistogram(a, b promwire.Histogram) bool {
	return a.Timestamp == b.Timestamp && a.StartTimestamp == b.StartTimestamp && a.Schema == b.Schema &&
		a.ResetHint == b.ResetHint && a.IsFloat == b.IsFloat && sameFloat(a.Sum, b.Sum) &&
		sameFloat(a.ZeroThreshold, b.ZeroThreshold) && a.Count == b.Count && a.ZeroCount == b.ZeroCount &&
		slices.Equal(a.PositiveDeltas, b.PositiveDeltas) && slices.Equal(a.NegativeDeltas, b.NegativeDeltas) &&
		sameFloat(a.CountFloat, b.CountFloat) && sameFloat(a.ZeroCountFloat, b.ZeroCountFloat) &&
		sameFloats(a.PositiveCounts, b.PositiveCounts) && sameFloats(a.NegativeCounts, b.NegativeCounts) &&
		slices.Equal(a.PositiveSpans, b.PositiveSpans) && slices.Equal(a.NegativeSpans, b.NegativeSpans) &&
		sameFloats(a.CustomValues, b.CustomValues)
}
