package tsdbstore

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
)

// TestParallelWritesOfOneSeriesCountWhatIsStored lets writers overtake each other without an out-of-order window: what
// was answered as written must be there, and nothing else.
func TestParallelWritesOfOneSeriesCountWhatIsStored(t *testing.T) {
	s, err := Open(t.TempDir(), Options{OutOfOrderWindow: -1, MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const writers, rounds = 8, 100
	now := time.Now().UnixMilli()
	var mu sync.Mutex
	written := map[int64]bool{}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range rounds {
				at := now + int64(i*writers+w)
				n, _ := s.Write(context.Background(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
					Labels:  promwire.LabelsFromStrings(promwire.MetricName, "m"),
					Samples: []promwire.Sample{{Timestamp: at, Value: float64(at)}},
				}}})
				if n.Samples == 1 {
					mu.Lock()
					written[at] = true
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	m, err := promwire.NewMatcher(promwire.MatchEqual, promwire.MetricName, "m")
	if err != nil {
		t.Fatal(err)
	}
	q := promwire.Query{Start: time.UnixMilli(now), End: time.UnixMilli(now + writers*rounds), Matchers: []promwire.Matcher{m}}
	stored := 0
	for ts, err := range s.Read(context.Background(), q) {
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range ts.Samples {
			stored++
			if !written[p.Timestamp] {
				t.Errorf("%d is stored, but was refused", p.Timestamp)
			}
		}
	}
	if stored != len(written) || stored == 0 {
		t.Errorf("%d samples stored, %d acknowledged", stored, len(written))
	}
}
