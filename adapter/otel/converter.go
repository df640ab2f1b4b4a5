package otelexport

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/promwire/promwire"
)

const targetInfoName = "target_info"

// converter turns metric data into series. It keeps memory from one export to the next.
type converter struct {
	config config
	names  namer
	rules  promwire.Rules

	req    *promwire.WriteRequest
	report *IncompleteError
	now    int64
	newest int64 // time of the newest data point

	job, instance string
	shared, scope labelSet

	// Of the metric and the data point at work; labels are sorted.
	family      *familyNames
	meta        promwire.Metadata
	labels      promwire.Labels
	name        int // index of the metric name in labels
	time, start int64

	scratch labelSet
	refused []promwire.Refusal
}

func newConverter(c config) converter {
	out := converter{config: c, names: newNamer(c.strategy), rules: promwire.Rules{Type: promwire.WriteV2}}
	if c.strategy.ShouldEscape() {
		out.rules.Names = promwire.LegacyNames
	}
	return out
}

// append appends the series of rm to req. What is left out goes into report.
func (c *converter) append(req *promwire.WriteRequest, rm *metricdata.ResourceMetrics, now int64, report *IncompleteError) {
	c.req, c.report, c.now, c.newest = req, report, now, 0
	c.setResource(rm.Resource)
	for i := range rm.ScopeMetrics {
		scope := &rm.ScopeMetrics[i]
		c.setScope(&scope.Scope)
		for j := range scope.Metrics {
			if err := c.metric(&scope.Metrics[j]); err != nil {
				c.report.skip(scope.Metrics[j].Name, err)
			}
		}
	}
	if len(req.Timeseries) > 0 {
		c.targetInfo(rm.Resource)
	}
	c.req, c.report = nil, nil
}

// metric appends all series of m.
func (c *converter) metric(m *metricdata.Metrics) error {
	switch d := m.Data.(type) {
	case metricdata.Gauge[int64]:
		return gauges(c, m, d.DataPoints)
	case metricdata.Gauge[float64]:
		return gauges(c, m, d.DataPoints)
	case metricdata.Sum[int64]:
		return sums(c, m, d)
	case metricdata.Sum[float64]:
		return sums(c, m, d)
	case metricdata.Histogram[int64]:
		return histograms(c, m, d)
	case metricdata.Histogram[float64]:
		return histograms(c, m, d)
	case metricdata.ExponentialHistogram[int64]:
		return exponentials(c, m, d)
	case metricdata.ExponentialHistogram[float64]:
		return exponentials(c, m, d)
	case metricdata.Summary:
		return c.summaries(m, d)
	default:
		return fmt.Errorf("%w: %T", ErrData, m.Data)
	}
}

// beginMetric sets names and metadata of the metric that follows.
func (c *converter) beginMetric(m *metricdata.Metrics, t otlptranslator.MetricType, out promwire.MetricType) error {
	family, err := c.names.family(otlptranslator.Metric{Name: m.Name, Unit: m.Unit, Type: t})
	if err != nil {
		return err
	}
	c.family = family
	c.meta = promwire.Metadata{Type: out, Help: strings.ToValidUTF8(m.Description, "\uFFFD"), Unit: family.unit}
	return nil
}

func checkTemporality(t metricdata.Temporality) error {
	if t != metricdata.CumulativeTemporality {
		return fmt.Errorf("%w: %v", ErrTemporality, t)
	}
	return nil
}

// point appends the series of a data point by emit, or none of them and a reason.
func (c *converter) point(attrs attribute.Set, start, at time.Time, emit func() error) {
	before := len(c.req.Timeseries)
	labels, err := c.pointLabels(attrs)
	c.begin(labels)
	c.time, c.start = c.now, 0
	if !at.IsZero() {
		c.time = at.UnixMilli()
	}
	if !start.IsZero() && start.UnixMilli() <= c.time {
		c.start = start.UnixMilli()
	}
	if err == nil {
		err = emit()
	}
	if c.finish(before, c.family.plain, err) {
		c.newest = max(c.newest, c.time)
	}
}

// begin takes the labels of the series that follow, and makes room for the metric name.
func (c *converter) begin(s labelSet) {
	c.labels = append(c.labels[:0], s...)
	c.labels = append(c.labels, promwire.Label{Name: promwire.MetricName, Value: "?"}).Normalize()
	c.name = slices.IndexFunc(c.labels, func(l promwire.Label) bool { return l.Name == promwire.MetricName })
}

// finish judges the series that were appended since there were before of them. If one is invalid, or err is not nil, all
// are taken back and reported. An invalid exemplar costs the series nothing else.
func (c *converter) finish(before int, name string, err error) bool {
	for i := before; i < len(c.req.Timeseries) && err == nil; i++ {
		ts := &c.req.Timeseries[i]
		var valid bool
		c.refused, valid = c.rules.Apply(c.refused[:0], i, ts)
		switch {
		case len(c.refused) == 0:
		case !valid || len(ts.Samples)+len(ts.Histograms) == 0:
			err = c.refused[0].Reason
		default:
			c.report.skipSeries(c.refused)
		}
	}
	if err == nil {
		return true
	}
	c.req.Timeseries = c.req.Timeseries[:before]
	c.labels[c.name].Value = name
	c.report.skip(c.labels.String(), err)
	return false
}

// series appends a series of the data point at work.
func (c *converter) series(name string) *promwire.TimeSeries {
	var ts *promwire.TimeSeries
	c.req.Timeseries, ts = extend(c.req.Timeseries)
	ts.Reset()
	ts.Labels = append(ts.Labels, c.labels...)
	ts.Labels[c.name].Value = name
	ts.Metadata = c.meta
	return ts
}

func (c *converter) sample(name string, v float64) *promwire.TimeSeries {
	ts := c.series(name)
	ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: c.time, StartTimestamp: c.start, Value: v})
	return ts
}

// bound appends a series with a further label, le or quantile.
func (c *converter) bound(name, label string, bound, v float64) {
	ts := c.sample(name, v)
	at, _ := slices.BinarySearchFunc(ts.Labels, label, func(l promwire.Label, name string) int {
		return strings.Compare(l.Name, name)
	})
	ts.Labels = slices.Insert(ts.Labels, at, promwire.Label{Name: label, Value: c.names.bound(bound)})
}

// extend lengthens s by an element, which holds what memory behind the end of s held, for reuse.
func extend[T any](s []T) ([]T, *T) {
	if len(s) < cap(s) {
		s = s[:len(s)+1]
	} else {
		var zero T
		s = append(s, zero)
	}
	return s, &s[len(s)-1]
}
