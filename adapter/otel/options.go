package otelexport

import (
	"slices"
	"time"

	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/promwire/promwire"
)

// Option is an option of [New].
type Option func(*config)

type config struct {
	strategy     otlptranslator.TranslationStrategyOption
	aggregation  metric.AggregationSelector
	labels       promwire.Labels
	promoted     []attribute.Key
	noScope      bool
	noTargetInfo bool
	noMarkers    bool
	endAll       bool
	now          func() time.Time
}

// WithTranslation chooses how names of metrics and labels are made. The default is
// [otlptranslator.UnderscoreEscapingWithSuffixes]; the strategies without escaping need a receiver that takes UTF-8 names.
func WithTranslation(s otlptranslator.TranslationStrategyOption) Option {
	return func(c *config) { c.strategy = s }
}

// WithAggregation chooses the aggregation of each kind of instrument, for instruments without a view; exponential
// histograms arrive as native ones. The default is [metric.DefaultAggregationSelector].
func WithAggregation(s metric.AggregationSelector) Option {
	return func(c *config) { c.aggregation = s }
}

// WithLabel adds a label to every series, such as cluster; use it once per label. An attribute with this name, and job and
// instance of the resource, win.
func WithLabel(name, value string) Option {
	return func(c *config) {
		c.labels = slices.DeleteFunc(c.labels, func(l promwire.Label) bool { return l.Name == name })
		c.labels = append(c.labels, promwire.Label{Name: name, Value: value})
	}
}

// WithResourceLabels has these attributes of the resource as labels of every series, for queries without a join with
// target_info. An attribute of the measurement with the same name wins.
func WithResourceLabels(keys ...attribute.Key) Option {
	return func(c *config) { c.promoted = append(c.promoted, keys...) }
}

// WithoutScopeLabels leaves out the labels otel_scope_*. Metrics with equal names and attributes in several scopes then are
// repeated series, of which all but the first are left out and reported.
func WithoutScopeLabels() Option { return func(c *config) { c.noScope = true } }

// WithoutTargetInfo leaves out the metric target_info.
func WithoutTargetInfo() Option { return func(c *config) { c.noTargetInfo = true } }

// WithoutStaleMarkers lets attribute sets that are no longer reported end without a stale marker.
func WithoutStaleMarkers() Option { return func(c *config) { c.noMarkers = true } }

// WithMarkersOnShutdown ends every series with a stale marker on [Exporter.Shutdown], as when a scraped program goes away.
// The default is to leave the last values in sight, since the programs that push are often short.
func WithMarkersOnShutdown() Option { return func(c *config) { c.endAll = true } }

// WithClock replaces [time.Now] as the source of the time of stale markers and of data points without a time.
func WithClock(now func() time.Time) Option { return func(c *config) { c.now = now } }
