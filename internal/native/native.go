// Package native makes native histograms, one of each kind, for the suites that hold storages and endpoints against the
// contract. Each is valid and has the timestamp t, in milliseconds; nothing is shared between two of them.
package native

import (
	"math"

	"github.com/promwire/promwire"
)

// Int has integer counts, a zero bucket, and buckets on both sides.
func Int(t int64) promwire.Histogram {
	return promwire.Histogram{
		Timestamp: t, Schema: 0, Sum: 18.5, ZeroThreshold: math.Ldexp(1, -128), Count: 8, ZeroCount: 1,
		PositiveSpans: []promwire.BucketSpan{{Offset: 1, Length: 2}, {Offset: 1, Length: 1}}, PositiveDeltas: []int64{1, 1, -1},
		NegativeSpans: []promwire.BucketSpan{{Offset: -1, Length: 1}}, NegativeDeltas: []int64{3},
	}
}

// Float has float counts.
func Float(t int64) promwire.Histogram {
	return promwire.Histogram{
		Timestamp: t, IsFloat: true, Schema: 3, Sum: -2.25, ZeroThreshold: 0.001, CountFloat: 7.5, ZeroCountFloat: 0.5,
		PositiveSpans: []promwire.BucketSpan{{Offset: -2, Length: 2}}, PositiveCounts: []float64{2.5, 4.5},
	}
}

// Gauge is [Int] as a gauge.
func Gauge(t int64) promwire.Histogram {
	h := Int(t)
	h.ResetHint = promwire.ResetGauge
	return h
}

// Custom has buckets with bounds of its own.
func Custom(t int64) promwire.Histogram {
	return promwire.Histogram{
		Timestamp: t, Schema: promwire.CustomBucketsSchema, Sum: 5.5, Count: 3, CustomValues: []float64{0.1, 1},
		PositiveSpans: []promwire.BucketSpan{{Offset: 0, Length: 1}, {Offset: 1, Length: 1}}, PositiveDeltas: []int64{2, -1},
	}
}

// Stale is a stale marker.
func Stale(t int64) promwire.Histogram {
	return promwire.Histogram{Timestamp: t, Sum: promwire.StaleNaN()}
}
