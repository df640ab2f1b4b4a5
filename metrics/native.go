package metrics

import (
	"math"
	"sort"
	"sync"

	"github.com/promwire/promwire"
)

// native says how a histogram's native form is made; the zero value means that there is none.
type native struct {
	form   nativeForm
	schema int32 // the finest one, which a histogram starts with
	max    int   // buckets, or 0 for no limit
	zero   float64
}

type nativeForm uint8

const (
	noNative    nativeForm = iota
	exponential            // buckets that grow by a factor
	custom                 // buckets with bounds of their own (NHCB)
)

// place is where an observation is counted.
type place struct {
	classic int   // index of the classic bucket
	index   int32 // of the native bucket, in the finest schema
	side    side
}

type side uint8

const (
	zeroSide side = iota
	positive
	negative
)

// locate returns the place of v, which is finite.
func (d *definition) locate(v float64) (p place) {
	if d.classic {
		p.classic = findBound(d.bounds, v)
	}
	switch n := &d.native; {
	case n.form == noNative:
	case n.form == custom:
		p.index, p.side = int32(findBound(d.nativeBounds, v)), positive
	case v > n.zero:
		p.index, p.side = nativeIndex(v, n.schema), positive
	case v < -n.zero:
		p.index, p.side = nativeIndex(-v, n.schema), negative
	}
	return p
}

// findBound returns the index of the first bound that is not below v. Few bounds are quicker to walk than to bisect.
func findBound(bounds []float64, v float64) int {
	if len(bounds) > 32 {
		return sort.SearchFloat64s(bounds, v)
	}
	for i, b := range bounds {
		if v <= b {
			return i
		}
	}
	return len(bounds)
}

// nativeIndex returns the index of the bucket that holds v, which is positive and finite: bucket i holds what is above
// base^(i-1), up to and including base^i, and base is 2^(2^-schema) (native histograms, "Data model").
func nativeIndex(v float64, schema int32) int32 {
	frac, exp := frexp(v) // v = frac * 2^exp, 0.5 <= frac < 1
	if schema <= 0 {
		if frac == 0.5 {
			exp--
		}
		return coarser(exp, uint8(-schema))
	}
	bounds := octave(schema)
	low, high := 0, len(bounds)
	for low < high {
		if mid := (low + high) / 2; bounds[mid] < frac {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return (exp-1)<<schema + int32(low)
}

// coarser returns the index in a schema that is lower by steps: a bucket there joins the 2^steps that end with it.
func coarser(index int32, steps uint8) int32 { return (index-1)>>steps + 1 }

// frexp is [math.Frexp] for positive finite numbers, without a call for normal ones.
func frexp(v float64) (float64, int32) {
	bits := math.Float64bits(v)
	exp := int32(bits >> 52)
	if exp == 0 {
		f, e := math.Frexp(v)
		return f, int32(e)
	}
	return math.Float64frombits(bits&(1<<52-1) | 1022<<52), exp - 1022
}

// octave returns the bounds of the buckets within [0.5, 1) for schemas 1 to 8, ascending.
func octave(schema int32) []float64 { return octaves()[schema] }

// octaves computes the bounds as the usual Prometheus clients have them, to the last bit, so that equal observations
// are in equal buckets everywhere: each second bound is that of the schema before, and one between two of them is its
// neighbour times the base.
var octaves = sync.OnceValue(func() *[promwire.MaxSchema + 1][]float64 {
	var all [promwire.MaxSchema + 1][]float64
	all[0] = []float64{0.5}
	for schema := 1; schema <= promwire.MaxSchema; schema++ {
		bounds := make([]float64, 1<<schema)
		base := math.Exp2(math.Exp2(-float64(schema)))
		for i := range bounds {
			if i%2 == 0 {
				bounds[i] = all[schema-1][i/2]
			} else {
				bounds[i] = bounds[i-1] * base
			}
		}
		all[schema] = bounds
	}
	return &all
})
