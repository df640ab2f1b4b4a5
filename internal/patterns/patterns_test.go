package patterns

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"runtime"
	"strings"
	"testing"
)

func TestCost(t *testing.T) {
	for pattern, want := range map[string]int{
		"": 1, "abcd": 2, "a|b|c|de": 3, `(a\.b|c\.d)`: 3, "()": 1, // lists
		"a.b|...": 18, "a.?": 3, "(a|b)?": 22, "(a|(b))": 39, `a|\d`: 4, `a\`: 2, "(a|b": 20, "a)": 2,
		"[a-z]+": 38, `\pL`: 259, `[^\PL]`: 294, `(?i)a`: 21, `(?i)\W`: 22 + 2048, `\W+`: 3, `(?i)[[:^alpha:]]`: 32 + 64 + 2048,
		`(?i)[\x41-z]`: 28 + 2048, "(?:é)[a]": 25 + 2048,
	} {
		if got := Cost(pattern); got != want {
			t.Errorf("Cost(%q) = %d, want %d", pattern, got, want)
		}
	}
}

func TestTake(t *testing.T) {
	b := Budget{Bytes: 100, Program: 2000, Groups: 2}
	for _, step := range []struct{ pattern, text string }{
		{"x{1000}", ""},
		{"[a-z]", ""},
		{"(a(b)(c))", "3 groups in a pattern, limit 2"},
		{"y{1000}", "its repetitions make it large"},
		{strings.Repeat(".?", 30), "patterns of more than 100 bytes"},
		{"x", "patterns of more than 100 bytes"},
	} {
		err := b.Take(step.pattern)
		if text := fmt.Sprint(err); (err == nil) != (step.text == "") || !strings.Contains(text, step.text) {
			t.Errorf("%q: %v, want %q", step.pattern, err, step.text)
		}
	}
}

// TestCompileWithin compiles patterns of one cost, of everything that is known to take much: none takes more memory than text of that
// length may.
func TestCompileWithin(t *testing.T) {
	const cost = 16 << 10
	for _, part := range []string{
		`\pL`, `[^\pL]`, `[\pL\pN]`, `(?i)\pL`, `(?i)\W`, `(?i)[[:^alpha:]]`, `(?i)[\x{0}-\x{10ffff}]`, "(?i)[é-힣]", "[ab]", "(b)", "(b|c)?", "a.?", "é|.", ".", `(?i:\W)`,
	} {
		pattern := part
		for Cost(pattern+part) < cost {
			pattern += part
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := regexp.Compile(pattern); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 1000*cost {
			t.Errorf("%s, %d bytes of it, took %d MB", part, len(pattern), took>>20)
		}
	}
}

// FuzzTake demands that what is taken compiles in bounded memory, and that nothing panics.
func FuzzTake(f *testing.F) {
	for _, seed := range []string{"a|b", `(a\.b|c)`, `(?i)\W\pL[^a]{2,30}`, "((((", `[[:^word:]]{1000}`, `(x{30}y){30}`, "(?P<a>b)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		b := Budget{Bytes: 4 << 10, Program: 10_000, Groups: 100}
		if b.Take(pattern) != nil {
			return
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = regexp.Compile(pattern)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 32<<20 {
			t.Errorf("%q took %d MB", pattern, took>>20)
		}
	})
}

// TestLists has the parser of package regexp say what a list is: it finds nothing that repeats in it, and no set.
func TestLists(t *testing.T) {
	letters := []rune("ab|.\\()*[é'")
	lists := 0
	for seed := range uint64(20_000) {
		rng := rand.New(rand.NewPCG(seed, 0))
		var b strings.Builder
		for range rng.IntN(8) {
			b.WriteRune(letters[rng.IntN(len(letters))])
		}
		if re, err := syntax.Parse(b.String(), syntax.Perl); err == nil && isList(b.String()) {
			lists++
			if !plain(re) {
				t.Errorf("%q is no list: %v", b.String(), re)
			}
		}
	}
	if lists < 1000 {
		t.Errorf("only %d lists", lists)
	}
}

func isList(pattern string) bool {
	_, ok := list(pattern)
	return ok
}

// plain reports whether a pattern has no more in it than values and dots; "ab|a" is read as "ab?", and "a|b" as "[a-b]".
func plain(re *syntax.Regexp) bool {
	for _, sub := range re.Sub {
		if !plain(sub) {
			return false
		}
	}
	switch re.Op {
	case syntax.OpStar, syntax.OpPlus, syntax.OpRepeat, syntax.OpBeginText, syntax.OpEndText:
		return false
	default:
		return true
	}
}
