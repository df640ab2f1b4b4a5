package promwire

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// pattern is a compiled regular expression, or something quicker that means the same: selectors made by dashboards
// are mostly lists of plain values.
type pattern struct {
	re       *regexp.Regexp // nil if the fields below decide
	literals []string       // sorted: the value is one of these; or,
	prefix   string         // if literals is nil, it begins with this
	longer   bool           // and has something behind it
}

// compilePattern recognises "a|b", "a.*" and "a.+", where a and b are free of operators and may be empty.
func compilePattern(s string) (*pattern, error) {
	if plain(s) {
		literals := strings.Split(s, "|")
		slices.Sort(literals)
		return &pattern{literals: literals}, nil
	}
	if prefix, ok := strings.CutSuffix(s, ".*"); ok && plain(prefix) && !strings.Contains(prefix, "|") {
		return &pattern{prefix: prefix}, nil
	}
	if prefix, ok := strings.CutSuffix(s, ".+"); ok && plain(prefix) && !strings.Contains(prefix, "|") {
		return &pattern{prefix: prefix, longer: true}, nil
	}
	// Parsed on its own first: what stands around a pattern must not make "a)|(b" valid.
	if _, err := syntax.Parse(s, syntax.Perl|syntax.DotNL); err != nil {
		return nil, patternError(err)
	}
	re, err := regexp.Compile("^(?s:" + s + ")$")
	if err == nil {
		return &pattern{re: re}, nil
	}
	// Perhaps a quotation such as "\Qa" has no end, and took for its part what stands behind the pattern.
	if re, e := regexp.Compile("^(?s:" + s + `\E)$`); e == nil {
		return &pattern{re: re}, nil
	}
	return nil, patternError(err)
}

// patternError bounds the length of an error, which may hold the whole pattern.
func patternError(err error) error {
	var e *syntax.Error
	if errors.As(err, &e) {
		return fmt.Errorf("%s: %s", e.Code, quoteShort(e.Expr))
	}
	return err
}

// plain reports whether s has no operator but "|". The replacement character is none, but package regexp lets it
// match invalid bytes as well; invalid UTF-8 is left to that package to complain about.
func plain(s string) bool {
	return !strings.ContainsAny(s, `\.+*?()[]{}^$`) && !strings.ContainsRune(s, utf8.RuneError)
}

func (p *pattern) match(value string) bool {
	switch {
	case p.re != nil:
		return p.re.MatchString(value)
	case p.literals != nil:
		_, found := slices.BinarySearch(p.literals, value)
		return found
	default:
		return strings.HasPrefix(value, p.prefix) && (!p.longer || len(value) > len(p.prefix))
	}
}
