package cli

import (
	"encoding/json"
	"io"
	"strconv"

	"github.com/promwire/promwire"
)

// jsonFormat prints an object per line and part of a series.
type jsonFormat struct{ out io.Writer }

type jsonSeries struct {
	Metric     map[string]string `json:"metric"`
	Values     []jsonPoint       `json:"values,omitempty"`
	Histograms []jsonPoint       `json:"histograms,omitempty"`
}

// jsonPoint is a time and a value: a string, or a histogram.
type jsonPoint struct {
	ms    int64
	value any
}

// MarshalJSON implements json.Marshaler: [seconds, value].
func (p jsonPoint) MarshalJSON() ([]byte, error) {
	value, err := json.Marshal(p.value)
	if err != nil {
		return nil, err
	}
	out := strconv.AppendFloat([]byte{'['}, float64(p.ms)/1000, 'f', -1, 64)
	return append(append(append(out, ','), value...), ']'), nil
}

// jsonNumber is a float as a string, since JSON has neither NaN nor infinity.
type jsonNumber float64

// MarshalJSON implements json.Marshaler.
func (n jsonNumber) MarshalJSON() ([]byte, error) {
	return []byte(`"` + formatFloat(float64(n)) + `"`), nil
}

// jsonHistogram is a native histogram as remote write has it. Of deltas and counts, one is there: the former in an
// integer histogram, the latter in a float histogram.
type jsonHistogram struct {
	Count         any          `json:"count"`
	Sum           jsonNumber   `json:"sum"`
	Schema        int32        `json:"schema"`
	ZeroThreshold jsonNumber   `json:"zero_threshold"`
	ZeroCount     any          `json:"zero_count"`
	PositiveSpans []jsonSpan   `json:"positive_spans,omitempty"`
	PositiveDelta []int64      `json:"positive_deltas,omitempty"`
	PositiveCount []jsonNumber `json:"positive_counts,omitempty"`
	NegativeSpans []jsonSpan   `json:"negative_spans,omitempty"`
	NegativeDelta []int64      `json:"negative_deltas,omitempty"`
	NegativeCount []jsonNumber `json:"negative_counts,omitempty"`
	CustomValues  []jsonNumber `json:"custom_values,omitempty"`
}

func newJSONHistogram(h *promwire.Histogram) jsonHistogram {
	out := jsonHistogram{
		Count: h.Count, ZeroCount: h.ZeroCount,
		Sum: jsonNumber(h.Sum), Schema: h.Schema, ZeroThreshold: jsonNumber(h.ZeroThreshold),
		PositiveSpans: jsonSpans(h.PositiveSpans), PositiveDelta: h.PositiveDeltas,
		NegativeSpans: jsonSpans(h.NegativeSpans), NegativeDelta: h.NegativeDeltas,
		CustomValues: jsonNumbers(h.CustomValues),
	}
	if h.IsFloat {
		out.Count, out.ZeroCount = jsonNumber(h.CountFloat), jsonNumber(h.ZeroCountFloat)
		out.PositiveDelta, out.PositiveCount = nil, jsonNumbers(h.PositiveCounts)
		out.NegativeDelta, out.NegativeCount = nil, jsonNumbers(h.NegativeCounts)
	}
	return out
}

// jsonSpan is a span of buckets.
type jsonSpan struct {
	Offset int32  `json:"offset"`
	Length uint32 `json:"length"`
}

func jsonSpans(spans []promwire.BucketSpan) []jsonSpan {
	out := make([]jsonSpan, len(spans))
	for i, s := range spans {
		out[i] = jsonSpan(s)
	}
	return out
}

func jsonNumbers(vs []float64) []jsonNumber {
	out := make([]jsonNumber, len(vs))
	for i, v := range vs {
		out[i] = jsonNumber(v)
	}
	return out
}

func (f *jsonFormat) write(ts *promwire.TimeSeries) error {
	s := jsonSeries{Metric: make(map[string]string, len(ts.Labels))}
	for _, l := range ts.Labels {
		s.Metric[l.Name] = l.Value
	}
	for _, sample := range ts.Samples {
		s.Values = append(s.Values, jsonPoint{sample.Timestamp, jsonNumber(sample.Value)})
	}
	for i := range ts.Histograms {
		s.Histograms = append(s.Histograms, jsonPoint{ts.Histograms[i].Timestamp, newJSONHistogram(&ts.Histograms[i])})
	}
	line, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = f.out.Write(append(line, '\n'))
	return err
}

func (f *jsonFormat) end() error { return nil }
