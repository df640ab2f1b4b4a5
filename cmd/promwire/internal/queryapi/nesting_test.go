package queryapi

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// nested puts a query into so many aggregations.
func nested(n int, query string) string {
	return strings.Repeat("sum(", n) + query + strings.Repeat(")", n)
}

// selector returns one of so many bytes.
func selector(n int) string { return `a{b="` + strings.Repeat("x", n) + `"}` }

// TestNestedTexts refuses what would take long to format, or much memory to show as a tree, before it is made.
func TestNestedTexts(t *testing.T) {
	h := New(newStore(t), Options{})
	get(h, "query", params("query", "1")).demand(t, 200) // builds the API
	for name, c := range map[string]struct{ path, query string }{
		"long and deep":       {"format_query", nested(500, selector(1_000_000))},
		"90 kB":               {"format_query", nested(500, selector(90_000))},
		"quoted":              {"format_query", nested(60, `a{b="`+strings.Repeat("\u0080", 100_000)+`"}`)},
		"operators":           {"format_query", "1" + strings.Repeat("+1", 1000)},
		"signs":               {"format_query", strings.Repeat("-", 600) + selector(100_000)},
		"tree of operators":   {"parse_query", "1" + strings.Repeat("+1", 8000)},
		"tree of parentheses": {"parse_query", strings.Repeat("(", 8190) + "1" + strings.Repeat(")", 8190)},
		"long and deep tree":  {"parse_query", nested(200, selector(200_000))},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := time.Now()
		post(h, c.path, params("query", c.query)).demand(t, 400, `"errorType":"bad_data"`, "it nests too deep for its length")
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 32<<20 || time.Since(began) > 10*time.Second {
			t.Errorf("%s: took %d MB, %v", name, took>>20, time.Since(began))
		}
	}
}

// TestNestedTextsTaken formats as the library does what is within the bounds.
func TestNestedTextsTaken(t *testing.T) {
	h := New(newStore(t), Options{})
	for _, query := range []string{
		"up" + strings.Repeat(" + up", 400), nested(400, "up"), nested(10, selector(1_000_000)), nested(60, selector(10_000)),
		"sum by (" + strings.Repeat("a, ", 5000) + "b) (up)",
	} {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(expr.Pretty(0))
		if err != nil {
			t.Fatal(err)
		}
		if got := post(h, "format_query", params("query", query)).data(t); got != string(want) {
			t.Errorf("%.100s, want %.100s", got, want)
		}
		post(h, "parse_query", params("query", query)).demand(t, 200)
	}
}

// TestTreeMemory refuses a tree that there is no memory for.
func TestTreeMemory(t *testing.T) {
	h := New(newStore(t), Options{MaxMemory: inUse() + 24<<20})
	post(h, "parse_query", params("query", "up"+strings.Repeat("+up", 400))).
		demand(t, 503, `"errorType":"unavailable"`, "the memory of the server is short")
	post(h, "parse_query", params("query", "up + up")).demand(t, 200)
}
