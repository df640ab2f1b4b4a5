package tsdbstore

import (
	"math/rand/v2"
	"testing"

	"github.com/prometheus/prometheus/storage"
)

// TestNewestTimes compares with a map: references that rise, that come again, and in any order, over several requests.
func TestNewestTimes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	orders := map[string]func(i int) storage.SeriesRef{
		"rising":   func(i int) storage.SeriesRef { return storage.SeriesRef(i + 1) },
		"falling":  func(i int) storage.SeriesRef { return storage.SeriesRef(5000 - i) },
		"repeated": func(i int) storage.SeriesRef { return storage.SeriesRef(i%100 + 1) },
		"any":      func(int) storage.SeriesRef { return storage.SeriesRef(rnd.IntN(4000) + 1) },
	}
	var n newestTimes
	for name, ref := range orders {
		for range 3 {
			n.reset()
			want := map[storage.SeriesRef]int64{}
			for i := range 5000 {
				r, at := ref(i), rnd.Int64()
				known, there := want[r]
				if !there {
					known = noTime
				}
				if got := n.get(r); got != known {
					t.Fatalf("%s: %d has %d, want %d", name, r, got, known)
				}
				n.set(r, at)
				want[r] = at
			}
			for r, at := range want {
				if got := n.get(r); got != at {
					t.Fatalf("%s: at the end %d has %d, want %d", name, r, got, at)
				}
			}
		}
	}
}
