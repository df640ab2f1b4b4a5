package clientgolang

import (
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/promwire/promwire"
)

// beginMetric sets labels and time of the metric that follows.
func (c *Converter) beginMetric(m *dto.Metric) {
	ls := append(c.labels[:0], promwire.Label{Name: promwire.MetricName, Value: c.family.plain})
	for _, l := range m.GetLabel() {
		ls = append(ls, promwire.Label{Name: l.GetName(), Value: l.GetValue()})
	}
	own := ls[1:]
	for _, l := range c.config.labels {
		if !slices.ContainsFunc(own, func(o promwire.Label) bool { return o.Name == l.Name && o.Value != "" }) {
			ls = append(ls, l)
		}
	}
	c.labels = ls.Normalize()
	// Normalize keeps the order of equal names: ours is the first.
	c.name = slices.IndexFunc(c.labels, func(l promwire.Label) bool { return l.Name == promwire.MetricName })
	c.time = c.now
	if t := m.GetTimestampMs(); t != 0 { // 0 means unset, as in a scrape
		c.time = t
	}
}

// series appends a series of the metric at work.
func (c *Converter) series(name string) *promwire.TimeSeries {
	var ts *promwire.TimeSeries
	c.req.Timeseries, ts = extend(c.req.Timeseries)
	ts.Reset()
	ts.Labels = append(ts.Labels, c.labels...)
	ts.Labels[c.name].Value = name
	ts.Metadata = c.meta
	return ts
}

func (c *Converter) sample(name string, v float64, start int64) *promwire.TimeSeries {
	ts := c.series(name)
	ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: c.time, StartTimestamp: c.startOf(start), Value: v})
	return ts
}

// bound appends a series with a further label, le or quantile.
func (c *Converter) bound(name, label string, bound, v float64, start int64) *promwire.TimeSeries {
	ts := c.sample(name, v, start)
	at, _ := slices.BinarySearchFunc(ts.Labels, label, func(l promwire.Label, name string) int {
		return strings.Compare(l.Name, name)
	})
	ts.Labels = slices.Insert(ts.Labels, at, promwire.Label{Name: label, Value: c.names.bound(bound)})
	return ts
}

// startOf returns a start that is not after the sample (Remote Write 2.0, "Start Timestamp"); one that would be is left
// out, since a clock went back.
func (c *Converter) startOf(start int64) int64 {
	if start > c.time {
		return 0
	}
	return start
}

// start returns t in milliseconds, 0 if it is not set.
func start(t *timestamppb.Timestamp) int64 {
	if t == nil {
		return 0
	}
	return t.AsTime().UnixMilli()
}

// exemplar adds e to a sample of a counter or bucket. Without a time of its own it gets that of the sample.
func (c *Converter) exemplar(ts *promwire.TimeSeries, e *dto.Exemplar) {
	if e == nil {
		return
	}
	var out *promwire.Exemplar
	ts.Exemplars, out = extend(ts.Exemplars)
	out.Labels = out.Labels[:0]
	for _, l := range e.Label {
		out.Labels = append(out.Labels, promwire.Label{Name: l.GetName(), Value: l.GetValue()})
	}
	out.Labels = out.Labels.Normalize()
	out.Value, out.Timestamp = e.GetValue(), c.time
	if e.Timestamp != nil {
		out.Timestamp = e.Timestamp.AsTime().UnixMilli()
	}
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
