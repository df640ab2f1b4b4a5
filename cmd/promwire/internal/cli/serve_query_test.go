package cli

import (
	"strings"
	"testing"
)

// TestLeastMemory refuses a bound on memory with which every query would be ended.
func TestLeastMemory(t *testing.T) {
	for text, ok := range map[string]bool{"1KB": false, "63MB": false, "64MB": true, "3GB": true, "0": true} {
		f := defaultQueryFlags()
		if err := f.check(); err != nil {
			t.Fatal(err)
		}
		if err := f.maxMemory.Set(text); err != nil {
			t.Fatal(err)
		}
		err := f.check()
		if ok && err != nil || !ok && (err == nil || !strings.Contains(err.Error(), "--query.max-memory "+text+": want at least 64MB")) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
