package tsdbstore

import (
	"testing"

	"github.com/promwire/promwire"
)

// One sample from long ago makes neither the head nor the compaction work through all the time between.
func TestOldestSampleFirst(t *testing.T) {
	for _, oldest := range []int64{minTimestamp, -1, 1} {
		s := openStore(t, t.TempDir(), Options{Retention: -1})
		mustWrite(t, s, promwire.TimeSeries{Labels: labelsOf("__name__", "old"), Samples: []promwire.Sample{{Timestamp: oldest, Value: 1}}})
		mustWrite(t, s, float("m", -float64(5*hour), 1))
		mustWrite(t, s, float("m", 0, 1))
		if err := s.db.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(s.db.Blocks()); n > 5 {
			t.Errorf("%d blocks", n)
		}
		if got := readAll(t, s); len(got) != 1 || len(got[0].Samples) != 2 {
			t.Errorf("stored %v", got)
		}
	}
}
