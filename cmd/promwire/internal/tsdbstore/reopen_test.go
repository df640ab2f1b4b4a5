package tsdbstore

import (
	"errors"
	"iter"
	"testing"

	"github.com/promwire/promwire"
)

// TestReopenAmongReaders lets readers overlap without end while the TSDB has to be opened anew. They must not put that
// off for ever: no new ones begin, and the next write after the last one has left brings everything back.
func TestReopenAmongReaders(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	mustWrite(t, s, float("a", 0, 1), float("b", 0, 1))
	reading := func() (next func() (promwire.TimeSeries, error, bool), stop func()) {
		return iter.Pull2(s.Read(t.Context(), everything(t)))
	}
	next, stop := reading()
	if _, err, _ := next(); err != nil {
		t.Fatal(err)
	}
	next2, stop2 := reading()
	if _, err, _ := next2(); err != nil {
		t.Fatal(err)
	}

	s.failed.Store(true) // as after a log write that failed
	write := func() error {
		_, err := s.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{float("a", 1, 2)}})
		return err
	}
	for range 2 {
		if err := write(); !errors.Is(err, errReopening) || !errors.Is(err, promwire.ErrUnavailable) {
			t.Fatalf("write among readers: %v", err)
		}
		next, stop := reading()
		if _, err, _ := next(); !errors.Is(err, errReopening) {
			t.Errorf("a reader that begins while the TSDB waits to be opened anew: %v", err)
		}
		stop()
	}

	// Those that read already are left alone.
	if ts, err, more := next(); err != nil || !more || ts.Labels.Get("__name__") != "b" {
		t.Errorf("second series: %v, %v, %t", ts, err, more)
	}
	stop()
	if err := write(); !errors.Is(err, errReopening) {
		t.Fatalf("write with a reader left: %v", err)
	}
	stop2()
	if err := write(); err != nil {
		t.Fatalf("write when all have left: %v", err)
	}
	n := 0
	for ts, err := range s.Read(t.Context(), everything(t)) {
		if err != nil {
			t.Fatal(err)
		}
		n += len(ts.Samples)
	}
	if n != 3 {
		t.Errorf("%d samples after reopening, want 3", n)
	}
}
