package main

import (
	"fmt"
	"strings"

	"github.com/promwire/promwire"
)

// A key ends each name and each value with end, and has zero for a byte of zero within them, so that bytes sort as
// [promwire.Labels.Compare] does, and SQLite with them.
const end, zero = "\x00\x01", "\x00\xff"

// appendKey appends the key of a label set.
func appendKey(dst []byte, ls promwire.Labels) []byte {
	for _, l := range ls {
		for _, text := range []string{l.Name, l.Value} {
			if strings.IndexByte(text, 0) >= 0 {
				text = strings.ReplaceAll(text, "\x00", zero)
			}
			dst = append(append(dst, text...), end...)
		}
	}
	return dst
}

// parseKey returns the label set of a key.
func parseKey(key string) (promwire.Labels, error) {
	texts := strings.SplitAfter(key, end)
	texts = texts[:len(texts)-1] // nothing follows the last end
	if len(texts)%2 != 0 {
		return nil, fmt.Errorf("a series has the labels %q: not written by this program", key)
	}
	ls := make(promwire.Labels, 0, len(texts)/2)
	text := func(i int) string { return strings.ReplaceAll(strings.TrimSuffix(texts[i], end), zero, "\x00") }
	for i := 0; i < len(texts); i += 2 {
		ls = append(ls, promwire.Label{Name: text(i), Value: text(i + 1)})
	}
	return ls, nil
}
