package tsdbstore

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
)

// TestReadsBesideWrites reads a series, as samples and as chunks, to which samples are appended meanwhile. The race detector
// tells whether chunks are read that are written to.
func TestReadsBesideWrites(t *testing.T) {
	s, err := Open(t.TempDir(), Options{MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	now := time.Now().UnixMilli() - 1_000_000
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		defer cancel()
		for i := range 2000 {
			at := now + int64(i)*50
			if _, err := s.Write(context.Background(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
				Labels:  promwire.LabelsFromStrings(promwire.MetricName, "m"),
				Samples: []promwire.Sample{{Timestamp: at, Value: float64(i * i)}},
			}}}); err != nil {
				t.Error(err)
			}
		}
	})
	m, err := promwire.NewMatcher(promwire.MatchEqual, promwire.MetricName, "m")
	if err != nil {
		t.Fatal(err)
	}
	for ctx.Err() == nil {
		q := promwire.Query{Start: time.UnixMilli(0), End: time.Now(), Matchers: []promwire.Matcher{m}}
		last := -1
		for ts, err := range s.Read(context.Background(), q) {
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range ts.Samples {
				last++
				if p.Value != float64(last*last) || p.Timestamp != now+int64(last)*50 {
					t.Fatalf("sample %d: %v", last, p)
				}
			}
		}
		for part, err := range s.ReadChunks(context.Background(), q) {
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range part.Chunks {
				if c.MaxTime > now+100_000 {
					t.Fatalf("a chunk ends at %d", c.MaxTime)
				}
			}
		}
	}
	wg.Wait()
}
