// Package series reads the series notation of promtool's unit tests, with Prometheus' own parser: a line like
//
//	http_requests_total{job="a"} 0 10 20+10x3 _ stale
//
// It is one of the few packages that know Prometheus types, and returns none of them.
package series

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/promwire/promwire"
)

// MaxValues bounds the values of a line: a few bytes stand for any number of them.
const MaxValues = 1_000_000

// maxBuckets bounds the buckets of all histograms of a line, repeated ones included, for the same reason.
const maxBuckets = 4_000_000

// Line is a series and its values, one for each step.
type Line struct {
	Labels promwire.Labels
	Values []Value
}

// Value is one of them.
type Value struct {
	Omitted   bool // there is none at this step
	Value     float64
	Histogram *promwire.Histogram // a float histogram, in place of Value
}

var notation = parser.NewParser(parser.Options{})

// Parse reads a line.
func Parse(line string) (*Line, error) {
	if err := bound(line); err != nil {
		return nil, err
	}
	ls, values, err := notation.ParseSeriesDesc(line)
	if err != nil {
		return nil, err
	}
	out := &Line{Values: make([]Value, len(values))}
	ls.Range(func(l labels.Label) {
		out.Labels = append(out.Labels, promwire.Label{Name: strings.Clone(l.Name), Value: strings.Clone(l.Value)})
	})
	for i, v := range values {
		out.Values[i] = Value{Omitted: v.Omitted, Value: v.Value}
		if v.Histogram != nil {
			out.Values[i].Histogram = newHistogram(v.Histogram)
		}
	}
	return out, nil
}

// bound refuses a line with too many values before it is read: the parser makes all of them at once.
func bound(line string) error {
	values, perValue := uint64(0), uint64(len(line)/2) // buckets that a histogram of this line can have
	if !strings.Contains(line, "{{") {
		perValue = 0
	}
	for i := labelsEnd(line); i < len(line); i++ {
		switch line[i] {
		case '"', '\'', '`':
			i = quoteEnd(line, i)
		case 'x':
			n := uint64(0)
			for i+1 < len(line) && n <= MaxValues && strings.IndexByte(" \t0123456789_", line[i+1]) >= 0 {
				if i++; line[i] >= '0' && line[i] <= '9' {
					n = n*10 + uint64(line[i]-'0')
				}
			}
			values += n
		}
		if values > MaxValues || values*perValue > maxBuckets {
			return fmt.Errorf("%w: a line may have %d values, and %d buckets in all", promwire.ErrTooLarge, MaxValues, maxBuckets)
		}
	}
	return nil
}

// labelsEnd returns where the values begin, at the latest.
func labelsEnd(line string) int {
	i := strings.IndexAny(line, " \t{")
	if i < 0 {
		return len(line)
	}
	for i < len(line) && (line[i] == ' ' || line[i] == '\t') {
		i++
	}
	if !strings.HasPrefix(line[i:], "{") || strings.HasPrefix(line[i:], "{{") {
		return i
	}
	for ; i < len(line) && line[i] != '}'; i++ {
		if c := line[i]; c == '"' || c == '\'' || c == '`' {
			i = quoteEnd(line, i)
		}
	}
	return i
}

// quoteEnd returns the place of the quote that ends the string at i.
func quoteEnd(line string, i int) int {
	quote := line[i]
	for i++; i < len(line) && line[i] != quote; i++ {
		if line[i] == '\\' && quote != '`' {
			i++
		}
	}
	return i
}

// newHistogram copies h: repeated values share theirs.
func newHistogram(h *histogram.FloatHistogram) *promwire.Histogram {
	return &promwire.Histogram{
		Schema: h.Schema, ResetHint: promwire.ResetHint(h.CounterResetHint), IsFloat: true, Sum: h.Sum,
		ZeroThreshold: h.ZeroThreshold, CountFloat: h.Count, ZeroCountFloat: h.ZeroCount,
		PositiveCounts: slices.Clone(h.PositiveBuckets), NegativeCounts: slices.Clone(h.NegativeBuckets),
		PositiveSpans: spans(h.PositiveSpans), NegativeSpans: spans(h.NegativeSpans), CustomValues: slices.Clone(h.CustomValues),
	}
}

func spans(in []histogram.Span) []promwire.BucketSpan {
	var out []promwire.BucketSpan
	for _, s := range in {
		out = append(out, promwire.BucketSpan(s))
	}
	return out
}
