package otelexport

import (
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/promwire/promwire"
)

// The attributes that identify a resource (OpenTelemetry semantic conventions, "Service").
const (
	serviceName      = attribute.Key("service.name")
	serviceNamespace = attribute.Key("service.namespace")
	serviceInstance  = attribute.Key("service.instance.id")
)

// labelSet is a label set while it grows; it is not sorted.
type labelSet promwire.Labels

func (s labelSet) find(name string) int {
	return slices.IndexFunc(s, func(l promwire.Label) bool { return l.Name == name })
}

// set adds a label or replaces its value. An empty value means no label, and replaces nothing.
func (s labelSet) set(name, value string) labelSet {
	if i := s.find(name); i >= 0 && value != "" {
		s[i].Value = value
		return s
	}
	return s.add(name, value)
}

// add adds a label unless there is one of this name.
func (s labelSet) add(name, value string) labelSet {
	if value == "" || s.find(name) >= 0 {
		return s
	}
	return append(s, promwire.Label{Name: name, Value: value})
}

// attribute adds a label, or its value to that of another attribute whose name became the same.
func (s labelSet) attribute(name, value string) labelSet {
	if i := s.find(name); i >= 0 && value != "" {
		s[i].Value += ";" + value
		return s
	}
	return s.add(name, value)
}

// attributes adds the labels of attributes, which come in order of their keys, with a prefix to the keys.
func (c *converter) attributes(s labelSet, prefix string, attrs attribute.Iterator) (labelSet, error) {
	for attrs.Next() {
		kv := attrs.Attribute()
		if kv.Key == promwire.MetricName {
			continue // the name of the series is set apart
		}
		name, err := c.names.labelName(prefix + string(kv.Key))
		if err != nil {
			return s, err
		}
		s = s.attribute(name, text(kv.Value))
	}
	return s, nil
}

// text returns an attribute's value as a label value. Bytes that are not UTF-8 become U+FFFD: values come from data, and
// data must not cost the point.
func text(v attribute.Value) string { return strings.ToValidUTF8(v.String(), "\uFFFD") }

// identity returns the labels job and instance of a resource.
func identity(r *resource.Resource) (job, instance string) {
	set := r.Set()
	if v, found := set.Value(serviceName); found {
		job = text(v)
	}
	if v, found := set.Value(serviceNamespace); found && job != "" {
		if namespace := text(v); namespace != "" {
			job = namespace + "/" + job
		}
	}
	if v, found := set.Value(serviceInstance); found {
		instance = text(v)
	}
	return job, instance
}

// setResource makes the labels that all series of r have.
func (c *converter) setResource(r *resource.Resource) {
	c.job, c.instance = identity(r)
	c.shared = c.shared[:0]
	for _, key := range c.config.promoted {
		v, found := r.Set().Value(key)
		if !found {
			continue
		}
		name, err := c.names.labelName(string(key))
		if err != nil {
			c.report.skip("resource", err)
			continue
		}
		c.shared = c.shared.add(name, text(v))
	}
}

// setScope makes the labels that all series of a scope have.
func (c *converter) setScope(s *instrumentation.Scope) {
	c.scope = c.scope[:0]
	if c.config.noScope {
		return
	}
	var err error
	c.scope, err = c.attributes(c.scope, "otel_scope_", s.Attributes.Iter())
	if err != nil {
		c.report.skip("scope "+s.Name, err)
	}
	c.scope = c.scope.set("otel_scope_name", strings.ToValidUTF8(s.Name, "\uFFFD"))
	c.scope = c.scope.set("otel_scope_version", strings.ToValidUTF8(s.Version, "\uFFFD"))
	c.scope = c.scope.set("otel_scope_schema_url", strings.ToValidUTF8(s.SchemaURL, "\uFFFD"))
}

// pointLabels returns the labels of a data point without a metric name; the memory is that of the last call.
func (c *converter) pointLabels(attrs attribute.Set) (labelSet, error) {
	s, err := c.attributes(c.scratch[:0], "", attrs.Iter())
	for _, l := range c.shared {
		s = s.add(l.Name, l.Value)
	}
	s = s.set("job", c.job)
	s = s.set("instance", c.instance)
	for _, l := range c.config.labels {
		s = s.add(l.Name, l.Value)
	}
	for _, l := range c.scope {
		s = s.set(l.Name, l.Value)
	}
	c.scratch = s
	return s, err
}

// targetInfo appends the metric that carries the other attributes of the resource (OpenTelemetry specification,
// "Prometheus and OpenMetrics Compatibility", Resource Attributes). Without such attributes, or without a job and an
// instance to join it by, there is none.
func (c *converter) targetInfo(r *resource.Resource) {
	if c.config.noTargetInfo || c.job == "" && c.instance == "" {
		return
	}
	attrs, _ := r.Set().Filter(func(kv attribute.KeyValue) bool {
		return kv.Key != serviceName && kv.Key != serviceNamespace && kv.Key != serviceInstance
	})
	if attrs.Len() == 0 {
		return
	}
	s, err := c.attributes(c.scratch[:0], "", attrs.Iter())
	if err != nil {
		c.report.skip(targetInfoName, err)
		return
	}
	s = s.set("job", c.job)
	s = s.set("instance", c.instance)
	for _, l := range c.config.labels {
		s = s.add(l.Name, l.Value)
	}
	c.scratch = s
	before := len(c.req.Timeseries)
	c.meta, c.time, c.start = promwire.Metadata{Type: promwire.TypeGauge, Help: "Target metadata"}, c.newest, 0
	c.begin(s)
	c.sample(targetInfoName, 1)
	c.finish(before, targetInfoName, nil)
}
