package otelexport

import (
	"fmt"
	"math"
	"sort"

	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/promwire/promwire"
)

func gauges[N int64 | float64](c *converter, m *metricdata.Metrics, points []metricdata.DataPoint[N]) error {
	if err := c.beginMetric(m, otlptranslator.MetricTypeGauge, promwire.TypeGauge); err != nil {
		return err
	}
	for i := range points {
		p := &points[i]
		c.point(p.Attributes, p.StartTime, p.Time, func() error {
			c.start = 0 // nothing accumulates
			c.sample(c.family.plain, float64(p.Value))
			return nil
		})
	}
	return nil
}

func sums[N int64 | float64](c *converter, m *metricdata.Metrics, d metricdata.Sum[N]) error {
	if err := checkTemporality(d.Temporality); err != nil {
		return err
	}
	in, out := otlptranslator.MetricType(otlptranslator.MetricTypeNonMonotonicCounter), promwire.TypeGauge
	if d.IsMonotonic {
		in, out = otlptranslator.MetricTypeMonotonicCounter, promwire.TypeCounter
	}
	if err := c.beginMetric(m, in, out); err != nil {
		return err
	}
	for i := range d.DataPoints {
		p := &d.DataPoints[i]
		c.point(p.Attributes, p.StartTime, p.Time, func() error {
			if !d.IsMonotonic {
				c.start = 0
			}
			ts := c.sample(c.family.plain, float64(p.Value))
			addExemplars(c, ts, p.Exemplars)
			return nil
		})
	}
	return nil
}

func (c *converter) summaries(m *metricdata.Metrics, d metricdata.Summary) error {
	if err := c.beginMetric(m, otlptranslator.MetricTypeSummary, promwire.TypeSummary); err != nil {
		return err
	}
	for i := range d.DataPoints {
		p := &d.DataPoints[i]
		c.point(p.Attributes, p.StartTime, p.Time, func() error {
			for _, q := range p.QuantileValues {
				c.bound(c.family.plain, "quantile", q.Quantile, q.Value)
			}
			c.sample(c.family.count, float64(p.Count))
			c.sample(c.family.sum, p.Sum)
			return nil
		})
	}
	return nil
}

func histograms[N int64 | float64](c *converter, m *metricdata.Metrics, d metricdata.Histogram[N]) error {
	if err := checkTemporality(d.Temporality); err != nil {
		return err
	}
	if err := c.beginMetric(m, otlptranslator.MetricTypeHistogram, promwire.TypeHistogram); err != nil {
		return err
	}
	for i := range d.DataPoints {
		p := &d.DataPoints[i]
		c.point(p.Attributes, p.StartTime, p.Time, func() error { return classic(c, p) })
	}
	return nil
}

// classic appends the buckets, count and sum of p.
func classic[N int64 | float64](c *converter, p *metricdata.HistogramDataPoint[N]) error {
	bounds := p.Bounds
	if n := len(bounds); n > 0 && math.IsInf(bounds[n-1], 1) {
		bounds = bounds[:n-1] // it is there anyway
	}
	if len(p.BucketCounts) != len(p.Bounds)+1 && len(p.BucketCounts)+len(p.Bounds) > 0 {
		return fmt.Errorf("%w: %d buckets for %d bounds", promwire.ErrInvalidHistogram, len(p.BucketCounts), len(p.Bounds))
	}
	first := len(c.req.Timeseries)
	cumulative := uint64(0)
	for i, b := range bounds {
		if math.IsNaN(b) || i > 0 && b <= bounds[i-1] {
			return fmt.Errorf("%w: bound %v of bucket %d; bounds increase", promwire.ErrInvalidHistogram, b, i)
		}
		cumulative += p.BucketCounts[i]
		c.bound(c.family.bucket, "le", b, float64(cumulative))
	}
	c.bound(c.family.bucket, "le", math.Inf(1), float64(p.Count))
	for i := range p.Exemplars {
		in := sort.SearchFloat64s(bounds, float64(p.Exemplars[i].Value))
		addExemplars(c, &c.req.Timeseries[first+in], p.Exemplars[i:i+1])
	}
	c.sample(c.family.count, float64(p.Count))
	c.sample(c.family.sum, float64(p.Sum))
	return nil
}
