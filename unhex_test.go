package promwire

import (
	"encoding/hex"
	"strings"
	"testing"
)

// unhex decodes hex with blanks and line breaks between groups.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
