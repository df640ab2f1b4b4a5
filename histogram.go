package promwire

import "slices"

// ResetHint says whether a native histogram follows on its predecessor.
type ResetHint int32

// The reset hints. An unknown number from the wire is kept as it is.
const (
	ResetUnknown ResetHint = iota // the reader must compare
	ResetYes                      // first histogram after a counter reset
	ResetNo                       // no reset since the previous histogram
	ResetGauge                    // a gauge histogram: values may go down freely
)

// CustomBucketsSchema is the schema of native histograms with custom bucket bounds (NHCB).
const CustomBucketsSchema = -53

// BucketSpan is a run of consecutive buckets.
type BucketSpan struct {
	// Offset is the index of the first bucket for the first span (may be negative), and the number of buckets
	// skipped since the span before for the others.
	Offset int32
	// Length is the number of buckets.
	Length uint32
}

// Histogram is a native histogram sample. It is an integer histogram or, if IsFloat is set, a float histogram;
// each form has fields of its own, and those of the other form are not sent.
type Histogram struct {
	// Timestamp is in milliseconds since the Unix epoch.
	Timestamp int64
	// StartTimestamp is when the cumulative counts started from zero, in milliseconds; 0 means unset. Only Remote
	// Write 2.0 carries it.
	StartTimestamp int64

	// Schema is -4..8 for exponential buckets that grow by 2^(2^-Schema), or [CustomBucketsSchema].
	Schema    int32
	ResetHint ResetHint
	// IsFloat says which form this is.
	IsFloat bool

	// Sum of all observations. The stale pattern here marks a stale histogram (see [IsStaleNaN]).
	Sum           float64
	ZeroThreshold float64

	// Integer form. Deltas: the first value is absolute, each next one the difference to the bucket before.
	Count          uint64
	ZeroCount      uint64
	PositiveDeltas []int64
	NegativeDeltas []int64

	// Float form: absolute counts per bucket, not cumulative.
	CountFloat     float64
	ZeroCountFloat float64
	PositiveCounts []float64
	NegativeCounts []float64

	PositiveSpans []BucketSpan
	NegativeSpans []BucketSpan
	// CustomValues are the upper inclusive bounds for [CustomBucketsSchema], strictly increasing, +Inf not listed.
	CustomValues []float64
}

// Reset empties h and keeps the memory of its slices for reuse.
func (h *Histogram) Reset() {
	*h = Histogram{
		PositiveDeltas: h.PositiveDeltas[:0],
		NegativeDeltas: h.NegativeDeltas[:0],
		PositiveCounts: h.PositiveCounts[:0],
		NegativeCounts: h.NegativeCounts[:0],
		PositiveSpans:  h.PositiveSpans[:0],
		NegativeSpans:  h.NegativeSpans[:0],
		CustomValues:   h.CustomValues[:0],
	}
}

// Clone returns a deep copy that shares no memory with h.
func (h *Histogram) Clone() Histogram {
	out := *h
	out.PositiveDeltas = slices.Clone(h.PositiveDeltas)
	out.NegativeDeltas = slices.Clone(h.NegativeDeltas)
	out.PositiveCounts = slices.Clone(h.PositiveCounts)
	out.NegativeCounts = slices.Clone(h.NegativeCounts)
	out.PositiveSpans = slices.Clone(h.PositiveSpans)
	out.NegativeSpans = slices.Clone(h.NegativeSpans)
	out.CustomValues = slices.Clone(h.CustomValues)
	return out
}
