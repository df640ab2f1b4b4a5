package difftest

import (
	"cmp"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/promwire/promwire"
)

// libraryMatchers parses s as a PromQL expression; false if it is not a plain selector.
func libraryMatchers(s string) ([]promwire.Matcher, bool) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(s)
	if err != nil {
		return nil, false
	}
	v, ok := expr.(*parser.VectorSelector)
	if !ok || v.OriginalOffset != 0 || v.Timestamp != nil || v.StartOrEnd != 0 || v.Anchored || v.Smoothed {
		return nil, false
	}
	var out []promwire.Matcher
	for _, m := range v.LabelMatchers {
		out = append(out, promwire.Matcher{Type: promwire.MatchType(m.Type), Name: m.Name, Value: m.Value})
	}
	return out, true
}

// sorted drops what is compiled, and the order: the library puts the metric name last.
func sorted(ms []promwire.Matcher) []promwire.Matcher {
	var out []promwire.Matcher
	for _, m := range ms {
		out = append(out, promwire.Matcher{Type: m.Type, Name: m.Name, Value: m.Value})
	}
	slices.SortFunc(out, func(a, b promwire.Matcher) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Value, b.Value))
	})
	return out
}

// front is what may stand before a selector.
var front = regexp.MustCompile(`^([ \t\r\n]|#[^\r\n]*[\r\n])*`)

// keyword reports whether s begins with a word that means something else to PromQL: such a name is a selector for
// promwire, and either for the library.
func keyword(s string) bool {
	end := strings.IndexFunc(s, func(r rune) bool { return r == '{' || r == '#' || r == ' ' || r == '\n' || r == '\t' || r == '\r' })
	if end < 0 {
		end = len(s)
	}
	_, isSelector := libraryMatchers(s[:end] + "x")
	ms, ok := libraryMatchers(s[:end])
	return isSelector && (!ok || ms[len(ms)-1].Value != s[:end])
}

func checkSelector(t *testing.T, s string) {
	t.Helper()
	want, valid := libraryMatchers(s)
	got, err := promwire.ParseSelector(s)
	switch {
	case !utf8.ValidString(s):
		if err == nil {
			t.Errorf("%q: taken though it is no UTF-8", s)
		}
	case valid && err != nil:
		if invalid(want) {
			return
		}
		t.Errorf("%q: %v; the library reads %v", s, err, want)
	case valid && !slices.Equal(sorted(got), sorted(want)):
		t.Errorf("%q: got %v, want %v", s, got, want)
	case !valid && err == nil && !keyword(front.ReplaceAllString(s, "")):
		t.Errorf("%q: got %v; the library refuses it", s, got)
	}
}

// invalid reports whether a matcher holds what only escapes can make, and promwire refuses: text that is no UTF-8; or
// an empty label name.
func invalid(ms []promwire.Matcher) bool {
	return slices.ContainsFunc(ms, func(m promwire.Matcher) bool {
		return m.Name == "" || !utf8.ValidString(m.Name) || !utf8.ValidString(m.Value)
	})
}

var selectors = []string{
	`up`, `up{}`, `{}`, `up{a="b"}`, `{a="b",c!="d",e=~"f|g",h!~'i',}`, `{"my.metric","a.b"="x"}`, `{__name__=~"x.*"}`,
	"{a=`\\d`} # x", `up{__name__="x"}`, `{"x","y"}`, `{"x",__name__="y"}`, `{a=~"a)|(b"}`, `{a="\u00e9\x41\101"}`,
	`{a="\xff"}`, `up[5m]`, `up offset 1m`, `{a=""}`, `{a=~".*"}`, `{a!~".*"}`, `a:b`, `{a:b="c"}`, `{""="x"}`, `sum`,
	`{a='\'"'}`, `{a='\"'}`, ` up { a = "b" , } `, `up{,}`, `up{a="b",,}`, `{"a"}`, `{""}`, `{__name__=""}`,
}

func TestSelectors(t *testing.T) {
	for _, s := range selectors {
		checkSelector(t, s)
	}
}

func FuzzSelectors(f *testing.F) {
	for _, s := range selectors {
		f.Add(s)
	}
	f.Fuzz(checkSelector)
}

func checkMatcher(t *testing.T, kind byte, pattern, value string) {
	t.Helper()
	mt := promwire.MatchType(kind % 4)
	want, wantErr := labels.NewMatcher(labels.MatchType(mt), "l", pattern)
	got, err := promwire.NewMatcher(mt, "l", pattern)
	if (err == nil) != (wantErr == nil) {
		if _, again := syntax.Parse(pattern, syntax.Perl); again == nil {
			t.Errorf("%q: error %v, the library says %v", pattern, err, wantErr)
		}
		return
	}
	if err == nil && got.Matches(value) != want.Matches(value) {
		t.Errorf("%v matches %q: %t, the library says %t", got, value, got.Matches(value), want.Matches(value))
	}
}

var (
	patterns = []string{"", "a", "a|b", "a|", ".*", ".+", "a.*", "a.+", ".*a", "a.b", "(a|b)c?", "(?i)a", "[ab]+", "^a$", "a$|b", "é.*"}
	values   = []string{"", "a", "b", "ab", "a\nb", "A", "abc", "é", "a\n"}
)

func TestMatchers(t *testing.T) {
	for kind := range byte(4) {
		for _, p := range patterns {
			for _, v := range values {
				checkMatcher(t, kind, p, v)
			}
		}
	}
}

func FuzzMatchers(f *testing.F) {
	for i, p := range patterns {
		f.Add(byte(i), p, values[i%len(values)])
	}
	f.Fuzz(func(t *testing.T, kind byte, pattern, value string) {
		if utf8.ValidString(value) { // the library's own quick ways differ for others
			checkMatcher(t, kind, pattern, value)
		}
	})
}
