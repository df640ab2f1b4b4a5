package tsdbstore

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
)

// TestReconfigure changes what may be late and what is too old, and checks that a TSDB that is opened anew has it too.
func TestReconfigure(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{OutOfOrderWindow: -1})
	mustWrite(t, s, float("a", 0, 1))
	late := func(age time.Duration) error {
		_, err := s.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{float("a", -float64(age.Milliseconds()), 1)}})
		return err
	}
	if err := late(time.Minute); !errors.Is(err, promwire.ErrOutOfOrder) {
		t.Fatalf("late without a window: %v", err)
	}
	if err := s.Reconfigure(Options{OutOfOrderWindow: 2 * time.Hour, Retention: 24 * time.Hour, MaxExemplars: 7}); err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{"reconfigured", "opened anew"} {
		if err := late(time.Hour); err != nil {
			t.Errorf("%s: an hour late: %v", state, err)
		}
		if err := late(25 * time.Hour); !errors.Is(err, promwire.ErrOutOfBounds) {
			t.Errorf("%s: older than the retention: %v", state, err)
		}
		s.failed.Store(true)
	}
	if st, err := s.Status(); err != nil || st.Retention != 24*time.Hour || st.OutOfOrderWindow != 2*time.Hour {
		t.Errorf("%+v, %v", st, err)
	}
	if got := s.opts.Load().MaxExemplars; got != 7 {
		t.Errorf("%d exemplars, want 7", got)
	}
}

// TestReconfigureWhileWriting is for the race detector.
func TestReconfigureWhileWriting(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{OutOfOrderWindow: -1})
	var writers sync.WaitGroup
	for range 2 {
		writers.Go(func() {
			for i := range 50 {
				_, _ = s.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{float("a", float64(i), 1)}})
			}
		})
	}
	for i := range 20 {
		if err := s.Reconfigure(Options{OutOfOrderWindow: time.Duration(i) * time.Minute}); err != nil {
			t.Error(err)
		}
	}
	writers.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Reconfigure(Options{}); !errors.Is(err, promwire.ErrUnavailable) {
		t.Errorf("closed: %v", err)
	}
}
