package remote

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/promwire/promwire"
)

// MaxDeadLetterLine bounds a line of a file of dead letters, in bytes: 1 MiB, some 25,000 samples.
const MaxDeadLetterLine = 1 << 20

// exact is a float64 as JSON text, bit for bit: in the shortest form that reads back the same, or as "nan:" and sixteen
// hexadecimal digits.
type exact float64

func (e exact) MarshalText() ([]byte, error) {
	v := float64(e)
	if math.IsNaN(v) {
		return fmt.Appendf(nil, "nan:%016x", math.Float64bits(v)), nil
	}
	return strconv.AppendFloat(nil, v, 'g', -1, 64), nil
}

func (e *exact) UnmarshalText(text []byte) error {
	if digits, ok := strings.CutPrefix(string(text), "nan:"); ok {
		bits, err := strconv.ParseUint(digits, 16, 64)
		v := math.Float64frombits(bits)
		if err != nil || !math.IsNaN(v) {
			return fmt.Errorf("%.40q are not the bits of a NaN", digits)
		}
		*e = exact(v)
		return nil
	}
	v, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.IsNaN(v) {
		return fmt.Errorf("%.40q is not a number", text)
	}
	*e = exact(v)
	return nil
}

// anyText is a string that need not be UTF-8: {"bytes":"base64"} then.
type anyText string

func (s anyText) MarshalJSON() ([]byte, error) {
	if utf8.ValidString(string(s)) {
		return json.Marshal(string(s))
	}
	return json.Marshal(struct {
		Bytes []byte `json:"bytes"`
	}{[]byte(s)})
}

func (s *anyText) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		var raw struct {
			Bytes []byte `json:"bytes"`
		}
		err := json.Unmarshal(b, &raw)
		*s = anyText(raw.Bytes)
		return err
	}
	var plain string
	err := json.Unmarshal(b, &plain)
	*s = anyText(plain)
	return err
}

// The lines. Labels are pairs, as those of a refused series may repeat names.
type (
	jsonLetter struct {
		Time       time.Time       `json:"time"`
		Tenant     anyText         `json:"tenant,omitempty"`
		Endpoint   anyText         `json:"endpoint,omitempty"`
		Status     int             `json:"status,omitempty"`
		Reason     anyText         `json:"reason"`
		Labels     [][2]anyText    `json:"labels"`
		Samples    []jsonSample    `json:"samples,omitempty"`
		Histograms []jsonHistogram `json:"histograms,omitempty"`
		Exemplars  []jsonExemplar  `json:"exemplars,omitempty"`
		Type       int32           `json:"type,omitempty"`
		Help       anyText         `json:"help,omitempty"`
		Unit       anyText         `json:"unit,omitempty"`
	}
	jsonSample struct {
		Timestamp int64 `json:"t"`
		Start     int64 `json:"start,omitempty"`
		Value     exact `json:"v"`
	}
	jsonExemplar struct {
		Timestamp int64        `json:"t"`
		Value     exact        `json:"v"`
		Labels    [][2]anyText `json:"labels"`
	}
	jsonHistogram struct {
		Timestamp      int64                 `json:"t"`
		Start          int64                 `json:"start,omitempty"`
		Schema         int32                 `json:"schema"`
		ResetHint      int32                 `json:"reset_hint,omitempty"`
		IsFloat        bool                  `json:"float,omitempty"`
		Sum            exact                 `json:"sum"`
		ZeroThreshold  exact                 `json:"zero_threshold"`
		Count          uint64                `json:"count,omitempty"`
		ZeroCount      uint64                `json:"zero_count,omitempty"`
		PositiveDeltas []int64               `json:"positive_deltas,omitempty"`
		NegativeDeltas []int64               `json:"negative_deltas,omitempty"`
		CountFloat     *exact                `json:"count_float,omitempty"`
		ZeroCountFloat *exact                `json:"zero_count_float,omitempty"`
		PositiveCounts []exact               `json:"positive_counts,omitempty"`
		NegativeCounts []exact               `json:"negative_counts,omitempty"`
		PositiveSpans  []promwire.BucketSpan `json:"positive_spans,omitempty"`
		NegativeSpans  []promwire.BucketSpan `json:"negative_spans,omitempty"`
		CustomValues   []exact               `json:"custom_values,omitempty"`
	}
)

// AppendJSON appends the letter as one JSON object without line breaks, as [ReadDeadLetters] reads it.
func (d *DeadLetter) AppendJSON(dst []byte) ([]byte, error) {
	out := jsonLetter{
		Time: d.Time, Tenant: anyText(d.Tenant), Endpoint: anyText(d.Endpoint), Status: d.Status, Reason: anyText(d.Reason),
		Labels: toPairs(d.Series.Labels), Type: int32(d.Series.Metadata.Type),
		Help: anyText(d.Series.Metadata.Help), Unit: anyText(d.Series.Metadata.Unit),
	}
	for _, s := range d.Series.Samples {
		out.Samples = append(out.Samples, jsonSample{s.Timestamp, s.StartTimestamp, exact(s.Value)})
	}
	for i := range d.Series.Histograms {
		out.Histograms = append(out.Histograms, toHistogram(&d.Series.Histograms[i]))
	}
	for _, e := range d.Series.Exemplars {
		out.Exemplars = append(out.Exemplars, jsonExemplar{e.Timestamp, exact(e.Value), toPairs(e.Labels)})
	}
	line, err := json.Marshal(&out)
	return append(dst, line...), err
}

// parseDeadLetter is the reverse of AppendJSON.
func parseDeadLetter(line []byte) (DeadLetter, error) {
	var in jsonLetter
	if err := json.Unmarshal(line, &in); err != nil {
		return DeadLetter{}, err
	}
	d := DeadLetter{
		Time: in.Time, Tenant: string(in.Tenant), Endpoint: string(in.Endpoint), Status: in.Status, Reason: string(in.Reason),
	}
	d.Series.Labels = fromPairs(in.Labels)
	d.Series.Metadata = promwire.Metadata{Type: promwire.MetricType(in.Type), Help: string(in.Help), Unit: string(in.Unit)}
	for _, s := range in.Samples {
		d.Series.Samples = append(d.Series.Samples, promwire.Sample{
			Timestamp: s.Timestamp, StartTimestamp: s.Start, Value: float64(s.Value),
		})
	}
	for i := range in.Histograms {
		d.Series.Histograms = append(d.Series.Histograms, fromHistogram(&in.Histograms[i]))
	}
	for _, e := range in.Exemplars {
		d.Series.Exemplars = append(d.Series.Exemplars, promwire.Exemplar{
			Timestamp: e.Timestamp, Value: float64(e.Value), Labels: fromPairs(e.Labels),
		})
	}
	return d, nil
}

func toHistogram(h *promwire.Histogram) jsonHistogram {
	out := jsonHistogram{
		Timestamp: h.Timestamp, Start: h.StartTimestamp, Schema: h.Schema, ResetHint: int32(h.ResetHint), IsFloat: h.IsFloat,
		Sum: exact(h.Sum), ZeroThreshold: exact(h.ZeroThreshold), Count: h.Count, ZeroCount: h.ZeroCount,
		PositiveDeltas: h.PositiveDeltas, NegativeDeltas: h.NegativeDeltas,
		PositiveCounts: convert[exact](h.PositiveCounts), NegativeCounts: convert[exact](h.NegativeCounts),
		PositiveSpans: h.PositiveSpans, NegativeSpans: h.NegativeSpans, CustomValues: convert[exact](h.CustomValues),
	}
	if h.IsFloat {
		count, zero := exact(h.CountFloat), exact(h.ZeroCountFloat)
		out.CountFloat, out.ZeroCountFloat = &count, &zero
	}
	return out
}

func fromHistogram(h *jsonHistogram) promwire.Histogram {
	out := promwire.Histogram{
		Timestamp: h.Timestamp, StartTimestamp: h.Start, Schema: h.Schema, ResetHint: promwire.ResetHint(h.ResetHint),
		IsFloat: h.IsFloat, Sum: float64(h.Sum), ZeroThreshold: float64(h.ZeroThreshold), Count: h.Count, ZeroCount: h.ZeroCount,
		PositiveDeltas: h.PositiveDeltas, NegativeDeltas: h.NegativeDeltas,
		PositiveCounts: convert[float64](h.PositiveCounts), NegativeCounts: convert[float64](h.NegativeCounts),
		PositiveSpans: h.PositiveSpans, NegativeSpans: h.NegativeSpans, CustomValues: convert[float64](h.CustomValues),
	}
	if h.CountFloat != nil {
		out.CountFloat = float64(*h.CountFloat)
	}
	if h.ZeroCountFloat != nil {
		out.ZeroCountFloat = float64(*h.ZeroCountFloat)
	}
	return out
}

func convert[B, A ~float64](in []A) []B {
	var out []B
	for _, v := range in {
		out = append(out, B(v))
	}
	return out
}

func toPairs(ls promwire.Labels) [][2]anyText {
	out := make([][2]anyText, 0, len(ls))
	for _, l := range ls {
		out = append(out, [2]anyText{anyText(l.Name), anyText(l.Value)})
	}
	return out
}

func fromPairs(pairs [][2]anyText) promwire.Labels {
	var out promwire.Labels
	for _, p := range pairs {
		out = append(out, promwire.Label{Name: string(p[0]), Value: string(p[1])})
	}
	return out
}

// ReadDeadLetters yields the letters of a file, exactly as they were written. A line that is no letter, or longer than
// [MaxDeadLetterLine], is an error with its number, after which the loop may go on; an error of r ends it. Each letter
// has memory of its own. To replay one, write its Series.
func ReadDeadLetters(r io.Reader) iter.Seq2[DeadLetter, error] {
	return func(yield func(DeadLetter, error) bool) {
		in := bufio.NewReaderSize(r, 64<<10)
		for number := 1; ; number++ {
			line, err := readLine(in)
			if err != nil && !errors.Is(err, promwire.ErrTooLarge) {
				if !errors.Is(err, io.EOF) {
					yield(DeadLetter{}, fmt.Errorf("dead letters, line %d: %w", number, err))
				}
				return
			}
			var letter DeadLetter
			if err == nil {
				if len(bytes.TrimSpace(line)) == 0 {
					continue
				}
				letter, err = parseDeadLetter(line)
			}
			if err != nil {
				err = fmt.Errorf("dead letters, line %d: %w", number, err)
			}
			if !yield(letter, err) {
				return
			}
		}
	}
}

// readLine returns the next line, which may lack its end if it is the last one. It reads a line that is too long to its
// end, and keeps nothing of it.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	long := false
	for {
		piece, err := in.ReadSlice('\n')
		if long = long || len(line)+len(piece) > MaxDeadLetterLine; long {
			line = nil
		} else {
			line = append(line, piece...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return nil, err
		case long:
			return nil, fmt.Errorf("%w: more than %d bytes", promwire.ErrTooLarge, MaxDeadLetterLine)
		case err != nil && len(line) == 0:
			return nil, io.EOF
		default:
			return line, nil
		}
	}
}
