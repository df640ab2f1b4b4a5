package queryapi

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/promwire/promwire/cmd/promwire/internal/apifront"
)

const (
	// maxExpr bounds what may nest in a query, in bytes: all but strings. The parser and everything behind it recurse, and
	// a stack that outgrows its bound ends the process; some of it takes time with the square.
	maxExpr = 16 << 10
	// maxDepth bounds how deep a query nests that is to be formatted, which takes time with the cube of it.
	maxDepth = 512
)

// checkQuery bounds what a query takes before the engine has it. What can't be parsed is the API's to refuse.
func checkQuery(path, query string) *apifront.Refusal {
	if n := nesting(query); n > maxExpr {
		return badQuery("%d bytes besides strings, limit %d: split it into several queries", n, maxExpr)
	}
	if path == "format_query" && tooDeep(query) {
		return badQuery("it nests more than %d deep: format its parts", maxDepth)
	}
	return nil
}

func badQuery(format string, args ...any) *apifront.Refusal {
	return &apifront.Refusal{Status: http.StatusBadRequest, Kind: "bad_data", Err: fmt.Errorf(`invalid parameter "query": `+format, args...)}
}

var errDeep = errors.New("too deep")

func tooDeep(query string) bool {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		return false
	}
	err = parser.Walk(depth(0), expr, nil)
	return errors.Is(err, errDeep)
}

// depth visits an expression that nests so deep.
type depth int

// Visit implements [parser.Visitor].
func (d depth) Visit(n parser.Node, _ []parser.Node) (parser.Visitor, error) {
	switch {
	case n == nil:
		return nil, nil
	case d > maxDepth:
		return nil, errDeep
	}
	return d + 1, nil
}

// nesting counts the bytes of a query outside of strings. A string without an end is an error of the parser.
func nesting(query string) int {
	n := 0
	for query != "" {
		i := strings.IndexAny(query, "\"'`#")
		if i < 0 {
			return n + len(query)
		}
		start := query[i]
		n += i + 1
		query = query[i+1:]
		if start == '#' { // a comment may have quotes that begin no string
			line, rest, _ := strings.Cut(query, "\n")
			n += len(line)
			query = rest
			continue
		}
		query = query[stringEnd(query, start):]
	}
	return n
}

// stringEnd returns where the string ends that s is the rest of, behind its closing quote.
func stringEnd(s string, quote byte) int {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return i + 1
		case s[i] == '\\' && quote != '`':
			i++
		}
	}
	return len(s)
}
