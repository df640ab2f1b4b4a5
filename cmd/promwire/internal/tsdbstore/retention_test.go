package tsdbstore

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/promwire/promwire"
)

// TestOlderThanRetentionIsRefused: the TSDB would take such a sample and delete it with its first block.
func TestOlderThanRetentionIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name      string
		retention time.Duration
		age       time.Duration
		want      error
	}{
		{"inside", 24 * time.Hour, 23 * time.Hour, nil},
		{"outside", 24 * time.Hour, 25 * time.Hour, promwire.ErrOutOfBounds},
		{"for ever", -1, 1000 * 24 * time.Hour, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Open(t.TempDir(), Options{Retention: tt.retention, MinFree: -1})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			n, err := s.Write(context.Background(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
				Labels:  promwire.LabelsFromStrings(promwire.MetricName, "m"),
				Samples: []promwire.Sample{{Timestamp: time.Now().Add(-tt.age).UnixMilli()}},
			}}})
			if !errors.Is(err, tt.want) || (n.Samples == 1) != (tt.want == nil) {
				t.Errorf("got %+v and %v, want %v", n, err, tt.want)
			}
		})
	}
}
