package promwire

import "unicode/utf8"

// NameScheme says which metric and label names are valid.
type NameScheme uint8

// The name schemes. The zero value is UTF8Names, as in Prometheus 3.
const (
	UTF8Names   NameScheme = iota // any non-empty valid UTF-8
	LegacyNames                   // [a-zA-Z_][a-zA-Z0-9_]*, in metric names colons too
)

// ValidName reports whether s is a valid label name, or a valid metric name if metric is set.
func ValidName(s string, scheme NameScheme, metric bool) bool {
	if s == "" {
		return false
	}
	if scheme == UTF8Names {
		return utf8.ValidString(s)
	}
	for i := range len(s) {
		if !classicByte(s[i], i == 0, metric) {
			return false
		}
	}
	return true
}

// classicByte reports whether c may stand in a classic name.
func classicByte(c byte, first, metric bool) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
		return true
	case c >= '0' && c <= '9':
		return !first
	default:
		return c == ':' && metric
	}
}
