// Package readable makes what a peer says fit for people to read.
package readable

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text returns text without what is no UTF-8, and without characters that would steer a terminal; lines and tabs stay.
func Text(text []byte) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, string(text))
}
