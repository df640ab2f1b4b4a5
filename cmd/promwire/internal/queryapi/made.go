package queryapi

import (
	"fmt"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/promwire/promwire/internal/patterns"
)

const (
	// maxMade bounds the labels that label_replace and label_join of a query make for each series, in bytes: some 30 bytes of a
	// query can make any label a thousand times as long, and nothing ends such a function before it has gone through all series.
	maxMade = 2 << 10
	// assumedLabel is how long a label of the store is taken to be for that, in bytes.
	assumedLabel = 64
	// maxReplacePatterns bounds the patterns of all label_replace of a query, in bytes as [patterns.Cost] counts them, and in
	// instructions.
	maxReplacePatterns = 1 << 10
	// maxReplaceGroups bounds the groups of each.
	maxReplaceGroups = 32
)

// madeOf returns how many bytes of labels a query may make for each series, and an error if that is beyond the bounds.
func madeOf(expr parser.Expr) (int, error) {
	m := making{left: patterns.Budget{Bytes: maxReplacePatterns, Program: maxReplacePatterns, Groups: maxReplaceGroups}}
	return m.lengths(expr).total(), m.err
}

// making is what was found.
type making struct {
	left patterns.Budget
	err  error
}

// lengths are the most bytes that labels may have which an expression makes.
type lengths map[string]int

func (l lengths) of(label string) int {
	if n, ok := l[label]; ok {
		return n
	}
	return assumedLabel
}

func (l lengths) total() (n int) {
	for _, length := range l {
		n += length
	}
	return n
}

// set notes a label that is made, or stays as it is.
func (m *making) set(l lengths, label string, n int) lengths {
	if l == nil {
		l = lengths{}
	}
	l[label] = max(n, l.of(label))
	if total := l.total(); total > maxMade && m.err == nil {
		m.err = fmt.Errorf("label_replace and label_join may make %d bytes of labels for each series, limit %d: make fewer or shorter ones", total, maxMade)
	}
	return l
}

// lengths looks through an expression.
func (m *making) lengths(n parser.Node) (made lengths) {
	if m.err != nil {
		return nil
	}
	for child := range parser.ChildrenIter(n) {
		for label, n := range m.lengths(child) {
			made = m.set(made, label, n)
		}
	}
	call, ok := n.(*parser.Call)
	switch {
	case !ok:
	case call.Func.Name == "label_replace" && len(call.Args) == 5:
		replacement, source := text(call.Args[2]), text(call.Args[3])
		if err := m.left.Take(text(call.Args[4])); err != nil && m.err == nil {
			m.err = fmt.Errorf("label_replace: %w", err)
		}
		return m.set(made, text(call.Args[1]), len(replacement)+strings.Count(replacement, "$")*made.of(source))
	case call.Func.Name == "label_join" && len(call.Args) >= 3:
		sources := call.Args[3:]
		n := len(sources) * len(text(call.Args[2]))
		for _, s := range sources {
			n += made.of(text(s))
		}
		return m.set(made, text(call.Args[1]), n)
	}
	return made
}

// text returns a string of a query, without the parentheses around it.
func text(e parser.Expr) string {
	for {
		switch inner := e.(type) {
		case *parser.ParenExpr:
			e = inner.Expr
		case *parser.StringLiteral:
			return inner.Val
		default:
			return ""
		}
	}
}
