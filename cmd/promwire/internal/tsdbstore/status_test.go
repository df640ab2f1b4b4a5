package tsdbstore

import (
	"errors"
	"testing"

	"github.com/promwire/promwire"
)

// TestStatus looks at a store before and after it has data.
func TestStatus(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{RetentionBytes: 1 << 30})
	empty, err := s.Status()
	if err != nil || empty.HeadSeries != 0 || empty.MinTime != 0 || empty.MaxTime != 0 || empty.RetentionBytes != 1<<30 {
		t.Errorf("an empty store: %+v, %v", empty, err)
	}
	mustWrite(t, s, float("a", 0, 1), float("b", 0, 1))
	got, err := s.Status()
	if err != nil {
		t.Fatal(err)
	}
	if got.HeadSeries != 2 || got.MinTime == 0 || got.MinTime > got.MaxTime || got.HeadBytes <= 0 || got.Failed {
		t.Errorf("two series: %+v", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Status(); !errors.Is(err, promwire.ErrUnavailable) {
		t.Errorf("a closed store: %v", err)
	}
}
