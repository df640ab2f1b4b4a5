package promwire

import (
	"regexp"
	"strings"
	"testing"
)

// Patterns are anchored, a missing label is the empty value, and "." matches a newline.
func TestMatches(t *testing.T) {
	tests := []struct {
		m     Matcher
		value string
		want  bool
	}{
		{eq("l", "a"), "a", true},
		{eq("l", "a"), "", false},
		{eq("l", ""), "", true},
		{eq("l", "a|b"), "a", false},
		{neq("l", "a"), "", true},
		{neq("l", "a"), "a", false},
		{neq("l", ""), "", false},
		{re("l", "a"), "a", true},
		{re("l", "a"), "aa", false},
		{re("l", "a|b"), "b", true},
		{re("l", "a|b"), "ab", false},
		{re("l", "a|b"), "", false},
		{re("l", "a|"), "", true},
		{re("l", ""), "", true},
		{re("l", ""), "a", false},
		{re("l", ".*"), "", true},
		{re("l", ".*"), "a\nb", true},
		{re("l", ".+"), "", false},
		{re("l", ".+"), "\n", true},
		{re("l", "a.b"), "a\nb", true},
		{re("l", "a.*"), "a\nb", true},
		{re("l", "a.*"), "a", true},
		{re("l", "a.+"), "a", false},
		{re("l", "a.+"), "a\n", true},
		{re("l", "a.+"), "ba", false},
		{re("l", "a|b.*"), "ax", false},
		{re("l", "a|b.*"), "bx", true},
		{re("l", "(?i)ab"), "AB", true},
		{re("l", "a$|^b"), "b", true},
		{re("l", `\Qa.b`), "a.b", true},
		{re("l", `\Qa.b`), "axb", false},
		{re("l", "(?-s).a"), "\na", false},
		{re("l", "é.*"), "éa", true},
		{nre("l", "a"), "", true},
		{nre("l", "a"), "a", false},
		{nre("l", "a"), "aa", true},
		{nre("l", ".*"), "", false},
		{nre("l", ".+"), "", true},
		{nre("l", "a|b"), "b", false},
	}
	for _, tt := range tests {
		if err := tt.m.Compile(); err != nil {
			t.Errorf("%s: %v", tt.m, err)
		}
		if got := tt.m.Matches(tt.value); got != tt.want {
			t.Errorf("%s matches %q: %t, want %t", tt.m, tt.value, got, tt.want)
		}
	}
}

func TestMatcherErrors(t *testing.T) {
	for name, m := range map[string]Matcher{
		"unknown match type 4":  {Type: 4, Name: "l"},
		"unknown match type -1": {Type: -1, Name: "l"},
		"missing closing ]":     re("l", "a["),
		"unexpected )":          re("l", "a)|(b"),
		"invalid UTF-8":         nre("l", "\xff"),
		"invalid repeat count":  re("l", "(a{1000}){1000}"),
	} {
		_, err := NewMatcher(m.Type, m.Name, m.Value)
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), `label "l"`) {
			t.Errorf("%s: error %v, want %q", m, err, name)
		}
		if m.Matches("") || m.Matches("a") {
			t.Errorf("%s matches though it is not compiled", m)
		}
		if err := CompileMatchers([]Matcher{eq("a", "b"), m}); err == nil {
			t.Errorf("%s: no error of CompileMatchers", m)
		}
	}
}

func TestCompileMatchers(t *testing.T) {
	ms := []Matcher{eq("a", "b"), re("a", "b."), nre("a", "c.")}
	if err := CompileMatchers(ms); err != nil {
		t.Fatal(err)
	}
	if !ms[1].Matches("bx") || ms[1].Matches("cx") || ms[2].Matches("cx") || !ms[2].Matches("bx") {
		t.Errorf("%v do not match as they should", ms)
	}
	// Compiling again after a change of the type forgets the pattern.
	ms[1].Type = MatchEqual
	if err := CompileMatchers(ms); err != nil || !ms[1].Matches("b.") || ms[1].Matches("bx") {
		t.Errorf("%v: %v", ms[1], err)
	}
}

func TestMatcherErrorsAreShort(t *testing.T) {
	for _, pattern := range []string{strings.Repeat("x", 1<<20) + "(", "[" + strings.Repeat("x", 1<<20)} {
		if _, err := NewMatcher(MatchRegexp, strings.Repeat("n", 1<<20), pattern); err == nil || len(err.Error()) > 1000 {
			t.Errorf("error of %d bytes", len(err.Error()))
		}
	}
}

func TestMatcherString(t *testing.T) {
	for want, m := range map[string]Matcher{
		`job="a"`:               eq("job", "a"),
		`job!="\"\\\n"`:         neq("job", "\"\\\n"),
		`__name__=~"a|b"`:       re(MetricName, "a|b"),
		`"a.b"!~"é"`:            nre("a.b", "é"),
		`"a:b"=""`:              eq("a:b", ""),
		`aMatchType(7)"b"`:      {Type: 7, Name: "a", Value: "b"},
		`""="no name is legal"`: eq("", "no name is legal"),
	} {
		if got := m.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestMatchAll(t *testing.T) {
	ls := LabelsFromStrings(MetricName, "up", "job", "a")
	for selector, want := range map[string]bool{
		`up`:                           true,
		`up{job="a"}`:                  true,
		`up{job=~"a|b",instance=""}`:   true,
		`up{job="b"}`:                  false,
		`down{job="a"}`:                false,
		`{job="a",instance!~".+"}`:     true,
		`{job="a",instance!="x",a=""}`: true,
		`{job="a",instance=~".+"}`:     false,
	} {
		ms, err := ParseSelector(selector)
		if err != nil {
			t.Fatal(err)
		}
		if got := MatchAll(ls, ms); got != want {
			t.Errorf("%s: %t, want %t", selector, got, want)
		}
	}
	if MatchAll(ls, nil) {
		t.Error("no matchers select a series")
	}
}

// FuzzMatcher compares the quick ways with package regexp.
func FuzzMatcher(f *testing.F) {
	for _, pattern := range []string{"", "a", "a|b", "a|", "|", "a.*", "a.+", ".*", ".+", "|.*", "a|b.*", "a..*", "a*", "é.*", "\ufffd", "\ufffd.*"} {
		for _, value := range []string{"", "a", "ab", "a\nb", "é", "\xff", "a\xff", "\xc3", "\xc3\xa9\xa9"} {
			f.Add(pattern, value)
		}
	}
	f.Fuzz(func(t *testing.T, pattern, value string) {
		if strings.Contains(pattern, `\Q`) {
			return // an open quotation swallows the group that the comparison puts around the pattern
		}
		slow, err := regexp.Compile("^(?s:" + pattern + ")$")
		m, quick := NewMatcher(MatchRegexp, "l", pattern)
		if quick == nil && err != nil {
			t.Fatalf("%q compiles, package regexp says %v", pattern, err)
		}
		if quick != nil || err != nil {
			return // a pattern that is valid only with the group around it
		}
		if got, want := m.Matches(value), slow.MatchString(value); got != want {
			t.Fatalf("%q matches %q: %t, package regexp says %t", pattern, value, got, want)
		}
		not := Matcher{Type: MatchNotRegexp, Name: "l", Value: pattern}
		if err := not.Compile(); err != nil || not.Matches(value) == m.Matches(value) {
			t.Fatalf("!~ %q and %q: %v", pattern, value, err)
		}
	})
}
