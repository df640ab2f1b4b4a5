package otelexport

import (
	"math"

	"github.com/prometheus/otlptranslator"

	"github.com/promwire/promwire"
)

// maxCached bounds the names of each kind that are kept; beyond it they are made anew.
const maxCached = 10_000

// familyNames are the names of a metric's series, and its unit.
type familyNames struct{ plain, bucket, count, sum, unit string }

// namer translates names, and keeps what it made for the next export.
type namer struct {
	metric otlptranslator.MetricNamer
	label  otlptranslator.LabelNamer
	unit   otlptranslator.UnitNamer

	families map[otlptranslator.Metric]*familyNames
	labels   map[string]string
	bounds   map[uint64]string // by the bits of the bound
}

func newNamer(s otlptranslator.TranslationStrategyOption) namer {
	utf8 := !s.ShouldEscape()
	return namer{
		metric: otlptranslator.NewMetricNamer("", s), label: otlptranslator.LabelNamer{UTF8Allowed: utf8},
		unit:     otlptranslator.UnitNamer{UTF8Allowed: utf8},
		families: map[otlptranslator.Metric]*familyNames{}, labels: map[string]string{}, bounds: map[uint64]string{},
	}
}

func (n *namer) family(m otlptranslator.Metric) (*familyNames, error) {
	if f := n.families[m]; f != nil {
		return f, nil
	}
	name, err := n.metric.Build(m)
	if err != nil {
		return nil, err
	}
	f := &familyNames{name, name + "_bucket", name + "_count", name + "_sum", n.unit.Build(m.Unit)}
	keep(n.families, m, f)
	return f, nil
}

func (n *namer) labelName(key string) (string, error) {
	if name, found := n.labels[key]; found {
		return name, nil
	}
	name, err := n.label.Build(key)
	if err == nil {
		keep(n.labels, key, name)
	}
	return name, err
}

// bound returns v as it is spelled in le and quantile.
func (n *namer) bound(v float64) string {
	bits := math.Float64bits(v)
	s, found := n.bounds[bits]
	if !found {
		s = promwire.FormatLe(v)
		keep(n.bounds, bits, s)
	}
	return s
}

// keep adds to a cache, which it empties first if it is full.
func keep[K comparable, V any](cache map[K]V, k K, v V) {
	if len(cache) >= maxCached {
		clear(cache)
	}
	cache[k] = v
}
