package server

import (
	"fmt"
	"regexp/syntax"
	"strings"
	"unicode"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/pb"
)

// maxProgram bounds the size of all compiled patterns of a request, in instructions of some 40 bytes: repetitions
// make a short pattern large.
const maxProgram = 200_000

// checkSize holds the number of queries and matchers of a message against the limits, before memory is taken for them: two
// bytes can become a query of 200. What is malformed the decoder finds.
func checkSize(msg []byte, l *ReadLimits) error {
	queries, matchers := 0, 0
	for f := pb.NewReader(msg); f.Next(); {
		if f.Field != 1 || f.Wire != pb.Bytes {
			continue
		}
		queries++
		for q := pb.NewReader(f.Data); q.Next(); {
			if q.Field == 3 && q.Wire == pb.Bytes {
				matchers++
			}
		}
	}
	if queries > l.MaxQueries {
		return fmt.Errorf("%w: %d queries, limit %d", errBadRequest, queries, l.MaxQueries)
	}
	if matchers > l.MaxMatchers {
		return fmt.Errorf("%w: %d matchers, limit %d", errBadRequest, matchers, l.MaxMatchers)
	}
	return nil
}

// compile prepares the matchers of all queries.
func compile(queries []promwire.Query, maxPatternBytes int) error {
	text, program := 0, 0
	for i := range queries {
		for j := range queries[i].Matchers {
			m := &queries[i].Matchers[j]
			if m.Type == promwire.MatchRegexp || m.Type == promwire.MatchNotRegexp {
				if text += patternCost(m.Value); text > maxPatternBytes {
					return fmt.Errorf("%w: patterns of more than %d bytes, or of too many classes for that", errBadRequest, maxPatternBytes)
				}
				if program += programSize(m.Value); program > maxProgram {
					return fmt.Errorf("%w: pattern %.100q is too complex", errBadRequest, m.Value)
				}
			}
			if err := m.Compile(); err != nil {
				return fmt.Errorf("%w: query %d: %w", errBadRequest, i, err)
			}
		}
	}
	return nil
}

// What a class of characters counts for, in bytes. Reading one takes as long as a text of this size, or less: \pL stands
// for some 600 ranges, and where case does not count each character of a range is looked up on its own.
const (
	classCost     = 32
	wideClassCost = 256
)

// patternCost is the length of a pattern in which each class counts for more than the few bytes it has. It is
// computed before a pattern is parsed, which is what takes the time.
func patternCost(pattern string) int {
	class := classCost
	if strings.Contains(pattern, "(?") && (strings.Contains(pattern, `\x`) || !isASCII(pattern)) { // flags and wide ranges, perhaps
		class = wideClassCost
	}
	wide := strings.Count(pattern, `\p`) + strings.Count(pattern, `\P`)
	return len(pattern) + class*strings.Count(pattern, "[") + wideClassCost*wide
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) < 0
}

// programSize estimates the size of a compiled pattern; 0 for one that does not compile.
func programSize(pattern string) int {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0
	}
	return nodeSize(re)
}

func nodeSize(re *syntax.Regexp) int {
	size := 1
	if re.Op == syntax.OpLiteral {
		size = len(re.Rune)
	}
	for _, sub := range re.Sub {
		size += nodeSize(sub)
	}
	if re.Op == syntax.OpRepeat {
		size *= max(re.Min, re.Max, 1)
	}
	return size
}
