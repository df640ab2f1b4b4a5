package promwire_test

import (
	"math"
	"testing"

	"github.com/promwire/promwire"
)

// histogramFull has every field of a histogram of both forms, so that none is mixed up with another.
func histogramFull() msg {
	return msg{}.double(3, 3.5).sint(4, -53).double(5, 5.5).
		sub(8, spanMsg(-8, 80)).sub(8, spanMsg(8, 81)).sints(9, -9, 9, math.MinInt64).doubles(10, 10, -10).
		sub(11, spanMsg(-11, 110)).sints(12, -12, 12, 70, 9000, math.MaxInt64).doubles(13, 13, 13.5).
		uint(14, 3).int(15, -15).doubles(16, 16, 16.5)
}

func histogramWant() promwire.Histogram {
	return promwire.Histogram{
		Sum: 3.5, Schema: -53, ZeroThreshold: 5.5,
		NegativeSpans:  []promwire.BucketSpan{{Offset: -8, Length: 80}, {Offset: 8, Length: 81}},
		NegativeDeltas: []int64{-9, 9, math.MinInt64},
		NegativeCounts: []float64{10, -10},
		PositiveSpans:  []promwire.BucketSpan{{Offset: -11, Length: 110}},
		PositiveDeltas: []int64{-12, 12, 70, 9000, math.MaxInt64},
		PositiveCounts: []float64{13, 13.5},
		ResetHint:      promwire.ResetGauge, Timestamp: -15, CustomValues: []float64{16, 16.5},
	}
}

func TestDecodeHistogramForms(t *testing.T) {
	full := histogramWant()
	with := func(set func(*promwire.Histogram)) promwire.Histogram {
		h := full.Clone()
		set(&h)
		return h
	}
	unpacked := msg{}.double(3, 3.5).sint(4, -53).double(5, 5.5).
		sint(9, -9).doubles(13, 13).sub(8, msg{}.uint(2, 80).sint(1, -8)).sint(12, -12).double(10, 10).
		sints(9, 9).sub(11, spanMsg(-11, 110)).double(10, -10).sints(12, 12, 70).sint(12, 9000).
		sint(9, math.MinInt64).sub(8, spanMsg(8, 81)).double(13, 13.5).sint(12, math.MaxInt64).
		double(16, 16).doubles(16, 16.5).doubles(16).uint(14, 3).int(15, -15)
	tests := []struct {
		name string
		msg  msg
		want promwire.Histogram
	}{
		{"every field", histogramFull(), full},
		{"unpacked, mixed, interleaved", unpacked, full},
		{"unknown fields", unknown(18).append(histogramFull()).append(unknown(19)), full},
		{
			"count absent means integer", histogramFull().double(7, 1),
			with(func(h *promwire.Histogram) { h.ZeroCountFloat = 1 }),
		},
		{"integer zero", histogramFull().uint(1, 0).uint(6, 0), full},
		{
			"float zero", histogramFull().double(2, 0).double(7, 0),
			with(func(h *promwire.Histogram) { h.IsFloat = true }),
		},
		{
			"integer after float", histogramFull().double(2, 2.5).double(7, 7.5).uint(1, 1<<63).uint(6, 6),
			with(func(h *promwire.Histogram) { h.Count, h.ZeroCount = 1<<63, 6 }),
		},
		{
			"float after integer", histogramFull().uint(1, 1).uint(6, 6).double(7, 7.5).double(2, 2.5),
			with(func(h *promwire.Histogram) { h.IsFloat, h.CountFloat, h.ZeroCountFloat = true, 2.5, 7.5 }),
		},
		{
			"stale sum and minus zero", histogramFull().double(3, promwire.StaleNaN()).double(5, math.Copysign(0, -1)),
			with(func(h *promwire.Histogram) { h.Sum, h.ZeroThreshold = promwire.StaleNaN(), math.Copysign(0, -1) }),
		},
		{
			"unknown field in a span", histogramFull().sub(11, unknown(3).uint(2, 1)),
			with(func(h *promwire.Histogram) {
				h.PositiveSpans = append(h.PositiveSpans, promwire.BucketSpan{Length: 1})
			}),
		},
		{
			"spans of extreme numbers", histogramFull().sub(11, spanMsg(math.MinInt32, math.MaxUint32)),
			with(func(h *promwire.Histogram) {
				h.PositiveSpans = append(h.PositiveSpans,
					promwire.BucketSpan{Offset: math.MinInt32, Length: math.MaxUint32})
			}),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
				Labels: named("h"), Histograms: []promwire.Histogram{tt.want},
			}}}
			checkDecodes(t, msg{}.sub(1, msg{}.sub(1, labelMsg("__name__", "h")).sub(4, tt.msg)), v1, want)
			// Field 17 is the start timestamp in 2.0 and unknown in 1.0.
			started := tt.msg.int(17, -17)
			checkDecodes(t, msg{}.sub(1, msg{}.sub(1, labelMsg("__name__", "h")).sub(4, started)), v1, want)
			want.Timeseries[0].Histograms[0].StartTimestamp = -17
			checkDecodes(t, msg{}.str(4, "").str(4, "__name__").str(4, "h").
				sub(5, msg{}.uints(1, 1, 2).sub(3, started)), v2, want)
		})
	}
}

// TestDecodeDeltas has runs of deltas of one length, broken by one of another length at each place.
func TestDecodeDeltas(t *testing.T) {
	for _, usual := range []int64{5, 1000, 1 << 20, math.MinInt64} {
		for _, other := range []int64{-1, -64, 64, 8191, 8192, 1 << 30, math.MinInt64} {
			for n := range 20 {
				var deltas []int64
				for i := range 20 {
					if deltas = append(deltas, usual+int64(i)); i == n {
						deltas[i] = other
					}
				}
				want := histogramRequest(promwire.Histogram{PositiveDeltas: deltas})
				got := mustDecode(t, msg{}.sub(1, msg{}.sub(4, msg{}.sints(12, deltas...))), v1)
				if !sameRequest(got, want) {
					t.Fatalf("got %v, want %v", got.Timeseries[0].Histograms[0].PositiveDeltas, deltas)
				}
			}
		}
	}
}
