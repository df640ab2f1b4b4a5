package queryapi

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/promwire/promwire/internal/patterns"
)

// TestTokens counts what is not within strings.
func TestTokens(t *testing.T) {
	for query, want := range map[string]int{
		"": 0, "abc": 3, `a{b="cd"}`: 5, `"a\"b"`: 0, "`a\\`+b": 2, `"'"+1`: 2, "#'\n(1)": 6, "# it's": 6, `1+"open`: 2, "1 \xff": 1,
	} {
		if got, err := checkTokens(query, &patterns.Budget{}); got != want || err != nil {
			t.Errorf("%q has %d bytes besides strings, want %d (%v)", query, got, want, err)
		}
	}
}

// bombs are queries that would take seconds, or hundreds of megabytes, and what is said of them.
var bombs = map[string]struct{ query, text string }{
	"classes":          {"{a=~`" + strings.Repeat(`\pL`, 10_000) + "`}", "patterns of more than 262144 bytes, or of too many classes"},
	"negated":          {`{a!~"` + strings.Repeat(`\\pL`, 10_000) + `"}`, "patterns of more than 262144 bytes"},
	"folded":           {"{a=~`(?i)" + strings.Repeat(`\W`, 10_000) + "`}", "patterns of more than 262144 bytes"},
	"after a comment":  {"{a=~ # it's\n`" + strings.Repeat(`\pL`, 10_000) + "`}", "patterns of more than 262144 bytes"},
	"quoted name":      {"{'a b'=~`" + strings.Repeat(`\pL`, 10_000) + "`}", "patterns of more than 262144 bytes"},
	"together":         {strings.Repeat("a{a=~`"+strings.Repeat(`\pL`, 100)+"`}+", 20) + "1", "patterns of more than 262144 bytes"},
	"in an argument":   {"sum(rate(x{a=~`" + strings.Repeat(`\pL`, 10_000) + "`}[5m]))", "patterns of more than 262144 bytes"},
	"before an error":  {"x{a=~`" + strings.Repeat(`\pL`, 10_000) + "`}[[", "patterns of more than 262144 bytes"},
	"repetitions":      {"{a=~`" + strings.Repeat("(a{30}b){33}", 500) + "`}", "its repetitions make it large"},
	"groups":           {"{a=~`[a-p][a-p]" + strings.Repeat("(b)", 1001) + "`}", "1001 groups in a pattern, limit 1000"},
	"selectors":        {strings.Repeat("up or ", 1000) + "up", "1001 matchers, limit 1000"},
	"matchers":         {"{" + strings.Repeat("a='b',", 1001) + "}", "1001 matchers, limit 1000"},
	"replace pattern":  {`label_replace(up, "a", "b", "c", "` + strings.Repeat(".?", 513) + `")`, "label_replace: patterns of more than 1024 bytes"},
	"replace groups":   {`label_replace(up, "a", "b", "c", ("` + strings.Repeat("(.*)", 33) + `"))`, "label_replace: 33 groups in a pattern, limit 32"},
	"replace repeats":  {`sum(label_replace(up, "a", "b", "c", "(a?b){1000}"))`, "label_replace: pattern"},
	"long replacement": {`label_replace(up, "a", "` + strings.Repeat("x", 9000) + `", "", "")`, "may make 9000 bytes of labels for each series, limit 2048"},
	"growing":          {`label_replace(label_replace(up, "a", "$1$1$1$1$1$1", "a", "(.*)"), "a", "$1$1$1$1$1$1", "a", "(.*)")`, "may make 2388 bytes of labels"},
	"growing by joins": {strings.Repeat(`label_join(`, 8) + "up" + strings.Repeat(`, "a", "", "a", "a")`, 8), "may make 4096 bytes of labels"},
	"long separator":   {`label_join(up, "a", "` + strings.Repeat("x", 5000) + `", "b", "c")`, "may make 10128 bytes of labels"},
	"many labels":      {many(33), "may make 2112 bytes of labels"},
	"on one side":      {`up + on() group_left() (` + many(33) + `)`, "may make 2112 bytes of labels"},
	"across sides":     {many(20) + " or " + strings.ReplaceAll(many(20), `"n`, `"m`), "may make 2112 bytes of labels"},
}

// many makes so many labels.
func many(n int) string {
	query := "up"
	for i := range n {
		query = fmt.Sprintf(`label_replace(%s, "n%d", "", "", "")`, query, i)
	}
	return query
}

// TestBombs demands that each is refused with its reason, before it takes memory, on every path.
func TestBombs(t *testing.T) {
	h := New(newStore(t), Options{})
	get(h, "query", params("query", "1")).demand(t, 200) // builds the API
	for name, b := range bombs {
		for _, path := range []string{"query", "query_range", "query_exemplars", "format_query", "parse_query"} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			post(h, path, params("query", b.query, "start", "1", "end", "2", "step", "1")).demand(t, 400, `"errorType":"bad_data"`, b.text)
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
				t.Errorf("%s: %s took %d MB", name, path, took>>20)
			}
		}
	}
}

// TestSelectorBombs demands the same of selectors.
func TestSelectorBombs(t *testing.T) {
	h := New(newStore(t), Options{})
	classes := "{a=~`" + strings.Repeat(`\pL`, 600) + "`}"
	for _, path := range []string{"series", "labels", "label/a/values", "rules"} {
		ask := post
		if path == "label/a/values" || path == "rules" {
			ask = get
		}
		ask(h, path, params("match[]", classes, "match[]", classes)).demand(t, 400, "patterns of more than 262144 bytes")
		many := params()
		many["match[]"] = strings.Split(strings.Repeat("up,", 1000)+"up", ",")
		ask(h, path, many).demand(t, 400, "1001 matchers, limit 1000")
		deep := "{" + strings.Repeat(`a = '' , `, 1300) + "}"
		ask(h, path, params("match[]", deep, "match[]", deep)).demand(t, 400, "bytes besides strings, limit 16384")
	}
}

// TestLongLists demands that what dashboards ask for is read: lists of 100 kB, with and without special characters, in several places.
func TestLongLists(t *testing.T) {
	h := New(newStore(t), Options{})
	plain := strings.Repeat("host-01.example:9100|", 5000) + "2"
	escaped := "(" + strings.ReplaceAll(plain, ".", `\\.`) + ")"
	for _, list := range []string{plain, escaped} {
		query := `sum(requests_total{instance=~"` + list + `"}) / sum(requests_total{instance=~"` + list + `"}) + sum(requests_total{instance=~"` + list + `"})`
		post(h, "query", params("query", query, "time", "1772366400")).demand(t, 200, `"3601"`)
		post(h, "series", params("match[]", `requests_total{instance=~"`+list+`"}`)).demand(t, 200, `"instance":"2"`)
	}
	replaced := `label_join(label_replace(label_replace(requests_total{instance="2"}, "a", "$1-$2", "__name__", "([a-z]+)_(.*)"), "b", "${1}x", "a", "(.*)-.*"), "c", "/", "a", "b")`
	post(h, "query", params("query", replaced, "time", "1772366400")).demand(t, 200, `"c":"requests-total/requestsx"`)
}

// FuzzParser demands that the bounds refuse before memory is taken, and judge nothing else: what is left is read as by the library.
func FuzzParser(f *testing.F) {
	for _, b := range bombs {
		f.Add(b.query)
	}
	for _, seed := range []string{`a{b=~"c"} # d`, `{__name__=~'.+'}[5m] offset 1h`, "sum by (a) (b) > bool 1", `label_replace(a, "b", "$1", "c", "(.*)")`, `"\xff`, "a{b=~`c`,d!~\"\\x65\"}[1h:1m] @ end()"} {
		f.Add(seed)
	}
	bounded, plain := newParser(), parser.NewParser(parser.Options{})
	f.Fuzz(func(t *testing.T, query string) {
		if len(query) > 64<<10 {
			return
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got, err := bounded.ParseExpr(query)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 512<<20 {
			t.Fatalf("took %d MB", took>>20)
		}
		if err != nil && strings.Contains(err.Error(), "limit") || strings.Contains(fmt.Sprint(err), "patterns of") || strings.Contains(fmt.Sprint(err), "too complex") {
			return // beyond a bound: the library may take long
		}
		want, wantErr := plain.ParseExpr(query)
		if fmt.Sprint(err) != fmt.Sprint(wantErr) || err == nil && got.String() != want.String() {
			t.Fatalf("%v %v, the library reads %v %v", got, err, want, wantErr)
		}
	})
}
