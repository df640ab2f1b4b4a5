package clientgolang

import (
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/promwire/promwire"
)

// errMissing says that a metric has no value of its family's type.
var errMissing = errors.New("value is missing")

// Converter turns gathered metric families into series. It keeps memory from one call to the next and is not safe for
// concurrent use.
type Converter struct {
	config config
	rules  promwire.Rules
	names  nameCache

	req    *promwire.WriteRequest
	report IncompleteError
	now    int64

	// Of the metric at work: its family's metadata and names, and its labels with an empty metric name, sorted.
	meta   promwire.Metadata
	family *familyNames
	labels promwire.Labels
	name   int // index of the metric name in labels
	time   int64

	refused []promwire.Refusal
}

// NewConverter makes a Converter.
func NewConverter(opts ...Option) *Converter {
	c := &Converter{config: newConfig(opts)}
	c.rules = promwire.Rules{Type: promwire.WriteV2, Names: c.config.names}
	return c
}

// AppendRequest gathers once and appends the series to dst.Timeseries. An [*IncompleteError] says that something was
// left out; the rest is appended. It makes a [Converter] each time: who sends often keeps one, or a [Pusher].
func AppendRequest(dst *promwire.WriteRequest, g prometheus.Gatherer, opts ...Option) error {
	c := NewConverter(opts...)
	families, err := g.Gather()
	return c.append(dst, families, c.config.now().UnixMilli(), err)
}

// AppendFamilies appends the series of gathered families to dst.Timeseries, in the order of families and metrics; those
// of a histogram are its buckets by ascending bound, count, sum, and the native histogram; those of a summary its
// quantiles, count and sum. Samples have the metric's own time or else now, which is in milliseconds since the Unix epoch.
//
// Invalid metrics are left out; an [*IncompleteError] names them. Strings are those of families, slices are not: families
// may be used in any other way, and memory of dst behind the ends of its slices is used again. In steady state nothing is
// allocated.
func (c *Converter) AppendFamilies(dst *promwire.WriteRequest, families []*dto.MetricFamily, now int64) error {
	return c.append(dst, families, now, nil)
}

func (c *Converter) append(dst *promwire.WriteRequest, families []*dto.MetricFamily, now int64, gatherErr error) error {
	c.req, c.now, c.report = dst, now, IncompleteError{Gather: gatherErr}
	c.names.begin()
	for _, f := range families {
		c.meta = promwire.Metadata{Type: metricType(f.GetType()), Help: f.GetHelp(), Unit: f.GetUnit()}
		c.family = c.names.family(f.GetName())
		for _, m := range f.GetMetric() {
			c.metric(f.GetType(), m)
		}
	}
	c.req = nil
	if c.report.Gather == nil && c.report.Skipped == 0 {
		return nil
	}
	report := c.report
	return &report
}

func metricType(t dto.MetricType) promwire.MetricType {
	switch t {
	case dto.MetricType_COUNTER:
		return promwire.TypeCounter
	case dto.MetricType_GAUGE:
		return promwire.TypeGauge
	case dto.MetricType_SUMMARY:
		return promwire.TypeSummary
	case dto.MetricType_HISTOGRAM:
		return promwire.TypeHistogram
	case dto.MetricType_GAUGE_HISTOGRAM:
		return promwire.TypeGaugeHistogram
	default:
		return promwire.TypeUnknown
	}
}

// metric appends all series of m, or none of them and a reason.
func (c *Converter) metric(t dto.MetricType, m *dto.Metric) {
	if c.family.plain == "" {
		c.report.skip(nil, promwire.ErrNoMetricName)
		return
	}
	c.beginMetric(m)
	before := len(c.req.Timeseries)
	err := c.values(t, m)
	for i := before; i < len(c.req.Timeseries) && err == nil; i++ {
		err = c.judge(i)
	}
	if err != nil {
		c.req.Timeseries = c.req.Timeseries[:before]
		c.labels[c.name].Value = c.family.plain
		c.report.skip(c.labels, err)
	}
}

// judge returns why series i of the request is invalid. An invalid exemplar costs the series nothing else.
func (c *Converter) judge(i int) error {
	ts := &c.req.Timeseries[i]
	var valid bool
	c.refused, valid = c.rules.Apply(c.refused[:0], i, ts)
	if len(c.refused) == 0 {
		return nil
	}
	if !valid || len(ts.Samples)+len(ts.Histograms) == 0 {
		return c.refused[0].Reason
	}
	for _, r := range c.refused {
		c.report.skip(r.Labels, r.Reason)
	}
	return nil
}

// values appends the series of m, of which nothing is checked yet.
func (c *Converter) values(t dto.MetricType, m *dto.Metric) error {
	switch {
	case t == dto.MetricType_COUNTER && m.GetCounter() != nil:
		ts := c.sample(c.family.plain, m.Counter.GetValue(), start(m.Counter.CreatedTimestamp))
		c.exemplar(ts, m.Counter.Exemplar)
	case t == dto.MetricType_GAUGE && m.GetGauge() != nil:
		c.sample(c.family.plain, m.Gauge.GetValue(), 0)
	case t == dto.MetricType_UNTYPED && m.GetUntyped() != nil:
		c.sample(c.family.plain, m.Untyped.GetValue(), 0)
	case t == dto.MetricType_SUMMARY && m.GetSummary() != nil:
		c.summary(m.Summary)
	case t == dto.MetricType_HISTOGRAM && m.GetHistogram() != nil,
		t == dto.MetricType_GAUGE_HISTOGRAM && m.GetHistogram() != nil:
		return c.histogram(m.Histogram)
	default:
		return fmt.Errorf("%w for the type %s", errMissing, t)
	}
	return nil
}

func (c *Converter) summary(s *dto.Summary) {
	created := start(s.CreatedTimestamp)
	for _, q := range s.Quantile {
		c.bound(c.family.plain, "quantile", q.GetQuantile(), q.GetValue(), created)
	}
	c.sample(c.family.count, float64(s.GetSampleCount()), created)
	c.sample(c.family.sum, s.GetSampleSum(), created)
}
