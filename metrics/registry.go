package metrics

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/promwire/promwire"
)

// Registry holds instruments and what they recorded until a [Pusher] has sent it. It is safe for concurrent use.
//
// Each change is sent once, by whichever Pusher comes first: use one Pusher per registry, and a [promwire.Writer]
// that fans out for several receivers.
type Registry struct {
	constLabels []promwire.Label
	names       promwire.NameScheme
	escaping    Escaping
	now         func() time.Time
	ahead       time.Duration
	zeros       bool // cumulative series begin with a sample of zero
	state       *State
	broken      error // why no instrument can be made

	mu       sync.Mutex
	families []*family
	claimed  map[string]*family // by the names of families and of their series

	refused refusals
	batch   batch
}

// NewRegistry makes an empty Registry.
func NewRegistry(opts ...RegistryOption) *Registry {
	r := &Registry{
		names:   promwire.LegacyNames,
		now:     time.Now,
		ahead:   DefaultMaxAhead,
		claimed: map[string]*family{},
		batch:   batch{turn: make(chan struct{}, 1)},
	}
	for _, o := range opts {
		o(r)
	}
	r.constLabels = r.escapeLabels(r.constLabels)
	return r
}

// Must returns v, and panics if err is not nil. It wraps constructors whose arguments are constants.
func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// definition is what makes a metric family the same or another one.
type definition struct {
	name   string
	given  string // name before escaping, if that is on
	meta   promwire.Metadata
	labels []string

	// Of histograms:
	classic      bool // has classic buckets
	bounds       []float64
	native       native
	nativeBounds []float64
	tuned        bool // an option for exponential buckets was given

	quantiles []float64 // of summaries
	states    []string  // of state sets
	function  bool      // values come from a function

	problem error // of an option
}

func define(t promwire.MetricType, name string, labels []string, opts []InstrumentOption) definition {
	d := definition{name: name, meta: promwire.Metadata{Type: t}, labels: slices.Clone(labels)}
	for _, o := range opts {
		o(&d)
	}
	return d
}

// suffix returns what the name of the series ends in, by its type.
func (d *definition) suffix() string {
	switch d.meta.Type {
	case promwire.TypeCounter:
		return suffixTotal
	case promwire.TypeInfo:
		return suffixInfo
	default:
		return ""
	}
}

// String returns the definition as error messages name it: gauge "queue_depth" with labels [queue].
func (d *definition) String() string {
	s := fmt.Sprintf("%s %q", d.meta.Type, d.name)
	if d.function {
		s += " of a function"
	}
	if len(d.labels) > 0 {
		s += fmt.Sprintf(" with labels %v", d.labels)
	}
	if d.meta.Unit != "" {
		s += fmt.Sprintf(" in %s", d.meta.Unit)
	}
	if d.bounds != nil {
		s += fmt.Sprintf(" with bounds %v", d.bounds)
	}
	switch d.native.form {
	case exponential:
		s += fmt.Sprintf(" with native schema %d, at most %d buckets, zero threshold %v", d.native.schema, d.native.max, d.native.zero)
	case custom:
		s += fmt.Sprintf(" with native bounds %v", d.nativeBounds)
	}
	if d.quantiles != nil {
		s += fmt.Sprintf(" with quantiles %v", d.quantiles)
	}
	if d.states != nil {
		s += fmt.Sprintf(" with states %q", d.states)
	}
	return s
}

// same reports whether both definitions are equal but for their help.
func (d *definition) same(o *definition) bool {
	return d.name == o.name && d.given == o.given && d.meta.Type == o.meta.Type && d.meta.Unit == o.meta.Unit &&
		slices.Equal(d.labels, o.labels) && d.classic == o.classic && slices.Equal(d.bounds, o.bounds) &&
		d.native == o.native && slices.Equal(d.nativeBounds, o.nativeBounds) &&
		slices.Equal(d.quantiles, o.quantiles) && slices.Equal(d.states, o.states)
}

// claims returns the metric names that the family takes.
func (d *definition) claims() []string {
	switch d.meta.Type {
	case promwire.TypeHistogram:
		return []string{d.name, d.name + suffixBucket, d.name + suffixCount, d.name + suffixSum}
	case promwire.TypeSummary:
		return []string{d.name, d.name + suffixCount, d.name + suffixSum}
	default:
		return []string{d.name}
	}
}

// family is a registered definition with its series.
type family struct {
	definition
	reg *Registry
	vec any // the *Vec that made it

	mu     sync.RWMutex
	series []collector // in order of their creation
}

// collector is a series of an instrument: one label set of it, whatever number of series that is on the wire.
type collector interface {
	// collect puts what was recorded into samples, with the time now if it has none of its own, and appends
	// the series that have samples to send.
	collect(dst []promwire.TimeSeries, now int64) []promwire.TimeSeries
	// settle drops the samples that collect returned, as far as they need not be sent again.
	settle(v verdict)
	// line returns the timeline; its owner's lock guards what recordings change.
	line() *timeline
}

// newTimeline makes the timeline of a new series.
func (f *family) newTimeline() timeline {
	return timeline{
		created: f.reg.now().UnixMilli(),
		zero:    f.reg.zeros && cumulative(f.meta.Type),
		ahead:   f.reg.ahead.Milliseconds(),
	}
}

// register returns the Vec of the definition, an existing one if there is an equal definition already.
func register[T any](r *Registry, d definition, newSeries func(*family, promwire.Labels) *T) (*Vec[T], error) {
	r.escape(&d)
	if err := r.check(&d); err != nil {
		return nil, fmt.Errorf("metrics: %s %q: %w", d.meta.Type, d.name, err)
	}
	suffix := d.suffix()
	d.name = strings.TrimSuffix(d.name, suffix) + suffix
	if r.broken != nil {
		return nil, fmt.Errorf("metrics: %v: %w", &d, r.broken)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range d.claims() {
		owner := r.claimed[name]
		if owner == nil {
			continue
		}
		if vec, ok := owner.vec.(*Vec[T]); ok && owner.same(&d) {
			return vec, nil
		}
		return nil, fmt.Errorf("metrics: %v: %w: %q belongs to %v", &d, ErrConflict, name, &owner.definition)
	}
	if err := r.state.check(&d, r.constLabels); err != nil {
		return nil, fmt.Errorf("metrics: %v: %w", &d, err)
	}
	fam := &family{definition: d, reg: r}
	vec := &Vec[T]{fam: fam, newSeries: newSeries, byValues: map[string]*T{}}
	fam.vec = vec
	for _, name := range d.claims() {
		r.claimed[name] = fam
	}
	r.families = append(r.families, fam)
	return vec, nil
}
