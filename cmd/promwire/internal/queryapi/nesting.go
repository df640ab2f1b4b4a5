package queryapi

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/promwire/promwire/cmd/promwire/internal/apifront"
)

// maxDepth bounds how deep a query nests that is to be formatted, which takes time with the cube of it.
const maxDepth = 512

var errTooDeep = &apifront.Refusal{
	Status: http.StatusBadRequest, Kind: "bad_data",
	Err: fmt.Errorf(`invalid parameter "query": it nests more than %d deep: format its parts`, maxDepth),
}

var errDeep = errors.New("too deep")

// tooDeep reports whether a query nests deeper than maxDepth. What can't be parsed is the API's to refuse.
func tooDeep(query string) bool {
	expr, err := newParser().ParseExpr(query)
	if err != nil {
		return false
	}
	return errors.Is(parser.Walk(depth(0), expr, nil), errDeep)
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
