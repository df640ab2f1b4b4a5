package otelexport

import (
	"fmt"
	"math"

	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/promwire/promwire"
)

// minZeroThreshold stands for a zero threshold of 0, which says only that the zero bucket is as narrow as can be.
const minZeroThreshold = 1e-128

// maxGap is how many empty buckets are written between two others; more of them begin a new span.
const maxGap = 2

func exponentials[N int64 | float64](c *converter, m *metricdata.Metrics, d metricdata.ExponentialHistogram[N]) error {
	if err := checkTemporality(d.Temporality); err != nil {
		return err
	}
	if err := c.beginMetric(m, otlptranslator.MetricTypeExponentialHistogram, promwire.TypeHistogram); err != nil {
		return err
	}
	for i := range d.DataPoints {
		p := &d.DataPoints[i]
		c.point(p.Attributes, p.StartTime, p.Time, func() error { return native(c, p) })
	}
	return nil
}

// native appends p as a native histogram. Scales above 8 are reduced where all series are judged.
func native[N int64 | float64](c *converter, p *metricdata.ExponentialHistogramDataPoint[N]) error {
	if p.Scale < promwire.MinSchema {
		return fmt.Errorf("%w: scale %d, want %d at least", promwire.ErrInvalidHistogram, p.Scale, promwire.MinSchema)
	}
	ts := c.series(c.family.plain)
	var h *promwire.Histogram
	ts.Histograms, h = extend(ts.Histograms)
	h.Reset()
	h.Timestamp, h.StartTimestamp, h.Schema = c.time, c.start, p.Scale
	h.Count, h.Sum, h.ZeroCount, h.ZeroThreshold = p.Count, float64(p.Sum), p.ZeroCount, p.ZeroThreshold
	if h.ZeroThreshold == 0 {
		h.ZeroThreshold = minZeroThreshold
	}
	var err error
	if h.PositiveSpans, h.PositiveDeltas, err = appendBuckets(h.PositiveSpans, h.PositiveDeltas, p.PositiveBucket); err != nil {
		return err
	}
	if h.NegativeSpans, h.NegativeDeltas, err = appendBuckets(h.NegativeSpans, h.NegativeDeltas, p.NegativeBucket); err != nil {
		return err
	}
	addExemplars(c, ts, p.Exemplars)
	return nil
}

// appendBuckets appends b as spans and deltas. Bucket i of OpenTelemetry ends where i+1 of Prometheus does.
func appendBuckets(spans []promwire.BucketSpan, deltas []int64, b metricdata.ExponentialBucket) ([]promwire.BucketSpan, []int64, error) {
	if int64(b.Offset)+int64(len(b.Counts)) >= math.MaxInt32 {
		return spans, deltas, fmt.Errorf("%w: bucket offset %d is too large", promwire.ErrInvalidHistogram, b.Offset)
	}
	next, last := b.Offset+1, int64(0) // index behind the last bucket written, and its count
	for i, count := range b.Counts {
		if count == 0 {
			continue
		}
		if count > math.MaxInt64 {
			return spans, deltas, fmt.Errorf("%w: count %d is too large", promwire.ErrInvalidHistogram, count)
		}
		index := b.Offset + 1 + int32(i)
		switch gap := index - next; {
		case len(spans) == 0:
			spans = append(spans, promwire.BucketSpan{Offset: index})
		case gap > maxGap:
			spans = append(spans, promwire.BucketSpan{Offset: gap})
		default:
			for range gap {
				deltas, last = append(deltas, -last), 0
			}
			spans[len(spans)-1].Length += uint32(gap)
		}
		spans[len(spans)-1].Length++
		deltas, last = append(deltas, int64(count)-last), int64(count)
		next = index + 1
	}
	return spans, deltas, nil
}
