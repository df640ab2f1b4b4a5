package metrics

import (
	"slices"
	"time"

	"github.com/promwire/promwire"
)

// RegistryOption is an option of [NewRegistry].
type RegistryOption func(*Registry)

// WithConstLabel adds a label to every series of the registry, such as job or instance; use it once per label. An
// empty value means no label. Constructors report an invalid name.
func WithConstLabel(name, value string) RegistryOption {
	return func(r *Registry) {
		r.constLabels = append(r.constLabels, promwire.Label{Name: name, Value: validValue(value)})
	}
}

// WithUTF8Names allows any UTF-8 in names of metrics and labels, for receivers that take it (Prometheus 3 and
// Remote Write 2.0 do). The default is the legacy scheme, [promwire.LegacyNames], which all receivers take.
func WithUTF8Names() RegistryOption {
	return func(r *Registry) { r.names = promwire.UTF8Names }
}

// WithClock replaces [time.Now] as the source of the time of pushes and of start timestamps.
func WithClock(now func() time.Time) RegistryOption {
	return func(r *Registry) { r.now = now }
}

// InstrumentOption is an option of any instrument.
type InstrumentOption func(*definition)

// WithHelp describes the metric in a sentence.
func WithHelp(text string) InstrumentOption {
	return func(d *definition) { d.meta.Help = text }
}

// WithUnit names the unit, such as "seconds" or "bytes". The metric's name must end in it (OpenMetrics, Unit), before
// _total if it is a counter.
func WithUnit(unit string) InstrumentOption {
	return func(d *definition) { d.meta.Unit = unit }
}

// HistogramOption is an option of histograms. Every [InstrumentOption] is one.
type HistogramOption interface{ applyToHistogram(*definition) }

func (o InstrumentOption) applyToHistogram(d *definition) { o(d) }

type boundsOption []float64

func (o boundsOption) applyToHistogram(d *definition) { d.bounds = slices.Clone(o) }

// WithBounds sets the upper inclusive bounds of the buckets: finite and strictly increasing; +Inf is implied and must
// be left out. The default suits durations of requests in seconds: 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10.
func WithBounds(bounds ...float64) HistogramOption { return boundsOption(bounds) }

var defaultBounds = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}
