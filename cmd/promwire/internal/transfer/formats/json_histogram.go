package formats

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/promwire/promwire"
)

// jsonHistogram is a native histogram as remote write has it, exact to the bit. An integer histogram has count, zero_count
// and deltas, a float histogram has the fields with float and counts.
type jsonHistogram struct {
	Timestamp      *int64     `json:"timestamp,omitempty"`
	Float          bool       `json:"float,omitempty"`
	Count          uint64     `json:"count,omitempty"`
	CountFloat     *exact     `json:"count_float,omitempty"`
	Sum            exact      `json:"sum"`
	Schema         int32      `json:"schema"`
	ZeroThreshold  exact      `json:"zero_threshold"`
	ZeroCount      uint64     `json:"zero_count,omitempty"`
	ZeroCountFloat *exact     `json:"zero_count_float,omitempty"`
	PositiveSpans  []jsonSpan `json:"positive_spans,omitempty"`
	PositiveDeltas []int64    `json:"positive_deltas,omitempty"`
	PositiveCounts []exact    `json:"positive_counts,omitempty"`
	NegativeSpans  []jsonSpan `json:"negative_spans,omitempty"`
	NegativeDeltas []int64    `json:"negative_deltas,omitempty"`
	NegativeCounts []exact    `json:"negative_counts,omitempty"`
	CustomValues   []exact    `json:"custom_values,omitempty"`
	ResetHint      int32      `json:"reset_hint,omitempty"`
}

// jsonSpan is a span of buckets.
type jsonSpan struct {
	Offset int32  `json:"offset"`
	Length uint32 `json:"length"`
}

func newJSONHistogram(h *promwire.Histogram) *jsonHistogram {
	out := &jsonHistogram{
		Float: h.IsFloat, Sum: exact(h.Sum), Schema: h.Schema, ZeroThreshold: exact(h.ZeroThreshold),
		PositiveSpans: convert(h.PositiveSpans, func(s promwire.BucketSpan) jsonSpan { return jsonSpan(s) }),
		NegativeSpans: convert(h.NegativeSpans, func(s promwire.BucketSpan) jsonSpan { return jsonSpan(s) }),
		CustomValues:  convert(h.CustomValues, toExact), ResetHint: int32(h.ResetHint),
	}
	if !h.IsFloat {
		out.Count, out.ZeroCount, out.PositiveDeltas, out.NegativeDeltas = h.Count, h.ZeroCount, h.PositiveDeltas, h.NegativeDeltas
		return out
	}
	count, zero := exact(h.CountFloat), exact(h.ZeroCountFloat)
	out.CountFloat, out.ZeroCountFloat = &count, &zero
	out.PositiveCounts, out.NegativeCounts = convert(h.PositiveCounts, toExact), convert(h.NegativeCounts, toExact)
	return out
}

func (j *jsonHistogram) histogram() (*promwire.Histogram, error) {
	h := &promwire.Histogram{
		Schema: j.Schema, ResetHint: promwire.ResetHint(j.ResetHint), IsFloat: j.Float, Sum: float64(j.Sum), ZeroThreshold: float64(j.ZeroThreshold),
		Count: j.Count, ZeroCount: j.ZeroCount, PositiveDeltas: j.PositiveDeltas, NegativeDeltas: j.NegativeDeltas,
		PositiveCounts: convert(j.PositiveCounts, fromExact), NegativeCounts: convert(j.NegativeCounts, fromExact),
		PositiveSpans: convert(j.PositiveSpans, func(s jsonSpan) promwire.BucketSpan { return promwire.BucketSpan(s) }),
		NegativeSpans: convert(j.NegativeSpans, func(s jsonSpan) promwire.BucketSpan { return promwire.BucketSpan(s) }),
		CustomValues:  convert(j.CustomValues, fromExact),
	}
	if j.Timestamp != nil {
		h.Timestamp = *j.Timestamp
	}
	isInteger := j.Count != 0 || j.ZeroCount != 0 || len(j.PositiveDeltas)+len(j.NegativeDeltas) > 0
	isFloat := j.CountFloat != nil || j.ZeroCountFloat != nil || len(j.PositiveCounts)+len(j.NegativeCounts) > 0
	if j.Float && isInteger || !j.Float && isFloat {
		return nil, fmt.Errorf("%w: it has fields of an integer and of a float histogram", promwire.ErrInvalidHistogram)
	}
	if j.CountFloat != nil {
		h.CountFloat = float64(*j.CountFloat)
	}
	if j.ZeroCountFloat != nil {
		h.ZeroCountFloat = float64(*j.ZeroCountFloat)
	}
	return h, nil
}

func toExact(v float64) exact   { return exact(v) }
func fromExact(v exact) float64 { return float64(v) }

func convert[A, B any](in []A, to func(A) B) []B {
	if len(in) == 0 {
		return nil
	}
	out := make([]B, len(in))
	for i := range in {
		out[i] = to(in[i])
	}
	return out
}

// maxObjects bounds histograms and exemplars of a line: a few bytes of text become hundreds in memory.
const maxObjects = 50_000

var errTooManyObjects = errors.New("a line may hold 50,000 histograms and as many exemplars: split it")

// objects are several in an array, whose number is known before memory is taken.
type objects[T any] []T

// UnmarshalJSON implements json.Unmarshaler.
func (o *objects[T]) UnmarshalJSON(text []byte) error {
	if countElements(text) > maxObjects {
		return errTooManyObjects
	}
	return json.Unmarshal(text, (*[]T)(o))
}

// countElements counts the elements of a valid JSON array.
func countElements(text []byte) int {
	n, depth := 1, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case ',':
			if depth == 1 {
				n++
			}
		}
	}
	return n
}
