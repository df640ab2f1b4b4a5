package readable

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestError(t *testing.T) {
	if got := Error(nil); got != nil {
		t.Error(got)
	}
	if got := Error(io.EOF); got != io.EOF {
		t.Error(got)
	}
	for _, garbage := range []string{"\x1b[2J", strings.Repeat("\x00\xff", 1<<20), strings.Repeat("ä", 1<<20)} {
		got := Error(fmt.Errorf("begin %s: %w", garbage, io.EOF))
		if text := got.Error(); len(text) > maxText || !strings.HasPrefix(text, "begin ") || !strings.HasSuffix(text, ": EOF") ||
			!utf8.ValidString(text) || strings.Contains(text, "\x1b") {
			t.Errorf("%d bytes: %.300q", len(text), text)
		}
		if !errors.Is(got, io.EOF) {
			t.Errorf("%.300q has lost its cause", got)
		}
	}
}
