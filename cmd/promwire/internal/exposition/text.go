package exposition

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"unsafe"

	"github.com/promwire/promwire"
)

// line is a line that was read before: what names its series, or the whole of a line of metadata.
type line struct {
	key  string
	next *line // the one that followed it last time

	// For series.
	series *Series
	under  promwire.MetricType // the type that its labels were read under: some values are written anew for some types
	// Whether it belongs to a family, and for which one, with which type, that holds.
	asked   *Family
	askedAs promwire.MetricType
	belongs bool

	// For metadata.
	meta *metaLine
}

var (
	errOpenBrace  = errors.New("the brace is not closed")
	errEnd        = errors.New("the text does not end with # EOF: it may be cut off")
	errBeyondEnd  = errors.New("there is text after # EOF")
	errEmptyLine  = errors.New("OpenMetrics has no empty lines")
	errAmbiguous  = errors.New("the name of the series does not end where it seems to")
	errNotASample = errors.New("it is not a sample")
)

// textState is where in a text a reader is.
type textState struct {
	place int                 // of the line read last
	under promwire.MetricType // what the lines to come are read under
}

// text reads both text formats.
func (r *Reader) text(body []byte) error {
	ended, err := r.textLines(body, &textState{})
	if err == nil && r.format == OpenMetrics && !ended {
		return errEnd
	}
	return err
}

// textLines reads lines of both text formats, and reports whether they end as OpenMetrics does.
func (r *Reader) textLines(body []byte, at *textState) (ended bool, err error) {
	strict := r.format == OpenMetrics
	for len(body) > 0 {
		var text []byte
		if end := bytes.IndexByte(body, '\n'); end >= 0 {
			text, body = body[:end], body[end+1:]
		} else {
			text, body = body, nil
		}
		at.place++
		if !strict {
			text = bytes.TrimLeft(text, " \t")
		}
		switch {
		case len(text) == 0:
			if strict {
				r.result.bad(at.place, text, errEmptyLine)
			}
		case text[0] != '#':
			if len(r.result.Points) >= r.opts.MaxPoints {
				return false, r.tooMany
			}
			r.sample(text, at.place, at.under)
		case strict && string(text) == "# EOF":
			if len(body) > 0 {
				return true, errBeyondEnd
			}
			return true, nil
		default:
			at.under = r.comment(text, at.place, at.under)
		}
	}
	return false, nil
}

// find returns what is known of a line.
func (r *Reader) find(key []byte) *line {
	var guess *line
	if r.last != nil {
		guess = r.last.next
	}
	if guess == nil || guess.key != string(key) {
		guess = r.lines[string(key)]
	}
	if guess != nil {
		r.follow(guess)
	}
	return guess
}

// follow notes that l came after the line read last.
func (r *Reader) follow(l *line) {
	if r.last != nil {
		r.last.next = l
	}
	r.last = l
	r.number++
}

// remember keeps a new line.
func (r *Reader) remember(l *line) {
	r.lines[l.key] = l
	r.keyBytes += len(l.key)
	r.follow(l)
}

// sample reads a line that is no comment.
func (r *Reader) sample(text []byte, place int, under promwire.MetricType) {
	end := seriesEnd(text)
	if end < 0 {
		r.result.bad(place, text, errOpenBrace)
		return
	}
	l := r.find(text[:end])
	p := Point{Place: place}
	if l == nil || l.under != under || l.series == nil || !r.value(text[end:], &p) {
		var err error
		plain, special, isSpecial := text, 0.0, false
		if r.opts.Extended {
			plain, special, isSpecial = withoutSpecial(text, end)
		}
		if l, err = r.slow(plain, end, l, under, &p); err != nil {
			r.result.bad(place, text, err)
			return
		}
		if isSpecial {
			p.Value = special
		}
	}
	p.Series = l.series
	r.emit(l, p)
}

// emit adds a point of the series in l to the result.
func (r *Reader) emit(l *line, p Point) {
	if f := r.family; f != nil {
		if l.asked != f || l.askedAs != f.Type {
			l.asked, l.askedAs, l.belongs = f, f.Type, f.has(l.series.Labels.Get(promwire.MetricName))
		}
		if l.belongs {
			p.Family = f
			if s := l.series.starts; s != nil && l.series.created {
				s.at, s.round = startOf(p.Value), r.round
			}
		}
	}
	r.result.Points = append(r.result.Points, p)
}

// startOf returns the milliseconds of a _created line, 0 if it holds nothing fit.
func startOf(seconds float64) int64 {
	if !(seconds > 0 && seconds < math.MaxInt64/2000) { // NaN as well
		return 0
	}
	return int64(seconds * 1000)
}

// seriesEnd returns where the part of a sample line ends that names the series, -1 if a brace is not closed.
func seriesEnd(text []byte) int {
	i := 0
	for i < len(text) && text[i] != '{' && text[i] != ' ' && text[i] != '\t' {
		i++
	}
	brace := i
	for brace < len(text) && (text[brace] == ' ' || text[brace] == '\t') {
		brace++
	}
	if brace == len(text) || text[brace] != '{' {
		return i
	}
	for i = brace + 1; i < len(text); i++ {
		switch text[i] {
		case '}':
			return i + 1
		case '"':
			if i = stringEnd(text, i+1); i < 0 {
				return -1
			}
		}
	}
	return -1
}

// stringEnd returns the place of the quote that ends the string at i, -1 if there is none.
func stringEnd(text []byte, i int) int {
	for i < len(text) {
		switch text[i] {
		case '"':
			return i
		case '\\':
			i++
		}
		i++
	}
	return -1
}

// value reads what follows a known series, if it has the usual form: a value, perhaps a time. It reports false for all
// else, which the library judges.
func (r *Reader) value(rest []byte, p *Point) bool {
	if r.format == Text {
		rest = bytes.Trim(rest, " \t")
	} else if len(rest) == 0 || rest[0] != ' ' {
		return false
	} else {
		rest = rest[1:]
	}
	value, after := rest, []byte(nil)
	for i, c := range rest {
		if c == ' ' || c == '\t' {
			value, after = rest[:i], rest[i:]
			break
		}
	}
	v, ok := parseValue(value)
	if !ok {
		return false
	}
	p.Value = v
	if after == nil {
		return true
	}
	p.HasTimestamp = true
	if r.format == Text {
		p.Timestamp, ok = parseMillis(bytes.TrimLeft(after, " \t"))
		return ok
	}
	seconds, ok := parseValue(after[1:])
	p.Timestamp = int64(seconds * 1000) // as Prometheus rounds it
	return ok && !math.IsNaN(seconds) && !math.IsInf(seconds, 0)
}

// parseValue reads a number as the library does; what is unusual is left to it.
func parseValue(text []byte) (float64, bool) {
	if len(text) == 0 {
		return 0, false
	}
	if len(text) < 16 {
		if n, ok := parseDigits(text); ok {
			return float64(n), true
		}
	}
	for _, c := range text {
		if c == 'p' || c == 'P' || c == '_' || c == '{' || c == '\t' || c == ' ' || c == '#' {
			return 0, false
		}
	}
	v, err := strconv.ParseFloat(unsafe.String(&text[0], len(text)), 64)
	return v, err == nil
}

// parseMillis reads a time of the text format.
func parseMillis(text []byte) (int64, bool) {
	if len(text) > 18 {
		return 0, false
	}
	return parseDigits(text)
}

// parseDigits reads up to 18 digits.
func parseDigits(text []byte) (n int64, ok bool) {
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, len(text) > 0
}
