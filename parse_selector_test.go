package promwire

import (
	"slices"
	"strings"
	"testing"
)

func eq(name, value string) Matcher  { return Matcher{Type: MatchEqual, Name: name, Value: value} }
func neq(name, value string) Matcher { return Matcher{Type: MatchNotEqual, Name: name, Value: value} }
func re(name, value string) Matcher  { return Matcher{Type: MatchRegexp, Name: name, Value: value} }
func nre(name, value string) Matcher { return Matcher{Type: MatchNotRegexp, Name: name, Value: value} }

// sameMatchers compares what is written, not what is compiled.
func sameMatchers(a, b []Matcher) bool {
	return slices.EqualFunc(a, b, func(a, b Matcher) bool {
		return a.Type == b.Type && a.Name == b.Name && a.Value == b.Value
	})
}

func TestParseSelector(t *testing.T) {
	name := func(v string) Matcher { return eq(MetricName, v) }
	tests := []struct {
		name, in string
		want     []Matcher
	}{
		{"name", `up`, []Matcher{name("up")}},
		{"name with colons and digits", `job:x2:rate`, []Matcher{name("job:x2:rate")}},
		{"name and no matchers", `up{}`, []Matcher{name("up")}},
		{"all operators", `up{a="b",c!="d",e=~"f",g!~"h"}`, []Matcher{name("up"), eq("a", "b"), neq("c", "d"), re("e", "f"), nre("g", "h")}},
		{"name as a label", `{__name__="x"}`, []Matcher{name("x")}},
		{"name as a later label comes first", `{a="b",__name__="x"}`, []Matcher{name("x"), eq("a", "b")}},
		{"name as a pattern", `{__name__=~"x.*"}`, []Matcher{re(MetricName, "x.*")}},
		{"name and more about it", `{"x",__name__!="y"}`, []Matcher{name("x"), neq(MetricName, "y")}},
		{"two names, as PromQL allows", `{"up","down"}`, []Matcher{name("up"), name("down")}},
		{"quoted names", `{"my.metric","a.b"="x"}`, []Matcher{name("my.metric"), eq("a.b", "x")}},
		{"quoted name behind", `{"a.b"="x", "my.metric"}`, []Matcher{name("my.metric"), eq("a.b", "x")}},
		{"quoted label only", `{"a.b"!~"x"} `, nil},
		{"blanks", " up\t{\n a = \"b\" ,\r\n c != 'd' , } ", []Matcher{name("up"), eq("a", "b"), neq("c", "d")}},
		{"comments", "up { # the targets\n a=\"b\" # all\n} # end", []Matcher{name("up"), eq("a", "b")}},
		{"escapes", `{a="\"\\\n\t\x41\101\u00e9\U0001F600'"}`, []Matcher{eq("a", "\"\\\n\tAAé😀'")}},
		{"single quotes", `{a='\'"\\'}`, []Matcher{eq("a", `'"\`)}},
		{"backquotes", "{a=~`\\d+\\.\"'\n`}", []Matcher{re("a", "\\d+\\.\"'\n")}},
		{"same label twice", `{a!="b",a!="c",a=~".+"}`, []Matcher{neq("a", "b"), neq("a", "c"), re("a", ".+")}},
		{"not empty suffices", `{a!=""}`, []Matcher{neq("a", "")}},
		{"keyword as a name", `sum`, []Matcher{name("sum")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseSelector(tt.in)
			if tt.want == nil {
				if err == nil {
					t.Fatalf("ParseSelector(%q) = %v, want an error", tt.in, got)
				}
				return
			}
			if err != nil || !sameMatchers(got, tt.want) {
				t.Fatalf("ParseSelector(%q) = %v, %v, want %v", tt.in, got, err, tt.want)
			}
			text := FormatSelector(got)
			again, err := ParseSelector(text)
			if err != nil || !sameMatchers(got, again) {
				t.Errorf("formatted as %s, read back as %v, %v", text, again, err)
			}
		})
	}
}

func TestParseSelectorErrors(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"nothing", ``, "at byte 0: unexpected end, want a metric name or {"},
		{"blanks", `  `, "at byte 2: unexpected end"},
		{"no matchers", `{}`, "selects everything"},
		{"only empty matchers", `{a="",b=~".*",c!="d",e!~"f"}`, "selects everything"},
		{"open brace", `up{`, "at byte 3: unexpected end, want a label name or }"},
		{"open brace behind a matcher", `up{a="b"`, "at byte 8: unexpected end, want a comma or }"},
		{"lone comma", `up{,}`, "at byte 3: unexpected ',', want a label name or }"},
		{"two commas", `up{a="b",,}`, "at byte 9: unexpected ','"},
		{"no comma", `up{a="b" c="d"}`, "at byte 9: unexpected 'c', want a comma or }"},
		{"no operator", `up{a}`, "at byte 4: unexpected '}', want =, !=, =~ or !~"},
		{"operator of another language", `up{a=="b"}`, "at byte 5: unexpected '=', want a value in quotes"},
		{"bare value", `up{a=b}`, "at byte 5: unexpected 'b', want a value in quotes"},
		{"open string", `up{a="b}`, "at byte 5: string is not closed"},
		{"open raw string", "up{a=`b}", "at byte 5: string is not closed"},
		{"newline in a string", "up{a=\"b\n\"}", "at byte 5: string is not closed"},
		{"bad escape", `up{a="b\d"}`, "at byte 7: invalid escape"},
		{"other quote escaped", `up{a="\'"}`, "at byte 6: invalid escape"},
		{"escape to invalid UTF-8", `up{a="\xff"}`, "at byte 3: invalid UTF-8"},
		{"invalid UTF-8", "up{a=\"\xff\"}", "invalid UTF-8"},
		{"bad pattern", `up{a=~"("}`, "at byte 3: matcher on label \"a\": pattern \"(\": missing closing )"},
		{"pattern that closes the group around it", `up{a=~"a)|(b"}`, "unexpected )"},
		{"name twice", `up{__name__="x"}`, "at byte 3: metric name is given twice"},
		{"name and a pattern for it", `up{__name__=~"x"}`, "at byte 3: metric name is given twice"},
		{"colon in a label name", `up{a:b="c"}`, "at byte 4: unexpected ':'"},
		{"digit in front", `2up`, "at byte 0: unexpected '2'"},
		{"empty label name", `{""="x"}`, "at byte 1: label name is empty"},
		{"range", `up[5m]`, "at byte 2: unexpected '[', want the end"},
		{"quoted name outside", `"my.metric"`, "at byte 0: unexpected '\"'"},
		{"two selectors", `up{} down`, "at byte 5: unexpected 'd', want the end"},
		{"NUL", "up{\x00}", `at byte 3: unexpected '\x00'`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseSelector(tt.in)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("ParseSelector(%q) = %v, %v, want an error with %q", tt.in, got, err, tt.want)
			}
		})
	}
	if _, err := ParseSelector(strings.Repeat("é", 1<<20)); len(err.Error()) > 1000 {
		t.Errorf("error has %d bytes", len(err.Error()))
	}
}

func TestFormatSelector(t *testing.T) {
	tests := []struct {
		in   []Matcher
		want string
	}{
		{nil, `{}`},
		{[]Matcher{eq(MetricName, "up")}, `up`},
		{[]Matcher{re("job", "a|b"), eq(MetricName, "up")}, `up{job=~"a|b"}`},
		{[]Matcher{eq(MetricName, "my.metric"), neq("a.b", "x\n")}, `{"my.metric","a.b"!="x\n"}`},
		{[]Matcher{eq(MetricName, "my.metric")}, `{"my.metric"}`},
		{[]Matcher{eq(MetricName, "")}, `{__name__=""}`},
		{[]Matcher{nre(MetricName, "x"), eq("a", "b")}, `{__name__!~"x",a="b"}`},
		{[]Matcher{eq(MetricName, "x"), neq(MetricName, "y")}, `{__name__="x",__name__!="y"}`},
		{[]Matcher{{Type: 9, Name: "a", Value: "b"}}, `{aMatchType(9)"b"}`},
	}
	for _, tt := range tests {
		if got := FormatSelector(tt.in); got != tt.want {
			t.Errorf("FormatSelector(%v) = %s, want %s", tt.in, got, tt.want)
		}
	}
}

func FuzzParseSelector(f *testing.F) {
	for _, s := range []string{`up`, `up{a="b",c!='d',e=~"f|g",}`, "{\"my.metric\",`a.b`=\"\\u00e9\"} # x", `{__name__=~"x.*"}`, `{}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ms, err := ParseSelector(s)
		if err != nil {
			return
		}
		if MatchAll(nil, ms) {
			t.Fatalf("%q selects a series without labels", s)
		}
		again, err := ParseSelector(FormatSelector(ms))
		if err != nil {
			t.Fatalf("%q formatted as %s: %v", s, FormatSelector(ms), err)
		}
		if FormatSelector(again) != FormatSelector(ms) || len(again) != len(ms) {
			t.Fatalf("%q: %v became %v", s, ms, again)
		}
	})
}
