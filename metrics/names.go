package metrics

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/promwire/promwire"
)

// Suffixes of series names (OpenMetrics, "Metric Types").
const (
	suffixTotal  = "_total"
	suffixInfo   = "_info"
	suffixBucket = "_bucket"
	suffixCount  = "_count"
	suffixSum    = "_sum"
)

// check says what is wrong with a definition.
func (r *Registry) check(d *definition) error {
	if !promwire.ValidName(d.name, r.names, true) {
		return r.invalidName("metric name", d.name, "letters, digits, _ and :")
	}
	if err := d.checkUnit(); err != nil {
		return err
	}
	if err := r.checkLabels(d.labels); err != nil {
		return err
	}
	if d.problem != nil {
		return d.problem
	}
	switch d.meta.Type {
	case promwire.TypeSummary:
		return checkQuantiles(d.quantiles)
	case promwire.TypeStateSet:
		return r.checkStates(d)
	}
	if err := checkBounds(d.bounds); err != nil {
		return err
	}
	return checkBounds(d.nativeBounds)
}

func (d *definition) checkUnit() error {
	unit := d.meta.Unit
	switch {
	case unit == "":
		return nil
	case d.meta.Type == promwire.TypeInfo, d.meta.Type == promwire.TypeStateSet:
		return fmt.Errorf("%w %q: this type has none", ErrInvalidUnit, unit)
	case !hasUnit(d.name, d.suffix(), unit) && !hasUnit(EscapeUnderscores.name(d.given, true), d.suffix(), unit):
		return fmt.Errorf("%w %q: the metric name has to end in _%s", ErrInvalidUnit, unit, unit)
	default:
		return nil
	}
}

func hasUnit(name, suffix, unit string) bool {
	return strings.HasSuffix(strings.TrimSuffix(name, suffix), "_"+unit)
}

func checkQuantiles(quantiles []float64) error {
	for i, q := range quantiles {
		switch {
		case math.IsNaN(q), q < 0, q > 1:
			return fmt.Errorf("%w: %v is not within 0 and 1", ErrInvalidQuantiles, q)
		case i > 0 && q <= quantiles[i-1]:
			return fmt.Errorf("%w: %v does not exceed %v, the quantile before it", ErrInvalidQuantiles, q, quantiles[i-1])
		}
	}
	return nil
}

// checkStates checks the states of a set, and its name, which is that of a label, too.
func (r *Registry) checkStates(d *definition) error {
	if len(d.states) == 0 {
		return fmt.Errorf("%w: there is none", ErrInvalidStates)
	}
	for i, state := range d.states {
		switch {
		case state == "" || !utf8.ValidString(state):
			return fmt.Errorf("%w: %q is empty or not UTF-8", ErrInvalidStates, state)
		case slices.Contains(d.states[:i], state):
			return fmt.Errorf("%w: %q is repeated", ErrInvalidStates, state)
		}
	}
	return r.checkLabels(append(slices.Clone(d.labels), d.name))
}

func (r *Registry) checkLabels(labels []string) error {
	all := make([]string, 0, len(r.constLabels)+len(labels))
	for _, l := range r.constLabels {
		all = append(all, l.Name)
	}
	all = append(all, labels...)
	for i, name := range all {
		switch {
		case !promwire.ValidName(name, r.names, false):
			return r.invalidName("label name", name, "letters, digits and _")
		case name == "le", name == "quantile", strings.HasPrefix(name, "__"):
			return fmt.Errorf("%w %q: choose another name", ErrReservedLabel, name)
		case slices.Contains(all[:i], name):
			return fmt.Errorf("%w: %q", promwire.ErrDuplicateLabel, name)
		}
	}
	return nil
}

func (r *Registry) invalidName(what, name, allowed string) error {
	if r.names == promwire.LegacyNames {
		return fmt.Errorf("%w: %s %q: use %s, no digit first (WithUTF8Names allows more, WithEscapedNames escapes)",
			promwire.ErrInvalidName, what, name, allowed)
	}
	return fmt.Errorf("%w: %s %q: use valid UTF-8, not empty", promwire.ErrInvalidName, what, name)
}

func checkBounds(bounds []float64) error {
	for i, b := range bounds {
		switch {
		case math.IsInf(b, 1):
			return fmt.Errorf("%w: leave +Inf out, it is implied", ErrInvalidBounds)
		case math.IsNaN(b), math.IsInf(b, -1):
			return fmt.Errorf("%w: %v is not finite", ErrInvalidBounds, b)
		case i > 0 && b <= bounds[i-1]:
			return fmt.Errorf("%w: %v does not exceed %v, the bound before it", ErrInvalidBounds, b, bounds[i-1])
		}
	}
	return nil
}

// validValue returns a label value that may be sent: bytes that are not UTF-8 become U+FFFD. Values come from data,
// and data must neither stop a program nor get a whole request refused.
func validValue(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// wireLabels returns the labels of a series on the wire; le is left out if it is empty.
func wireLabels(ls promwire.Labels, name, le string) promwire.Labels {
	return extraLabel(ls, name, "le", le)
}

// extraLabel is wireLabels with any label.
func extraLabel(ls promwire.Labels, name, label, value string) promwire.Labels {
	out := make(promwire.Labels, 0, len(ls)+2)
	out = append(append(out, ls...),
		promwire.Label{Name: promwire.MetricName, Value: name}, promwire.Label{Name: label, Value: value})
	return out.Normalize()
}
