package promwire

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

func floatHistogram() Histogram {
	return Histogram{
		IsFloat: true, CountFloat: 5.5, Sum: 1, ZeroCountFloat: 0.5, Schema: 3, ZeroThreshold: 0x1p-128,
		PositiveSpans: []BucketSpan{{-2, 1}, {0, 0}, {3, 1}}, PositiveCounts: []float64{1, 2},
		NegativeSpans: []BucketSpan{{0, 1}}, NegativeCounts: []float64{2},
	}
}

func customHistogram() Histogram {
	return Histogram{
		Count: 3, Sum: 2, Schema: CustomBucketsSchema, CustomValues: []float64{-1, 0, 1.5},
		PositiveSpans: []BucketSpan{{1, 1}, {1, 1}}, PositiveDeltas: []int64{1, 1},
	}
}

func TestHistogramValidate(t *testing.T) {
	inf := math.Inf(1)
	tests := []struct {
		name   string
		base   func() Histogram
		change func(h *Histogram)
		want   string // "" if valid
	}{
		{"integer", integer, func(*Histogram) {}, ""},
		{"float", floatHistogram, func(*Histogram) {}, ""},
		{"custom", customHistogram, func(*Histogram) {}, ""},
		{"empty", integer, func(h *Histogram) { *h = Histogram{} }, ""},
		{"empty float", integer, func(h *Histogram) { *h = Histogram{IsFloat: true} }, ""},
		{"empty custom", integer, func(h *Histogram) { *h = Histogram{Schema: CustomBucketsSchema} }, ""},

		{"schema -4", integer, func(h *Histogram) { h.Schema = -4 }, ""},
		{"schema 8", integer, func(h *Histogram) { h.Schema = 8 }, ""},
		{"reserved schema 9", integer, func(h *Histogram) { h.Schema = 9 }, ""},
		{"reserved schema 52", integer, func(h *Histogram) { h.Schema = 52 }, ""},
		{"schema 53", integer, func(h *Histogram) { h.Schema = 53 }, "schema 53"},
		{"schema -5", integer, func(h *Histogram) { h.Schema = -5 }, "schema -5"},
		{"schema -54", integer, func(h *Histogram) { h.Schema = -54 }, "schema -54"},

		{"negative first offset", integer, func(h *Histogram) { h.PositiveSpans[0].Offset = math.MinInt32 }, ""},
		{"negative later offset", integer, func(h *Histogram) { h.PositiveSpans[1].Offset = -1 }, "positive span 1 has offset -1"},
		{"negative offset of the negative side", floatHistogram, func(h *Histogram) {
			h.NegativeSpans = append(h.NegativeSpans, BucketSpan{-1, 0})
		}, "negative span 1 has offset -1"},
		{"spans of length 0", integer, func(h *Histogram) {
			h.PositiveSpans = append(h.PositiveSpans, BucketSpan{5, 0}, BucketSpan{0, 0})
		}, ""},
		{"too few buckets", integer, func(h *Histogram) { h.PositiveSpans[0].Length++ }, "cover 4 buckets, there are 3"},
		{"too many buckets", integer, func(h *Histogram) { h.PositiveSpans = nil }, "cover 0 buckets, there are 3"},
		{"spans without buckets", integer, func(h *Histogram) { h.NegativeSpans = []BucketSpan{{0, 1}} }, "negative spans cover 1 buckets"},
		{"span lengths that overflow", integer, func(h *Histogram) {
			h.PositiveSpans = []BucketSpan{{0, 1 << 31}, {0, 1 << 31}, {0, 3}}
		}, "beyond the 32-bit range"},
		{"huge length", integer, func(h *Histogram) { h.PositiveSpans = []BucketSpan{{-5, math.MaxUint32}} }, "positive span"},
		{"offsets that overflow", integer, func(h *Histogram) {
			h.PositiveSpans = []BucketSpan{{math.MaxInt32, 0}, {math.MaxInt32, 3}}
		}, "beyond the 32-bit range"},

		{"count too small", integer, func(h *Histogram) { h.Count-- }, "count is 4, buckets hold 5"},
		{"count too large", integer, func(h *Histogram) { h.Count++ }, "count is 6, buckets hold 5"},
		{"count too large with NaN observed", integer, func(h *Histogram) { h.Count, h.Sum = 9, math.NaN() }, ""},
		{"count equal with NaN observed", integer, func(h *Histogram) { h.Sum = math.NaN() }, ""},
		{"count too small with NaN observed", integer, func(h *Histogram) { h.Count, h.Sum = 4, math.NaN() }, "count is 4"},
		{"infinite sum", integer, func(h *Histogram) { h.Sum = inf }, ""},
		{"negative side counts", integer, func(h *Histogram) {
			h.NegativeSpans, h.NegativeDeltas, h.Count = []BucketSpan{{0, 2}}, []int64{3, -3}, 8
		}, ""},
		{"negative bucket", integer, func(h *Histogram) { h.PositiveDeltas[2] = -9 }, "positive bucket 2"},
		{"negative first bucket of the negative side", integer, func(h *Histogram) {
			h.NegativeSpans, h.NegativeDeltas = []BucketSpan{{0, 1}}, []int64{-1}
		}, "negative bucket 0"},
		{"bucket that overflows", integer, func(h *Histogram) { h.PositiveDeltas[1] = math.MaxInt64 }, "positive bucket 1"},
		{"sum of buckets that overflows", integer, func(h *Histogram) {
			h.ZeroCount, h.PositiveDeltas = math.MaxUint64, []int64{6, 0, 0}
		}, "sum of all buckets overflows"},
		{"largest count", integer, func(h *Histogram) {
			h.Count, h.ZeroCount, h.PositiveDeltas = math.MaxUint64, 1, []int64{math.MaxInt64, 0, -math.MaxInt64}
		}, ""},
		{"the other form's fields do not count", integer, func(h *Histogram) {
			h.CountFloat, h.PositiveCounts, h.NegativeCounts = -1, []float64{-1}, []float64{-1}
		}, ""},
		{"custom values with an exponential schema", integer, func(h *Histogram) { h.CustomValues = []float64{1} }, "schema 0 has custom values"},
		{"custom values with a reserved schema", integer, func(h *Histogram) { h.Schema, h.CustomValues = 9, []float64{1} }, "has custom values"},

		{"float count need not fit", floatHistogram, func(h *Histogram) { h.CountFloat = 0 }, ""},
		{"float NaN everywhere", floatHistogram, func(h *Histogram) {
			h.CountFloat, h.ZeroCountFloat, h.PositiveCounts[0] = math.NaN(), math.NaN(), math.NaN()
		}, ""},
		{"float negative count", floatHistogram, func(h *Histogram) { h.CountFloat = -1 }, "count is -1"},
		{"float negative zero count", floatHistogram, func(h *Histogram) { h.ZeroCountFloat = -0.5 }, "zero count is -0.5"},
		{"float negative bucket", floatHistogram, func(h *Histogram) { h.PositiveCounts[1] = -1 }, "positive bucket 1 has count -1"},
		{"float negative bucket of the negative side", floatHistogram, func(h *Histogram) { h.NegativeCounts[0] = -inf }, "negative bucket 0"},
		{"float buckets only as deltas", floatHistogram, func(h *Histogram) {
			h.PositiveCounts, h.PositiveDeltas = nil, []int64{1, 2}
		}, "cover 2 buckets, there are 0"},
		{"minus zero is not negative", floatHistogram, func(h *Histogram) { h.CountFloat = math.Copysign(0, -1) }, ""},

		{"custom float", customHistogram, func(h *Histogram) {
			h.IsFloat, h.PositiveDeltas, h.PositiveCounts = true, nil, []float64{1, 2}
		}, ""},
		{"custom bounds equal", customHistogram, func(h *Histogram) { h.CustomValues[1] = -1 }, "custom value 1 is -1 after -1"},
		{"custom bounds falling", customHistogram, func(h *Histogram) { h.CustomValues[2] = -9 }, "custom value 2"},
		{"custom bound NaN", customHistogram, func(h *Histogram) { h.CustomValues[0] = math.NaN() }, "custom value 0 is NaN"},
		{"custom bound +Inf", customHistogram, func(h *Histogram) { h.CustomValues[2] = inf }, "+Inf is implied"},
		{"custom bound -Inf", customHistogram, func(h *Histogram) { h.CustomValues[0] = -inf }, "custom value 0"},
		{"custom zero count", customHistogram, func(h *Histogram) { h.ZeroCount, h.Count = 1, 4 }, "no zero bucket"},
		{"custom zero count of a float", customHistogram, func(h *Histogram) {
			h.IsFloat, h.PositiveDeltas, h.PositiveCounts, h.ZeroCountFloat = true, nil, []float64{1, 2}, 1
		}, "no zero bucket"},
		{"custom zero threshold", customHistogram, func(h *Histogram) { h.ZeroThreshold = 0.1 }, "no zero bucket"},
		{"custom negative spans", customHistogram, func(h *Histogram) { h.NegativeSpans = []BucketSpan{{0, 0}} }, "no negative side"},
		{"custom negative buckets", customHistogram, func(h *Histogram) { h.NegativeDeltas = []int64{0} }, "no negative side"},
		{"custom last bucket", customHistogram, func(h *Histogram) { h.PositiveSpans[1].Offset = 1 }, ""},
		{"custom beyond the last bucket", customHistogram, func(h *Histogram) { h.PositiveSpans[1].Offset = 2 }, "reach bucket 5 of 4"},
		{"custom negative first offset", customHistogram, func(h *Histogram) { h.PositiveSpans[0].Offset = -1 }, "start at index -1"},
		{"custom without bounds", customHistogram, func(h *Histogram) {
			h.CustomValues, h.Count, h.PositiveSpans, h.PositiveDeltas = nil, 7, []BucketSpan{{0, 1}}, []int64{7}
		}, ""},

		{"stale", integer, func(h *Histogram) {
			h.Sum, h.Schema, h.Count, h.PositiveSpans, h.CustomValues = StaleNaN(), 99, 77, nil, []float64{1}
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := tt.base()
			tt.change(&h)
			err := h.Validate()
			if tt.want == "" {
				if err != nil {
					t.Errorf("error %v, want it valid", err)
				}
				return
			}
			if !errors.Is(err, ErrInvalidHistogram) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func integer() Histogram { return validHistogram(1) }

func TestHistogramValidateAllocations(t *testing.T) {
	for _, h := range []Histogram{integer(), floatHistogram(), customHistogram()} {
		if n := testing.AllocsPerRun(20, func() {
			if h.Validate() != nil {
				t.Error("invalid")
			}
		}); n != 0 {
			t.Errorf("%v allocations, want 0", n)
		}
	}
}

func TestReduceResolution(t *testing.T) {
	tests := []struct {
		name   string
		from   int32
		to     int32
		spans  []BucketSpan
		counts []int64
		want   []BucketSpan
		into   []int64
	}{
		// Bucket i of the finer schema ends where bucket ceil(i/2) of the next coarser one does.
		{"pairs", 1, 0, []BucketSpan{{1, 4}}, []int64{1, 2, 3, 4}, []BucketSpan{{1, 2}}, []int64{3, 7}},
		{"pairs across zero", 1, 0, []BucketSpan{{-2, 5}}, []int64{1, 2, 3, 4, 5}, []BucketSpan{{-1, 3}}, []int64{1, 5, 9}},
		{"two steps", 2, 0, []BucketSpan{{1, 5}}, []int64{1, 1, 1, 1, 7}, []BucketSpan{{1, 2}}, []int64{4, 7}},
		{"all into one", 8, -4, []BucketSpan{{1, 3}, {100, 1}}, []int64{1, 2, 3, 4}, []BucketSpan{{1, 1}}, []int64{10}},
		{"gap stays", 1, 0, []BucketSpan{{1, 2}, {4, 2}}, []int64{1, 2, 3, 4}, []BucketSpan{{1, 1}, {2, 1}}, []int64{3, 7}},
		{"gap closes", 1, 0, []BucketSpan{{1, 1}, {1, 1}, {1, 1}}, []int64{1, 2, 3}, []BucketSpan{{1, 3}}, []int64{1, 2, 3}},
		{"gap within one", 2, 0, []BucketSpan{{1, 1}, {1, 1}}, []int64{1, 2}, []BucketSpan{{1, 1}}, []int64{3}},
		{"empty spans", 1, 0, []BucketSpan{{1, 0}, {2, 0}, {0, 2}}, []int64{1, 2}, []BucketSpan{{2, 1}}, []int64{3}},
		{"empty buckets stay", 1, 0, []BucketSpan{{1, 4}}, []int64{0, 0, 1, 0}, []BucketSpan{{1, 2}}, []int64{0, 1}},
		{"reserved schema", 52, 8, []BucketSpan{{0, 2}}, []int64{1, 2}, []BucketSpan{{0, 2}}, []int64{1, 2}},
		{"least index", 1, 0, []BucketSpan{{math.MinInt32, 1}, {math.MaxInt32, 1}}, []int64{1, 2}, []BucketSpan{{-1 << 30, 1}, {1<<30 - 1, 1}}, []int64{1, 2}},
		{"extreme indices", 9, 8, []BucketSpan{{math.MinInt32, 1}, {math.MaxInt32, 0}, {math.MaxInt32 - 1, 1}}, []int64{1, 2}, []BucketSpan{{-1 << 30, 1}, {math.MaxInt32 - 1, 1}}, []int64{1, 2}},
		{"none", 1, 0, nil, nil, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			integer := Histogram{Schema: tt.from, NegativeSpans: slices.Clone(tt.spans), NegativeDeltas: deltas(tt.counts)}
			float := Histogram{Schema: tt.from, IsFloat: true, PositiveSpans: slices.Clone(tt.spans)}
			for _, c := range tt.counts {
				integer.Count += uint64(c)
				float.PositiveCounts = append(float.PositiveCounts, float64(c))
			}
			for _, h := range []*Histogram{&integer, &float} {
				if err := h.ReduceResolution(tt.to); err != nil {
					t.Fatal(err)
				}
				if err := h.Validate(); err != nil || h.Schema != tt.to {
					t.Errorf("afterwards %+v: %v", h, err)
				}
			}
			if !slices.Equal(integer.NegativeSpans, tt.want) || !slices.Equal(integer.NegativeDeltas, deltas(tt.into)) {
				t.Errorf("integer: %+v", integer)
			}
			var counts []int64
			for _, c := range float.PositiveCounts {
				counts = append(counts, int64(c))
			}
			if !slices.Equal(float.PositiveSpans, tt.want) || !slices.Equal(counts, tt.into) {
				t.Errorf("float: %+v", float)
			}
		})
	}
}

func deltas(counts []int64) []int64 {
	out := slices.Clone(counts)
	for i := range out {
		if i > 0 {
			out[i] = counts[i] - counts[i-1]
		}
	}
	return out
}

func TestReduceResolutionErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		h  Histogram
		to int32
	}{
		"the same schema":       {integer(), 0},
		"a finer schema":        {integer(), 1},
		"a schema too coarse":   {integer(), -5},
		"custom buckets":        {customHistogram(), 0},
		"into custom buckets":   {integer(), CustomBucketsSchema},
		"an invalid histogram":  {Histogram{Schema: 3, Count: 1}, 0},
		"an unknown schema":     {Histogram{Schema: 60}, 8},
		"counts beyond int64":   {Histogram{Schema: 3, Count: math.MaxUint64, ZeroCount: math.MaxUint64}, 0},
		"custom values as well": {Histogram{Schema: 3, CustomValues: []float64{1}}, 0},
	} {
		before := tt.h.Clone()
		if err := tt.h.ReduceResolution(tt.to); !errors.Is(err, ErrInvalidHistogram) {
			t.Errorf("%s: error %v", name, err)
		}
		if tt.h.Schema != before.Schema || !slices.Equal(tt.h.PositiveDeltas, before.PositiveDeltas) {
			t.Errorf("%s: changed to %+v", name, tt.h)
		}
	}
	stale := Histogram{Schema: 20, Sum: StaleNaN(), Count: 77}
	if err := stale.ReduceResolution(8); err != nil || stale.Schema != 8 {
		t.Errorf("stale: %v, schema %d", err, stale.Schema)
	}
}
