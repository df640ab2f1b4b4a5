package difftest

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/promwire/promwire"
)

// values are matched against every pattern.
var values = []string{
	"", "a", "b", "A", "ab", "abc", "aab", "foo", "foobar", "barfoo", "a|b", "a.b", "a\nb", "\n", "10", "9", "x-y_z", "é",
	"\u212a", "k", "K", "\xff", "a\xffb", "\ufffd", "foo\n", "GET", "/api/v1/read", "sss", "ſ", "aaaaaaaaaaaaaaaaaaaaaaaa",
}

// patterns cover what either side has a short way for.
var patterns = []string{
	"", "a", "a|b", "|", "a|", "|a", "a||b", ".*", ".+", "a.*", "a.+", ".*a", ".+a", ".*a.*", ".+a.+", ".", "..", "a.b",
	"foo|bar.*", "(foo|bar)", "(?i)foo", "(?i:k)", "(?i)s+", "fo{2}", "fo{2,}", "[abc]", "[^abc]", "[a-c]+", "^a$", "^$",
	"$", "^", "\\.", "a\\|b", "\\d+", "\\w*", "(a", "a)", "[", "*", "+a", "a{1001}", "a{2,1}", "(?P<n>a)", "(?:a|b)c",
	"a)|(b", "\\Qa.b\\E", "(?s).*", "(?-s).*", "(?s:.)", "(?-s:.+)", "(?m)^a$", "\\x61", "\\pL+", "\xff", "a|\xff", "\ufffd",
	"a\\", "(?i)", "(?z)", "foo.*|bar", "(foo)+", "a??b*?", "\\bfoo\\b", "\\A\\z", "é|è", ".*foo|bar.*", "(?:)", "()",
	"(?i)abc|ABD", "abc|abd|acd", "x(?:)y", "GET|POST|HEAD", "/api/.*/read", ".*\n.*", "(.*)", "(.+)", "(?:.*)", "a*",
	"a+", "a?", "(a|b)*", "[\\s\\S]*", "\\C", "\\pN", "\\pp", "\\P{letter}", "[\\pp]", "[[:alpha:]]+", "\\1", "(?=a)", "(?<n>a)", "a{,2}", "a{0}", "x{0,1000}",
}

// compareMatcher leaves out invalid UTF-8 where it makes a difference: the library takes it in patterns that are plain
// text, promwire in none; and in such a pattern the library's replacement character does not match invalid bytes, as
// it does in package regexp. Labels are valid UTF-8. Names of Unicode classes, as in \pL, are newer in package regexp
// than in the fork that the library compiles with: \p{letter} and \pl are valid here and not there.
func compareMatcher(t *testing.T, mt promwire.MatchType, pattern string, values []string) {
	t.Helper()
	got, err := promwire.NewMatcher(mt, "n", pattern)
	want, wantErr := labels.NewMatcher(labels.MatchType(mt), "n", pattern)
	if (mt == promwire.MatchRegexp || mt == promwire.MatchNotRegexp) && !utf8.ValidString(pattern) {
		if err == nil {
			t.Fatalf("%s %q: got no error", mt, pattern)
		}
		return
	}
	if err == nil && wantErr != nil && strings.Contains(strings.ToLower(pattern), `\p`) && strings.Contains(wantErr.Error(), "character class range") {
		return
	}
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%s %q: got error %v, library %v", mt, pattern, err, wantErr)
	}
	if err != nil {
		return
	}
	for _, v := range values {
		if strings.ContainsRune(pattern, utf8.RuneError) && !utf8.ValidString(v) {
			continue
		}
		if g, w := got.Matches(v), want.Matches(v); g != w {
			t.Errorf("%s %q on %q: got %v, library %v", mt, pattern, v, g, w)
		}
	}
	if got.String() != want.String() {
		t.Errorf("got %s, library %s", got.String(), want.String())
	}
}

func TestMatcher(t *testing.T) {
	for _, p := range patterns {
		for mt := promwire.MatchEqual; mt <= promwire.MatchNotRegexp; mt++ {
			t.Run(fmt.Sprintf("%s%q", mt, p), func(t *testing.T) { compareMatcher(t, mt, p, values) })
		}
	}
}

func FuzzMatcher(f *testing.F) {
	for i, p := range patterns {
		f.Add(p, values[i%len(values)])
	}
	f.Fuzz(func(t *testing.T, pattern, value string) {
		if len(pattern) > 60 {
			return // nested repetitions take either side long
		}
		for mt := promwire.MatchEqual; mt <= promwire.MatchNotRegexp; mt++ {
			compareMatcher(t, mt, pattern, []string{value, value + pattern, pattern})
		}
	})
}
