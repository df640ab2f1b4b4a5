// Package patterns bounds the regular expressions of strangers before they are compiled: what a few bytes of them take in time
// and memory is out of proportion.
package patterns

import (
	"fmt"
	"regexp/syntax"
	"strings"
	"unicode"
)

// Budget is what the patterns of one request may take.
type Budget struct {
	// Bytes bounds the text of all together: see [Cost].
	Bytes int
	// Program bounds what repetitions make of them together, in instructions of some 40 bytes.
	Program int
	// Groups bounds the groups in parentheses of each; 0 sets no bound.
	Groups int

	bytes, program int // taken
}

// Take takes what a pattern costs from the budget; it fails when that is used up. It neither compiles the pattern nor says
// whether that can be done.
func (b *Budget) Take(pattern string) error {
	if n := strings.Count(pattern, "("); b.Groups > 0 && n > b.Groups {
		return fmt.Errorf("%d groups in a pattern, limit %d", n, b.Groups)
	}
	if b.bytes += Cost(pattern); b.bytes > b.Bytes {
		return fmt.Errorf("patterns of more than %d bytes, or of too many classes or groups for that", b.Bytes)
	}
	if b.program += program(pattern); b.program > b.Program {
		return fmt.Errorf("pattern %.100q is too complex: its repetitions make it large", pattern)
	}
	return nil
}

// What a part of a pattern counts for besides its text, in bytes of text that take as long to compile, or longer. \pL stands for
// some 600 ranges; where case does not count, each character of a range is looked up on its own.
const (
	groupCost      = 16
	classCost      = 32
	wideClassCost  = 256
	foldedWideCost = 2048
	dotCost        = 4 // in a list
	listShare      = 4 // so many bytes of a list count for one
)

// Cost is the length of a pattern in which what takes more time than its few bytes counts for more, and a list of values, such as
// "a|b" or "(a\.b|c.d)", for a quarter. It looks at the text alone: reading a pattern is what takes the time.
func Cost(pattern string) int {
	if dots, ok := list(pattern); ok {
		return len(pattern)/listShare + dotCost*dots + 1
	}
	class, wide := classCost, wideClassCost
	escapes := strings.Count(pattern, `\p`) + strings.Count(pattern, `\P`)
	if strings.Contains(pattern, "(?") { // flags, perhaps
		wide = foldedWideCost
		escapes += strings.Count(pattern, `\W`) + strings.Count(pattern, `\D`) + strings.Count(pattern, `\S`) + strings.Count(pattern, "[:^")
		if strings.Contains(pattern, `\x`) || !isASCII(pattern) { // wide ranges, perhaps
			class = foldedWideCost
		}
	}
	return len(pattern) + class*strings.Count(pattern, "[") + groupCost*strings.Count(pattern, "(") + wide*escapes
}

// list reports whether a pattern is a list of values between bars, perhaps in one group, in which all special characters but dots are
// escaped. It counts those dots.
func list(pattern string) (dots int, ok bool) {
	if inner, ok := strings.CutPrefix(pattern, "("); ok {
		if pattern, ok = strings.CutSuffix(inner, ")"); !ok {
			return 0, false
		}
	}
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '.':
			dots++
		case c == '\\':
			if i++; i == len(pattern) || !itself(pattern[i]) {
				return 0, false
			}
		case c != '|' && special(c):
			return 0, false
		}
	}
	return dots, true
}

func special(c byte) bool { return strings.IndexByte(`\+*?()|[]{}^$`, c) >= 0 }

// itself reports whether a backslash before c means c.
func itself(c byte) bool {
	return c <= unicode.MaxASCII && !unicode.IsLetter(rune(c)) && !unicode.IsDigit(rune(c))
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) < 0
}

// program estimates the size of a compiled pattern in instructions; 0 for one without repetitions by number, which is as large as
// its text, and for one that does not compile.
func program(pattern string) int {
	if !strings.Contains(pattern, "{") {
		return 0
	}
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
