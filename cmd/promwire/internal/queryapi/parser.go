package queryapi

import (
	"fmt"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/util/strutil"

	"github.com/promwire/promwire/internal/patterns"
)

const (
	// maxExpr bounds what may nest in the expressions of a request, in bytes: all but strings. The parser and everything behind
	// it recurse, and a stack that outgrows its bound ends the process; some of it takes time with the square.
	maxExpr = 16 << 10
	// maxMatchers bounds the matchers of a request, and so its selectors: what each selects stays in memory until its end.
	maxMatchers = 1000
	// maxPatterns bounds the regular expressions of all matchers together, in bytes as [patterns.Cost] counts them: those take
	// less than a second and some 300 MB to compile.
	maxPatterns = 256 << 10
	// maxProgram bounds what repetitions make of them, in instructions of some 40 bytes.
	maxProgram = 200_000
	// maxGroups bounds the groups of each: the library puts its values together with the square of it.
	maxGroups = 1000
)

// boundedParser is the parser of engine and API. What is beyond the bounds it refuses, patterns before they are compiled.
type boundedParser struct{ parser.Parser }

func newParser() parser.Parser { return boundedParser{parser.NewParser(parser.Options{})} }

// ParseExpr implements [parser.Parser].
func (p boundedParser) ParseExpr(text string) (parser.Expr, error) {
	if err := checkTexts(text); err != nil {
		return nil, err
	}
	expr, err := p.Parser.ParseExpr(text)
	if err != nil {
		return nil, err
	}
	if err := checkMatchers(parser.ExtractSelectors(expr)); err != nil {
		return nil, err
	}
	_, err = madeOf(expr)
	return expr, err
}

// ParseMetricSelectors implements [parser.Parser].
func (p boundedParser) ParseMetricSelectors(texts []string) ([][]*labels.Matcher, error) {
	if err := checkTexts(texts...); err != nil {
		return nil, err
	}
	all, err := p.Parser.ParseMetricSelectors(texts)
	if err != nil {
		return nil, err
	}
	return all, checkMatchers(all)
}

func checkMatchers(all [][]*labels.Matcher) error {
	n := 0
	for _, matchers := range all {
		n += len(matchers)
	}
	if n > maxMatchers {
		return fmt.Errorf("%d matchers, limit %d: split it into several queries", n, maxMatchers)
	}
	return nil
}

// checkTexts holds the expressions or selectors of a request against the bounds, by their tokens. What is no expression the parser
// says.
func checkTexts(texts ...string) error {
	besides, left := 0, patterns.Budget{Bytes: maxPatterns, Program: maxProgram, Groups: maxGroups}
	for _, text := range texts {
		n, err := checkTokens(text, &left)
		if besides += n; besides > maxExpr {
			return fmt.Errorf("%d bytes besides strings, limit %d: split it into several queries", besides, maxExpr)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// checkTokens counts the bytes of a text besides strings, up to maxExpr or where it is no expression any more, and takes patterns
// from what is left of their budget.
func checkTokens(text string, left *patterns.Budget) (besides int, err error) {
	lexer, strs := parser.Lex(text), 0
	for before := parser.ItemType(parser.EOF); besides <= maxExpr; {
		var item parser.Item
		lexer.NextItem(&item)
		switch item.Typ {
		case parser.EOF:
			return len(text) - strs, nil
		case parser.ERROR:
			return besides, nil
		case parser.COMMENT: // may stand between operator and pattern
			continue
		case parser.STRING:
			strs += len(item.Val)
			if before == parser.EQL_REGEX || before == parser.NEQ_REGEX {
				if err := takeString(item.Val, left); err != nil {
					return besides, err
				}
			}
		}
		besides, before = int(item.Pos)+len(item.Val)-strs, item.Typ
	}
	return len(text) - strs, nil
}

// takeString takes a pattern that is written as a string.
func takeString(quoted string, left *patterns.Budget) error {
	text, err := strutil.Unquote(quoted)
	if err != nil {
		return nil // an error of the parser
	}
	return left.Take(text)
}
