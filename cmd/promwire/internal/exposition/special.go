package exposition

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/promwire/promwire"
)

// FormatSpecial returns the spelling of a NaN that the text formats have no form for: stale for a stale marker, nan: and
// sixteen hexadecimal digits for other bits than those that NaN is read as. It reports false for all other values.
func FormatSpecial(v float64) (string, bool) {
	switch {
	case !math.IsNaN(v) || math.Float64bits(v) == math.Float64bits(math.NaN()):
		return "", false
	case promwire.IsStaleNaN(v):
		return "stale", true
	default:
		return fmt.Sprintf("nan:%016x", math.Float64bits(v)), true
	}
}

// ParseSpecial is the reverse of FormatSpecial.
func ParseSpecial(text string) (float64, bool) {
	if text == "stale" {
		return promwire.StaleNaN(), true
	}
	digits, found := strings.CutPrefix(text, "nan:")
	if !found || len(digits) != 16 {
		return 0, false
	}
	bits, err := strconv.ParseUint(digits, 16, 64)
	v := math.Float64frombits(bits)
	return v, err == nil && math.IsNaN(v)
}

// withoutSpecial returns the line with 0 in place of a special value, which it returns too.
func withoutSpecial(text []byte, end int) (plain []byte, value float64, found bool) {
	rest := bytes.TrimLeft(text[end:], " \t")
	word := rest
	if i := bytes.IndexAny(rest, " \t"); i >= 0 {
		word = rest[:i]
	}
	if len(word) > len("nan:0123456789abcdef") {
		return text, 0, false
	}
	if value, found = ParseSpecial(string(word)); !found {
		return text, 0, false
	}
	plain = append(append([]byte(nil), text[:end]...), " 0"...)
	return append(plain, rest[len(word):]...), value, true
}
