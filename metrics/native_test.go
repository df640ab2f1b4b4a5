package metrics

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/promwire/promwire"
)

func TestNativeIndex(t *testing.T) {
	next := func(v float64) float64 { return math.Nextafter(v, math.Inf(1)) }
	before := func(v float64) float64 { return math.Nextafter(v, 0) }
	tests := []struct {
		schema int32
		v      float64
		want   int32
	}{
		// Upper bounds are inclusive, exactly.
		{0, 1, 0},
		{0, next(1), 1},
		{0, before(1), 0},
		{0, 2, 1},
		{0, next(2), 2},
		{0, 0.5, -1},
		{0, next(0.5), 0},
		{3, 1, 0},
		{3, next(1), 1},
		{3, 2, 8},
		{3, before(2), 8},
		{3, next(2), 9},
		{3, 0.5, -8},
		{3, 1024, 80},
		{8, 1, 0},
		{8, next(1), 1},
		{8, 4, 512},
		{8, next(4), 513},
		{8, 1.5, 150},
		{1, 1.4, 1},
		{1, 1.42, 2},
		{2, 10, 14},
		{5, 0.001, -318},
		{-1, 4, 1},
		{-1, next(4), 2},
		{-1, 1, 0},
		{-1, 0.5, 0},
		{-1, 0.25, -1},
		{-1, next(0.25), 0},
		{-2, 16, 1},
		{-2, 17, 2},
		{-2, 1. / 16, -1},
		{-4, 65536, 1},
		{-4, 65537, 2},
		{-4, 1, 0},
		{-4, 1. / 65536, -1},
		// The ends of the floats.
		{0, math.MaxFloat64, 1024},
		{8, math.MaxFloat64, 262144},
		{-4, math.MaxFloat64, 64},
		{0, math.SmallestNonzeroFloat64, -1074},
		{8, math.SmallestNonzeroFloat64, -274944},
		{-4, math.SmallestNonzeroFloat64, -67},
		{0, 0x1p-1022, -1022},
		{0, before(0x1p-1022), -1022},
		{0, next(0x1p-1022), -1021},
	}
	for _, tt := range tests {
		if got := nativeIndex(tt.v, tt.schema); got != tt.want {
			t.Errorf("schema %d: %g is in bucket %d, want %d", tt.schema, tt.v, got, tt.want)
		}
	}
}

// Bounds ascend in each schema, are those of the schema before at each second place, and are off by nothing that matters.
func TestOctaves(t *testing.T) {
	for schema := int32(1); schema <= promwire.MaxSchema; schema++ {
		bounds := octave(schema)
		if len(bounds) != 1<<schema || bounds[0] != 0.5 || !slices.IsSorted(bounds) || bounds[len(bounds)-1] >= 1 {
			t.Fatalf("schema %d: %d bounds from %v to %v", schema, len(bounds), bounds[0], bounds[len(bounds)-1])
		}
		for i, b := range bounds {
			if want := math.Exp2(float64(i)/float64(len(bounds)) - 1); math.Abs(b-want) > 2e-15 {
				t.Errorf("schema %d, bound %d: %v, want %v", schema, i, b, want)
			}
			if i%2 == 0 && b != octave(schema - 1)[i/2] {
				t.Errorf("schema %d, bound %d is not that of schema %d", schema, i, schema-1)
			}
		}
	}
}

// Joining buckets gives the index that the coarser schema gives, so that resolution can be reduced at any time.
func TestCoarserAgreesWithSchema(t *testing.T) {
	for _, v := range []float64{1, 2, 3, 0.1, 0.5, 0.75, math.Sqrt2, 1e-300, 1e300, 0x1p-128, 123456.789, math.Pi} {
		for schema := int32(promwire.MaxSchema); schema >= promwire.MinSchema; schema-- {
			steps := uint8(promwire.MaxSchema - schema)
			if got, want := coarser(nativeIndex(v, promwire.MaxSchema), steps), nativeIndex(v, schema); got != want {
				t.Errorf("%v: joined to bucket %d of schema %d, want %d", v, got, schema, want)
			}
		}
	}
}

func TestBucketsOnTheWire(t *testing.T) {
	tests := []struct {
		name   string
		in     buckets
		spans  string
		deltas string
	}{
		{"none", nil, "[]", "[]"},
		{"one", buckets{{5, 3}}, "[{5 1}]", "[3]"},
		{"first is negative", buckets{{-7, 3}}, "[{-7 1}]", "[3]"},
		{"run", buckets{{0, 1}, {1, 4}, {2, 2}}, "[{0 3}]", "[1 3 -2]"},
		{"small gap", buckets{{1, 1}, {4, 2}}, "[{1 4}]", "[1 -1 0 2]"},
		{"large gap", buckets{{1, 1}, {5, 2}, {6, 2}}, "[{1 1} {3 2}]", "[1 1 0]"},
		{"first after zero", buckets{{2, 1}}, "[{2 1}]", "[1]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			spans, deltas, total := tt.in.appendTo(nil, nil)
			if fmt.Sprint(spans) != tt.spans || fmt.Sprint(deltas) != tt.deltas {
				t.Errorf("got %v %v, want %s %s", spans, deltas, tt.spans, tt.deltas)
			}
			want := uint64(0)
			for _, b := range tt.in {
				want += b.count
			}
			if total != want {
				t.Errorf("total %d, want %d", total, want)
			}
		})
	}
}

// Any observations, with and without a time, in any resolution: histograms are valid, each observation lies in a bucket
// that counts it, and the count is that of the observations.
func FuzzNativeTally(f *testing.F) {
	f.Add(int8(3), uint8(160), []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0xe0, 0xbf})
	f.Add(int8(8), uint8(2), []byte("some bytes that make floats of all sizes"))
	f.Add(int8(-4), uint8(1), []byte{1, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xef, 0x7f})
	f.Fuzz(func(t *testing.T, schema int8, limit uint8, data []byte) {
		if schema < promwire.MinSchema || schema > promwire.MaxSchema || limit == 0 {
			return
		}
		d := defineHistogram("h", nil, []HistogramOption{WithNativeSchema(int(schema)), WithMaxNativeBuckets(int(limit))})
		var first, second nativeTally
		var values []float64
		for ; len(data) >= 8 && len(values) < 400; data = data[8:] {
			v := math.Float64frombits(uint64(data[0]) | uint64(data[1])<<8 | uint64(data[2])<<16 | uint64(data[3])<<24 |
				uint64(data[4])<<32 | uint64(data[5])<<40 | uint64(data[6])<<48 | uint64(data[7])<<56)
			if !finite(v) {
				continue
			}
			values = append(values, v)
			into := &first
			if data[0]%2 == 0 {
				into = &second
			}
			into.add(d.locate(v), &d.native)
			if data[1]%8 == 0 {
				first.take(&second, &d.native)
			}
		}
		first.take(&second, &d.native)
		checkTally(t, &first, &d, values)
		if second.zeroCount != 0 || len(second.positive)+len(second.negative) != 0 {
			t.Fatal("what was taken is still there")
		}
	})
}

func checkTally(t *testing.T, tally0 *nativeTally, d *definition, values []float64) {
	w := nativeWire{}
	for range 2 { // with the memory of the first one
		w.drop(0)
		w.add(1000, 1, &tally{native: tally0}, d)
	}
	h := &w.histograms[0]
	if err := h.Validate(); err != nil {
		t.Fatalf("%v: %+v", err, h)
	}
	if h.Count != uint64(len(values)) {
		t.Fatalf("count %d, want %d", h.Count, len(values))
	}
	if n := len(tally0.positive) + len(tally0.negative); n > d.native.max && h.Schema > promwire.MinSchema {
		t.Fatalf("%d buckets of schema %d, at most %d are allowed", n, h.Schema, d.native.max)
	}
	up, down := map[int32]uint64{}, map[int32]uint64{}
	zero := uint64(0)
	for _, v := range values {
		switch {
		case math.Abs(v) <= h.ZeroThreshold:
			zero++
		case v > 0:
			up[holding(t, v, h.Schema)]++
		default:
			down[holding(t, -v, h.Schema)]++
		}
	}
	if zero != h.ZeroCount {
		t.Fatalf("zero count %d, want %d", h.ZeroCount, zero)
	}
	for _, s := range []struct {
		got  buckets
		want map[int32]uint64
	}{{tally0.positive, up}, {tally0.negative, down}} {
		for _, b := range s.got {
			if s.want[b.index] != b.count {
				t.Fatalf("bucket %d holds %d, want %d", b.index, b.count, s.want[b.index])
			}
		}
		if len(s.got) != len(s.want) || !slices.IsSortedFunc(s.got, func(a, b bucket) int { return int(a.index) - int(b.index) }) {
			t.Fatalf("buckets %v, want %v", s.got, s.want)
		}
	}
}

// holding returns the index of v's bucket, after it has made sure that v lies in there, by the definition.
func holding(t *testing.T, v float64, schema int32) int32 {
	i := nativeIndex(v, schema)
	width := math.Exp2(-float64(schema))
	// Logarithms are not exact; what is exact, the powers of two, is in the tables of cases.
	if position := math.Log2(v) / width; position > float64(i)+1e-9*math.Abs(position)+1e-9 || position < float64(i)-1-1e-9*math.Abs(position)-1e-9 {
		t.Fatalf("schema %d: %v is at %v, which is not in bucket %d", schema, v, position, i)
	}
	return i
}
