package difftest

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

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
	case valid:
		text := promwire.FormatSelector(got)
		if again, ok := libraryMatchers(text); !ok || !slices.Equal(sorted(again), sorted(want)) {
			t.Errorf("%q: the library reads %v in %q, want %v", s, again, text, want)
		}
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
	"up", "a:b:c", ":a", "_x", "9up", "up{}", "{}", "{a=\"\"}", "{a!=\"\"}", "{a=~\".*\"}", "{a=~\".+\"}",
	"{a!~\".+\"}",
	"up{job=\"api\"}", "up{job='api'}", "up{job=`a\\pi`}", "up{job=\"a\\\"b\"}", "up{job='it\\'s'}",
	"up{job=\"\\u00e9\"}",
	"up{job=\"\\xff\"}", "up{job=\"\\n\\t\\101\"}", "up{job=\"a\nb\"}", "up{job=`a\nb`}", "up{job=\"a\\qb\"}",
	"up{job=\"a}",
	"up{job=api}", "up{job}", "up{,}", "up{,job=\"a\"}", "up{job=\"a\",}", "up{job=\"a\",,}",
	"up{job=\"a\" b=\"c\"}",
	"up{job=\"a\",b!=\"c\",d=~\"e|f\",g!~\"h.*\"}", "up{job==\"a\"}", "up{job=!\"a\"}", "up{job<\"a\"}",
	"up{job=~\"(\"}",
	"{__name__=\"up\"}", "{__name__=~\"up.*\",job=\"a\"}", "up{__name__=\"down\"}", "up{__name__=~\"u.*\"}",
	"{\"up\"}",
	"{\"my.metric\",\"service.name\"=\"web\"}", "{\"a\",\"b\"}", "up{\"a\"}", "{'single'}", "{`back`}", "{\"\"}",
	"{\"\"=\"a\"}",
	"{__name__=\"a\",\"b\"}", "{__name__=\"a\",__name__=\"b\"}", "{__name__!=\"a\",__name__=~\"b.*\"}",
	"{\"a\",__name__!=\"b\"}",
	"{\"a\", __name__=~\"b\"}", "up {job=\"a\"}", " \t\nup\r\n{ job = \"a\" , } ", "up{job=\"a\"} # comment",
	"# c\nup", "up#c",
	"up{job=\"a\"} x", "up{job=\"a\"}[5m]", "up offset 5m", "up @ 1", "up + up", "sum(up)", "1", "\"up\"", "",
	"  ", "up}",
	"up{job=\"a\"", "up{", "}", "é", "{é=\"a\"}", "{\"é\"=\"a\"}", "{a.b=\"c\"}", "{a:b=\"c\"}", "{9=\"c\"}",
	"{_=\"c\"}",
	// Keywords of PromQL are names as well.
	"sum", "by", "offset", "bool", "on", "inf", "nan", "start", "end", "and", "or", "Inf", "NaN", "{sum=\"a\"}",
	"{by=\"a\"}",
	"{offset=\"a\"}", "{inf=\"a\"}", "{nan=\"a\"}", "{and=\"a\"}", "{start=\"a\"}", "{bool=\"a\"}",
	"{on=\"a\",ignoring=\"b\"}",
	"group_left", "without{by=\"x\"}", "atan2", "rate", "{if=\"a\"}", "0x1", "1e3", "e1", "NaN{a=\"b\"}",
	"inf{a=\"b\"}", "anchored",
	"smoothed", "step", "range", "max", "min", "fill", "{fill=\"a\"}", "duration", "{step=\"a\"}", "info",
	"limitk", "topk{a=\"b\"}",
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

// TestSelectorPieces puts selectors together of pieces.
func TestSelectorPieces(t *testing.T) {
	pieces := []string{
		"up", "{", "}", "job", "=", "!=", "=~", "!~", `"a"`, `'b|c'`, "`d.*`", ",", " ", "\n", "#x\n", `"__name__"`, "__name__",
		`""`, "sum", "1", "(", `"\xff"`, `"é"`, "a:b",
	}
	eachSource(t, 1000, func(t *testing.T, s *source) {
		var b strings.Builder
		b.WriteString([]string{"up{", "{", ""}[s.intn(3)])
		for range s.intn(4) {
			b.WriteString(pieces[s.intn(len(pieces))])
			b.WriteString([]string{"job=", "=", `"x"="y",`, "", ","}[s.intn(5)])
			b.WriteString(pieces[s.intn(len(pieces))])
		}
		b.WriteString([]string{"}", ",}", ""}[s.intn(3)])
		checkSelector(t, b.String())
	})
}
