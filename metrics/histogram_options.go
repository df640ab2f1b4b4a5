package metrics

import (
	"fmt"
	"math"
	"slices"

	"github.com/promwire/promwire"
)

// HistogramOption is an option of histograms. Every [InstrumentOption] is one.
type HistogramOption interface{ applyToHistogram(*definition) }

func (o InstrumentOption) applyToHistogram(d *definition) { o(d) }

type histogramOption func(*definition)

func (o histogramOption) applyToHistogram(d *definition) { o(d) }

// WithBounds gives the histogram classic buckets with these upper inclusive bounds: finite and strictly increasing; +Inf
// is implied and must be left out. The default suits durations of requests in seconds: 0.005, 0.01, 0.025, 0.05, 0.1,
// 0.25, 0.5, 1, 2.5, 5, 10. A histogram with a native form has classic buckets only if this option is given, too.
func WithBounds(bounds ...float64) HistogramOption {
	return histogramOption(func(d *definition) { d.classic, d.bounds = true, slices.Clone(bounds) })
}

var defaultBounds = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// Defaults of native histograms with exponential buckets.
const (
	// DefaultMaxNativeBuckets is the default of [WithMaxNativeBuckets].
	DefaultMaxNativeBuckets = 160
	// DefaultZeroThreshold is the default of [WithZeroThreshold], 2^-128.
	DefaultZeroThreshold = 0x1p-128
)

// WithNativeGrowth makes the histogram a native one with exponential buckets, whose bounds grow by at most this factor,
// from 2^(1/256), about 1.0028, on: 1.1 gives buckets that are at most 10 % wide. It takes the coarsest schema that
// does: that of 1.1 is 3, with a factor of 2^(1/8), about 1.09. Receivers of Remote Write 1.0 take this form if native
// histograms are on there.
func WithNativeGrowth(factor float64) HistogramOption {
	return histogramOption(func(d *definition) {
		if math.IsNaN(factor) || math.IsInf(factor, 0) || factor < math.Exp2(1./256) {
			d.problem = fmt.Errorf("%w: growth factor %v, use at least 1.0028", ErrInvalidNative, factor)
			return
		}
		schema := promwire.MinSchema
		for schema < promwire.MaxSchema && math.Exp2(math.Exp2(-float64(schema))) > factor {
			schema++
		}
		d.setExponential(int32(schema))
	})
}

// WithNativeSchema is [WithNativeGrowth] by the schema itself, from -4 to 8: the factor is 2^(2^-schema).
func WithNativeSchema(schema int) HistogramOption {
	return histogramOption(func(d *definition) {
		if schema < promwire.MinSchema || schema > promwire.MaxSchema {
			d.problem = fmt.Errorf("%w: schema %d, use %d to %d", ErrInvalidNative, schema, promwire.MinSchema, promwire.MaxSchema)
			return
		}
		d.setExponential(int32(schema))
	})
}

// WithMaxNativeBuckets limits the exponential buckets of a series that are not empty, the zero bucket apart. The
// observation that exceeds it halves the resolution, by joining pairs of neighbours, as often as it takes; the lost
// resolution does not come back. It ends at schema -4, where all floats are in fewer than 140 buckets of each sign,
// whatever the limit. The default is [DefaultMaxNativeBuckets]; at least 1.
func WithMaxNativeBuckets(n int) HistogramOption {
	return histogramOption(func(d *definition) {
		if n < 1 {
			d.problem = fmt.Errorf("%w: at most %d buckets, use 1 or more", ErrInvalidNative, n)
		}
		d.native.max = n
		d.tuned = true
	})
}

// WithZeroThreshold sets what counts as zero in exponential buckets: all values from -threshold to threshold. It is finite,
// and best a power of two. The default is [DefaultZeroThreshold]; 0 leaves the zero bucket to the number zero.
func WithZeroThreshold(threshold float64) HistogramOption {
	return histogramOption(func(d *definition) {
		if !finite(threshold) || threshold < 0 {
			d.problem = fmt.Errorf("%w: zero threshold %v, use a finite number, not negative", ErrInvalidNative, threshold)
		}
		d.native.zero = math.Abs(threshold) // of -0, too
		d.tuned = true
	})
}

// WithNativeBounds makes the histogram a native one with these custom buckets (NHCB), all in a single series; what holds
// for the bounds is said at [WithBounds]. Remote Write 1.0 has no form for it: the remote-write client refuses such
// series by name if the receiver does not take 2.0.
func WithNativeBounds(bounds ...float64) HistogramOption {
	return histogramOption(func(d *definition) {
		d.setNative(custom)
		d.nativeBounds = slices.Clone(bounds)
	})
}

func (d *definition) setExponential(schema int32) {
	d.setNative(exponential)
	d.native.schema = schema
}

func (d *definition) setNative(form nativeForm) {
	if d.native.form != noNative && d.native.form != form {
		d.problem = fmt.Errorf("%w: exponential and custom buckets exclude each other", ErrInvalidNative)
	}
	d.native.form = form
}

// defineHistogram applies options and defaults.
func defineHistogram(name string, labels []string, opts []HistogramOption) definition {
	d := define(promwire.TypeHistogram, name, labels, nil)
	d.native.max, d.native.zero = DefaultMaxNativeBuckets, DefaultZeroThreshold
	for _, o := range opts {
		o.applyToHistogram(&d)
	}
	if d.native.form == noNative && !d.classic {
		d.classic, d.bounds = true, defaultBounds
	}
	if d.native.form != exponential {
		if d.tuned && d.problem == nil {
			d.problem = fmt.Errorf("%w: limit and zero threshold are of exponential buckets, which were not asked for", ErrInvalidNative)
		}
		d.native = native{form: d.native.form}
	}
	return d
}
