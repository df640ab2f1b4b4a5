package tally_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/promwire/promwire/cmd/promwire/internal/transfer/tally"
)

func TestTally(t *testing.T) {
	var all tally.Tally
	for i := range 10_000 {
		all.Add(fmt.Sprintf("reason %d %s", i%100, strings.Repeat("x", 10_000)), 1, func() string { return fmt.Sprintf("example %d \xff", i) })
	}
	all.Add("often", 50_000, func() string { return "a" })
	all.Add("often", 1, func() string { return "a" })
	if all.Total() != 60_001 || len(all.Reasons) > 52 {
		t.Errorf("%d in %d reasons", all.Total(), len(all.Reasons))
	}
	var b bytes.Buffer
	all.Print(&b, "refused")
	if text := b.String(); b.Len() > 60_000 || !strings.HasPrefix(text, "refused: 55001: other reasons\n") || strings.Contains(text, "\xff") {
		t.Errorf("%d bytes: %.300s", b.Len(), text)
	}
	all = tally.Tally{}
	if b.Reset(); b.Len() > 0 {
		t.Error("nothing is to print")
	}
	if all.Print(&b, "refused"); b.Len() > 0 {
		t.Errorf("printed %s", &b)
	}
}
