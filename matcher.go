package promwire

import (
	"fmt"
	"strconv"
)

// MatchType is the operator of a [Matcher]; the numbers are those of Remote Read.
type MatchType int32

// The match types. An unknown number from the wire is kept as it is, and fails in [Matcher.Compile].
const (
	MatchEqual     MatchType = iota // =
	MatchNotEqual                   // !=
	MatchRegexp                     // =~
	MatchNotRegexp                  // !~
)

// String returns the operator, such as "=~".
func (t MatchType) String() string {
	if t >= MatchEqual && t <= MatchNotRegexp {
		return [...]string{"=", "!=", "=~", "!~"}[t]
	}
	return "MatchType(" + strconv.Itoa(int(t)) + ")"
}

// Matcher is a condition on one label. A series without the label has the value "". Patterns are RE2 syntax,
// anchored at both ends, and "." matches a newline.
//
// A Matcher made by [NewMatcher] or [ParseSelector] is ready for [Matcher.Matches], which is safe for concurrent use;
// one made by hand or decoded needs [Matcher.Compile] first.
type Matcher struct {
	Type        MatchType
	Name, Value string

	pattern *pattern // of a compiled Value, for patterns
}

// NewMatcher makes a compiled Matcher. It fails on an unknown type and a malformed pattern.
func NewMatcher(t MatchType, name, value string) (Matcher, error) {
	m := Matcher{Type: t, Name: name, Value: value}
	return m, m.Compile()
}

// Compile prepares m for [Matcher.Matches]. It fails on an unknown type and a malformed pattern. The time and memory
// it takes are proportional to the pattern's length, except for counted repetitions such as "x{1000}", of which
// package regexp allows 1,000 at most; whoever takes patterns from strangers bounds their length.
func (m *Matcher) Compile() error {
	switch m.Type {
	case MatchEqual, MatchNotEqual:
		m.pattern = nil
		return nil
	case MatchRegexp, MatchNotRegexp:
		p, err := compilePattern(m.Value)
		if err != nil {
			return fmt.Errorf("matcher on label %.100q: pattern %s: %w", m.Name, quoteShort(m.Value), err)
		}
		m.pattern = p
		return nil
	default:
		return fmt.Errorf("matcher on label %.100q: unknown match type %d", m.Name, m.Type)
	}
}

// CompileMatchers compiles all of ms in place; it stops at the first error.
func CompileMatchers(ms []Matcher) error {
	for i := range ms {
		if err := ms[i].Compile(); err != nil {
			return err
		}
	}
	return nil
}

// Matches reports whether the label value fulfils m. Without a prior [Matcher.Compile], a pattern matches nothing.
func (m *Matcher) Matches(value string) bool {
	switch m.Type {
	case MatchEqual:
		return value == m.Value
	case MatchNotEqual:
		return value != m.Value
	case MatchRegexp:
		return m.pattern != nil && m.pattern.match(value)
	case MatchNotRegexp:
		return m.pattern != nil && !m.pattern.match(value)
	default:
		return false
	}
}

// MatchAll reports whether ls fulfils all of ms, which must be compiled. No matchers match nothing, as in a [Query].
func MatchAll(ls Labels, ms []Matcher) bool {
	for i := range ms {
		if !ms[i].Matches(ls.Get(ms[i].Name)) {
			return false
		}
	}
	return len(ms) > 0
}

// String returns m as in a selector, such as job=~"a|b". A name that breaks the classic pattern is quoted.
func (m Matcher) String() string { return string(m.appendText(nil)) }

func (m *Matcher) appendText(dst []byte) []byte {
	if ValidName(m.Name, LegacyNames, false) {
		dst = append(dst, m.Name...)
	} else {
		dst = strconv.AppendQuote(dst, m.Name)
	}
	dst = append(dst, m.Type.String()...)
	return strconv.AppendQuote(dst, m.Value)
}

// FormatSelector returns ms as a selector that [ParseSelector] reads, such as up{job=~"a|b"}: a metric name that is
// matched for equality comes first. No matchers give "{}".
func FormatSelector(ms []Matcher) string {
	var dst []byte
	name, open := metricName(ms), false
	if name >= 0 && ValidName(ms[name].Value, LegacyNames, true) {
		dst = append(dst, ms[name].Value...)
	} else if name >= 0 {
		dst, open = strconv.AppendQuote(append(dst, '{'), ms[name].Value), true
	}
	for i := range ms {
		if i == name {
			continue
		}
		if open {
			dst = append(dst, ',')
		} else {
			dst, open = append(dst, '{'), true
		}
		dst = ms[i].appendText(dst)
	}
	if open {
		return string(append(dst, '}'))
	}
	if name < 0 {
		return "{}"
	}
	return string(dst)
}

// metricName returns the index of the only matcher on the metric name, if it wants one name, or -1.
func metricName(ms []Matcher) int {
	found := -1
	for i := range ms {
		if ms[i].Name != MetricName {
			continue
		}
		if found >= 0 || ms[i].Type != MatchEqual || ms[i].Value == "" {
			return -1
		}
		found = i
	}
	return found
}
