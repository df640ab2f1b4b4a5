package promwire

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ParseSelector reads a series selector as people write it in PromQL, and returns its matchers, compiled, the one on
// the metric name first:
//
//	up
//	http_requests_total{job="api",code!="200",path=~"/v1/.+",method!~'GET|HEAD'}
//	{__name__=~"node_.*",instance="db:9100"}
//	{"my.metric","service.name"="web"}
//
// Strings stand in double or single quotes with Go's escapes, or in backquotes without any. Names that break the
// classic pattern are quoted. Blanks, newlines, comments (# to the end of the line) and a comma behind the last
// matcher are allowed.
//
// As in PromQL, at least one matcher must demand a value that is not empty, so that a slip of the keyboard does not
// select everything; on the wire there is no such rule. Errors give the position as a byte offset, counted from 0.
func ParseSelector(s string) ([]Matcher, error) {
	p := selectorParser{text: s}
	if err := p.parse(); err != nil {
		return nil, fmt.Errorf("selector %s: at byte %d: %w", quoteShort(s), p.at, err)
	}
	for i := range p.matchers {
		if !p.matchers[i].Matches("") {
			return p.matchers, nil
		}
	}
	return nil, fmt.Errorf("selector %s: selects everything: at least one matcher must demand a value that is not empty",
		quoteShort(s))
}

// quoteShort quotes s, up to a length fit for an error.
func quoteShort(s string) string {
	if short := cut(s, 200); len(short) < len(s) {
		return strconv.Quote(short) + "..."
	}
	return strconv.Quote(s)
}

type selectorParser struct {
	text     string
	pos      int // of what comes next
	at       int // of what is being read, for errors
	matchers []Matcher
	named    bool // the first matcher is one for equality of the metric name,
	outside  bool // and stands in front of the braces, where PromQL allows no further one
}

func (p *selectorParser) parse() error {
	if !utf8.ValidString(p.text) {
		return ErrInvalidUTF8
	}
	p.blanks()
	if name := p.identifier(true); name != "" {
		p.matchers = append(p.matchers, Matcher{Type: MatchEqual, Name: MetricName, Value: name})
		p.named, p.outside = true, true
		p.blanks()
	}
	if p.peek() == '{' {
		p.pos++
		if err := p.list(); err != nil {
			return err
		}
		p.blanks()
	} else if len(p.matchers) == 0 {
		return p.unexpected("a metric name or {")
	}
	if p.pos < len(p.text) {
		return p.unexpected("the end")
	}
	return nil
}

// list reads matchers up to and with the closing brace.
func (p *selectorParser) list() error {
	for {
		p.blanks()
		if p.peek() == '}' {
			p.pos++
			return nil
		}
		if err := p.matcher(); err != nil {
			return err
		}
		p.blanks()
		switch p.peek() {
		case ',':
			p.pos++
		case '}':
		default:
			return p.unexpected("a comma or }")
		}
	}
}

// matcher reads name, operator and value, or a metric name in quotes.
func (p *selectorParser) matcher() error {
	start := p.pos
	name, quoted := p.identifier(false), false
	if name == "" {
		var err error
		if name, err = p.str("a label name or }"); err != nil {
			return err
		}
		quoted = true
	}
	p.blanks()
	if c := p.peek(); quoted && (c == ',' || c == '}') {
		return p.add(start, Matcher{Type: MatchEqual, Name: MetricName, Value: name})
	}
	t, err := p.operator()
	if err != nil {
		return err
	}
	p.blanks()
	value, err := p.str("a value in quotes")
	if err != nil {
		return err
	}
	return p.add(start, Matcher{Type: t, Name: name, Value: value})
}

// add checks and compiles a matcher that starts there.
func (p *selectorParser) add(start int, m Matcher) error {
	p.at = start
	if m.Name == "" {
		return ErrEmptyLabelName
	}
	if !utf8.ValidString(m.Name) || !utf8.ValidString(m.Value) {
		return ErrInvalidUTF8 // by an escape
	}
	if err := m.Compile(); err != nil {
		return err
	}
	if p.outside && m.Name == MetricName {
		return errors.New("metric name is given twice")
	}
	if m.Name == MetricName && m.Type == MatchEqual && !p.named {
		p.named = true
		p.matchers = slices.Insert(p.matchers, 0, m)
	} else {
		p.matchers = append(p.matchers, m)
	}
	return nil
}

func (p *selectorParser) operator() (MatchType, error) {
	for _, t := range [...]MatchType{MatchNotEqual, MatchRegexp, MatchNotRegexp, MatchEqual} {
		if op := t.String(); strings.HasPrefix(p.text[p.pos:], op) {
			p.pos += len(op)
			return t, nil
		}
	}
	return 0, p.unexpected("=, !=, =~ or !~")
}

// identifier reads a name of the classic pattern; "" if there is none.
func (p *selectorParser) identifier(metric bool) string {
	start := p.pos
	for p.pos < len(p.text) && classicByte(p.text[p.pos], p.pos == start, metric) {
		p.pos++
	}
	return p.text[start:p.pos]
}

// blanks skips blanks and comments.
func (p *selectorParser) blanks() {
	for p.pos < len(p.text) {
		switch p.text[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		case '#':
			end := strings.IndexAny(p.text[p.pos:], "\r\n")
			if end < 0 {
				end = len(p.text) - p.pos
			}
			p.pos += end
		default:
			return
		}
	}
}

// peek returns the next byte, 0 at the end.
func (p *selectorParser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *selectorParser) unexpected(want string) error {
	p.at = p.pos
	if p.pos == len(p.text) {
		return fmt.Errorf("unexpected end, want %s", want)
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	return fmt.Errorf("unexpected %q, want %s", r, want)
}

var errOpenString = errors.New("string is not closed")

// str reads a string in quotes.
func (p *selectorParser) str(want string) (string, error) {
	switch quote := p.peek(); quote {
	case '"', '\'':
		p.at = p.pos
		return p.escaped(quote)
	case '`':
		p.at = p.pos
		raw, _, closed := strings.Cut(p.text[p.pos+1:], "`")
		if !closed {
			return "", errOpenString
		}
		p.pos += len(raw) + 2
		return raw, nil
	default:
		return "", p.unexpected(want)
	}
}

// escaped reads a string with escapes.
func (p *selectorParser) escaped(quote byte) (string, error) {
	var value []byte
	rest := p.text[p.pos+1:]
	for rest != "" && rest[0] != quote {
		if rest[0] == '\n' {
			return "", errOpenString
		}
		r, multibyte, tail, err := strconv.UnquoteChar(rest, quote)
		if err != nil {
			p.at = len(p.text) - len(rest)
			return "", errors.New("invalid escape in a string")
		}
		if multibyte {
			value = utf8.AppendRune(value, r)
		} else {
			value = append(value, byte(r))
		}
		rest = tail
	}
	if rest == "" {
		return "", errOpenString
	}
	p.pos = len(p.text) - len(rest) + 1
	return string(value), nil
}
