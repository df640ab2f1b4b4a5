package promwire

import (
	"fmt"
	"regexp"
)

// MatchType is the operator of a [Matcher]; the numbers are those of Remote Read.
type MatchType int32

// The match types.
const (
	MatchEqual     MatchType = iota // =
	MatchNotEqual                   // !=
	MatchRegexp                     // =~
	MatchNotRegexp                  // !~
)

// Matcher is a condition on one label. A series without the label has the value "". Patterns are RE2 syntax,
// anchored at both ends, and "." matches a newline.
//
// A Matcher made by [NewMatcher] or [ParseSelector] is ready for [Matcher.Matches], which is safe for concurrent use;
// one made by hand or decoded needs [Matcher.Compile] first.
type Matcher struct {
	Type        MatchType
	Name, Value string

	re *regexp.Regexp
}

// NewMatcher makes a compiled Matcher. It fails on an unknown type and a malformed pattern.
func NewMatcher(t MatchType, name, value string) (Matcher, error) {
	m := Matcher{Type: t, Name: name, Value: value}
	return m, m.Compile()
}

// Compile prepares m for [Matcher.Matches].
func (m *Matcher) Compile() error {
	switch m.Type {
	case MatchEqual, MatchNotEqual:
		return nil
	case MatchRegexp, MatchNotRegexp:
		re, err := regexp.Compile("^(?s:" + m.Value + ")$")
		if err != nil {
			return fmt.Errorf("matcher on label %q: %w", m.Name, err)
		}
		m.re = re
		return nil
	default:
		return fmt.Errorf("matcher on label %q: unknown type %d", m.Name, m.Type)
	}
}

// Matches reports whether the label value fulfils m. Without a prior [Matcher.Compile], a pattern matches nothing.
func (m *Matcher) Matches(value string) bool {
	switch m.Type {
	case MatchEqual:
		return value == m.Value
	case MatchNotEqual:
		return value != m.Value
	case MatchRegexp:
		return m.re != nil && m.re.MatchString(value)
	case MatchNotRegexp:
		return m.re != nil && !m.re.MatchString(value)
	default:
		return false
	}
}

// String returns m as in a selector, such as job=~"a|b".
func (m Matcher) String() string {
	op := "?"
	if m.Type >= MatchEqual && m.Type <= MatchNotRegexp {
		op = [...]string{"=", "!=", "=~", "!~"}[m.Type]
	}
	return m.Name + op + fmt.Sprintf("%q", m.Value)
}
