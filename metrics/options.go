package metrics

import (
	"crypto/rand"
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

// WithZeroSamples sends a sample of zero, at the start of the series, before the first one of every counter and
// histogram, so that the first increment shows in increase(). [WithState] and [WithRunLabel] include it.
func WithZeroSamples() RegistryOption {
	return func(r *Registry) { r.zeros = true }
}

// WithRunLabel adds a label whose value is another one in every process, for programs that run in parallel: each run
// is a set of series of its own, to be summed up in queries. It includes [WithZeroSamples]. The series of a run that
// is over stay in the store, so this suits runs that are few or long; otherwise see [State].
func WithRunLabel(name string) RegistryOption {
	return func(r *Registry) {
		WithConstLabel(name, rand.Text())(r)
		r.zeros = true
	}
}

// WithUTF8Names allows any UTF-8 in names of metrics and labels, for receivers that take it (Prometheus 3 and
// Remote Write 2.0 do). The default is the legacy scheme, [promwire.LegacyNames], which all receivers take.
func WithUTF8Names() RegistryOption {
	return func(r *Registry) { r.names = promwire.UTF8Names }
}

// WithClock replaces [time.Now] as the source of time: of pushes, start timestamps, exemplars and timers.
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
