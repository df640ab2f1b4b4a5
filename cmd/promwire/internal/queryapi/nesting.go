package queryapi

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/promwire/promwire/cmd/promwire/internal/apifront"
)

const (
	// maxFormatting bounds what format_query copies while it makes its text, in bytes: some 0.6 s. Nothing ends it before.
	maxFormatting = 512 << 20
	// maxTree bounds the buffers that parse_query holds while it makes its JSON, in bytes.
	maxTree = 64 << 20
	// escaped is how often as long a string may become in JSON.
	escaped = 6
	// partText is how much formatting adds to a part of an expression, partCost what else it costs, and partJSON how long a part
	// is as JSON, in bytes.
	partText, partCost, partJSON = 4, 64, 250
)

// costs are those of an expression, in bytes. Most grow with nesting times length, or with its square.
type costs struct {
	text  float64 // the expression
	texts float64 // it and its parts: the text of each is made of those of its parts
	lines float64 // the formatted text
	// formatting is all that is copied: for each part its text, to see whether it fits in a line, and its lines.
	formatting float64
	json, tree float64 // the expression as JSON; it and its parts
}

// costsOf returns the costs of an expression that is so many levels deep in another one.
func costsOf(n parser.Node, level int) (c costs) {
	for child := range parser.ChildrenIter(n) {
		in := costsOf(child, level+1)
		c.text, c.texts, c.lines = c.text+in.text, c.texts+in.texts, c.lines+in.lines
		c.formatting, c.json, c.tree = c.formatting+in.formatting, c.json+in.json, c.tree+in.tree
	}
	own := ownText(n)
	c.text = max(c.text, own) + partText
	c.texts += c.text + partCost
	c.lines = max(c.lines, own) + partText + float64(2*level)
	c.formatting += c.texts + c.lines
	c.json = max(c.json, escaped*own) + partJSON
	c.tree += c.json
	return c
}

// ownText returns how long the text of a part is, or of what it adds to its parts. The positions of others have to be put together
// from those of their parts, which would take time with the square of the nesting.
func ownText(n parser.Node) (length float64) {
	switch e := n.(type) {
	case *parser.StringLiteral, *parser.VectorSelector:
		length = float64(len(n.String())) // quoted
	case *parser.BinaryExpr:
		if m := e.VectorMatching; m != nil {
			for _, label := range slices.Concat(m.MatchingLabels, m.Include) {
				length += float64(len(label) + 2)
			}
		}
	case *parser.UnaryExpr, *parser.SubqueryExpr, *parser.StepInvariantExpr:
	default:
		at := n.PositionRange()
		length = float64(at.End - at.Start)
	}
	return length
}

// checkCosts refuses to format a query, or to show its tree, if that would take long, and has the memory for a tree reserved until
// release is called. What can't be parsed is the API's to refuse.
func (h *Handler) checkCosts(ctx context.Context, path, query string) (release func(), refusal *apifront.Refusal) {
	release = func() {}
	if path != "format_query" && path != "parse_query" {
		return release, nil
	}
	expr, err := newParser().ParseExpr(query)
	if err != nil {
		return release, nil
	}
	c := costsOf(expr, 0)
	switch {
	case path == "format_query" && c.formatting > maxFormatting:
		return release, tooDeep("format")
	case path == "parse_query" && c.tree > maxTree:
		return release, tooDeep("show")
	case path == "parse_query":
		if release, err = h.memory.Reserve(ctx, int64(encoding*c.tree)); err != nil {
			return func() {}, failed(err)
		}
	}
	return release, nil
}

func tooDeep(verb string) *apifront.Refusal {
	return &apifront.Refusal{
		Status: http.StatusBadRequest, Kind: "bad_data",
		Err: fmt.Errorf(`invalid parameter "query": it nests too deep for its length: %s its parts`, verb),
	}
}
