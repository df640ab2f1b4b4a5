package exposition

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/promwire/promwire"
)

// metaLine is what a TYPE, HELP or UNIT line says.
type metaLine struct {
	family     string
	entry      textparse.Entry
	metricType promwire.MetricType
	text       string // help or unit
}

// types are the names of types in TYPE lines, and their meaning.
var types = map[model.MetricType]promwire.MetricType{
	model.MetricTypeUnknown:        promwire.TypeUnknown,
	model.MetricTypeCounter:        promwire.TypeCounter,
	model.MetricTypeGauge:          promwire.TypeGauge,
	model.MetricTypeHistogram:      promwire.TypeHistogram,
	model.MetricTypeGaugeHistogram: promwire.TypeGaugeHistogram,
	model.MetricTypeSummary:        promwire.TypeSummary,
	model.MetricTypeInfo:           promwire.TypeInfo,
	model.MetricTypeStateset:       promwire.TypeStateSet,
}

// context are the lines that make the parsers read a sample line under a type.
var context = map[promwire.MetricType]string{
	promwire.TypeCounter:   "# TYPE x counter\n",
	promwire.TypeHistogram: "# TYPE x histogram\n",
	promwire.TypeSummary:   "# TYPE x summary\n",
}

// parser returns the library's parser for r.doc, and one line.
func (r *Reader) parser(before string, text []byte) textparse.Parser {
	r.doc = append(append(append(slices.Grow(r.doc[:0], len(before)+len(text)+8), before...), text...), '\n')
	if r.format == OpenMetrics {
		return textparse.NewOpenMetricsParser(r.doc, r.symbols)
	}
	return textparse.NewPromParser(r.doc, r.symbols, false)
}

// slow reads a sample line with the library, into p. It returns the line as it is to be remembered: known, if the
// series in it is.
func (r *Reader) slow(text []byte, end int, known *line, under promwire.MetricType, p *Point) (*line, error) {
	before := context[under]
	parser := r.parser(before, text)
	if before != "" {
		if _, err := parser.Next(); err != nil {
			return nil, err
		}
	}
	entry, err := parser.Next()
	if err != nil {
		return nil, err
	}
	if entry != textparse.EntrySeries {
		return nil, errNotASample
	}
	name, at, value := parser.Series()
	if string(name) != string(text[:end]) {
		return nil, errAmbiguous
	}
	p.Value, p.HasTimestamp = value, at != nil
	if at != nil {
		p.Timestamp = *at
	}
	if known == nil || known.series == nil || known.under != under {
		if known, err = r.newLine(text[:end], parser, under); err != nil {
			return nil, err
		}
	}
	p.Exemplars, err = r.exemplars(parser, nil)
	return known, err
}

// newLine remembers the series that the parser is at.
func (r *Reader) newLine(key []byte, parser textparse.Parser, under promwire.MetricType) (*line, error) {
	var ls labels.Labels
	parser.Labels(&ls)
	own, err := r.newLabels(ls)
	if err != nil {
		return nil, err
	}
	l := &line{key: string(key), series: &Series{Labels: own}, under: under}
	if r.format == OpenMetrics {
		r.findStarts(l)
	}
	r.remember(l)
	return l, nil
}

// findStarts finds what the series shares with the other series of its metric.
func (r *Reader) findStarts(l *line) {
	var except string
	switch l.under {
	case promwire.TypeCounter:
	case promwire.TypeHistogram:
		except = "le"
	case promwire.TypeSummary:
		except = "quantile"
	default:
		return
	}
	ls := l.series.Labels
	base := ls.Get(promwire.MetricName)
	for _, s := range suffixes[l.under] {
		if cut, found := strings.CutSuffix(base, s); found {
			base, l.series.created = cut, s == "_created"
			break
		}
	}
	key := []byte(base)
	for i := range ls {
		if ls[i].Name != promwire.MetricName && ls[i].Name != except {
			key = append(append(append(append(key, 0xff), ls[i].Name...), 0xff), ls[i].Value...)
		}
	}
	s := r.starts[string(key)]
	if s == nil {
		s = &starts{}
		r.starts[string(key)] = s
	}
	l.series.starts = s
}

// exemplars appends the exemplars of the entry that the parser is at.
func (r *Reader) exemplars(parser textparse.Parser, out []Exemplar) ([]Exemplar, error) {
	for {
		var e exemplar.Exemplar
		if !parser.Exemplar(&e) {
			break
		}
		ls, err := r.newLabels(e.Labels)
		if err != nil {
			return out, fmt.Errorf("exemplar: %w", err)
		}
		out = append(out, Exemplar{promwire.Exemplar{Labels: ls.Normalize(), Value: e.Value, Timestamp: e.Ts}, e.HasTs})
	}
	if len(out) > 1 {
		slices.SortStableFunc(out, func(a, b Exemplar) int { return CompareExemplars(&a.Exemplar, &b.Exemplar) })
	}
	return out, nil
}

// comment reads a line that begins with #, and returns the type that the lines after it are read under.
func (r *Reader) comment(text []byte, place int, under promwire.MetricType) promwire.MetricType {
	l := r.find(text)
	if l == nil || l.meta == nil {
		meta, err := r.newMeta(text)
		if err != nil {
			r.result.bad(place, text, err)
			return under
		}
		if meta == nil {
			return under
		}
		l = &line{key: string(text), meta: meta}
		r.remember(l)
	}
	f := r.declared(l.meta.family)
	r.family = f
	switch l.meta.entry {
	case textparse.EntryType:
		f.Type = l.meta.metricType
		return f.Type
	case textparse.EntryHelp:
		f.Help = l.meta.text
	case textparse.EntryUnit:
		f.Unit = l.meta.text
	}
	return under
}

// newMeta reads a line of metadata. It returns nil for a mere comment.
func (r *Reader) newMeta(text []byte) (*metaLine, error) {
	parser := r.parser("", text)
	entry, err := parser.Next()
	if err != nil {
		return nil, err
	}
	m := &metaLine{entry: entry}
	var name, content []byte
	switch entry {
	case textparse.EntryType:
		var t model.MetricType
		name, t = parser.Type()
		m.metricType = types[t]
	case textparse.EntryHelp:
		name, content = parser.Help()
	case textparse.EntryUnit:
		name, content = parser.Unit()
	default:
		return nil, nil //nolint:nilnil // a comment says nothing
	}
	m.family, m.text = unquote(string(name)), string(content)
	return m, nil
}

var unquoter = strings.NewReplacer(`\"`, `"`, `\\`, `\`, `\n`, "\n")

// unquote undoes the escapes in the name of a family.
func unquote(name string) string {
	if strings.IndexByte(name, '\\') < 0 {
		return name
	}
	return unquoter.Replace(name)
}
