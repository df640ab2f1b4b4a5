package tsdbstore

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

func TestGate(t *testing.T) {
	var g gate
	reason := errors.New("shut")
	if g.enter() != nil {
		t.Fatal("a new gate is shut")
	}
	if g.shutIfIdle(reason) {
		t.Error("shut with a user inside")
	}
	g.leave()
	if !g.shutIfIdle(reason) || g.enter() != reason {
		t.Error("not shut")
	}
	g.open()
	if g.enter() != nil {
		t.Error("not opened")
	}
	g.leave()
	g.shutAndWait(reason) // nobody to wait for
	if g.enter() != reason {
		t.Error("not shut")
	}
}

func TestGateWaitsForUsers(t *testing.T) {
	var g gate
	var inside atomic.Int64
	reason := errors.New("shut")
	entered, leave := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if g.enter() != nil {
				t.Error("shut too early")
			}
			inside.Add(1)
			entered <- struct{}{}
			<-leave
			inside.Add(-1)
			g.leave()
		})
	}
	for range 4 {
		<-entered
	}
	for range 2 { // may be called by several
		wg.Go(func() {
			g.shutAndWait(reason)
			if n := inside.Load(); n != 0 {
				t.Errorf("%d users are inside", n)
			}
		})
	}
	close(leave)
	wg.Wait()
}

// A loop over what is read may write, whatever else goes on.
func TestWriteWhileReading(t *testing.T) {
	s := openStore(t, t.TempDir(), Options{})
	mustWrite(t, s, float("a", 0, 1), float("b", 0, 1))
	n := 0
	for ts, err := range s.Read(t.Context(), everything(t)) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		ts = ts.Clone()
		ts.Samples[0].Timestamp++
		mustWrite(t, s, ts)
	}
	if n != 2 {
		t.Errorf("%d series read", n)
	}
}
