package transfer

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"
)

// The rate holds on average, and what was not used is not made up for.
func TestPace(t *testing.T) {
	now := time.Unix(0, 0)
	p := NewPace(100)
	p.now = func() time.Time { return now }
	slept := time.Duration(0)
	p.sleep = func(_ context.Context, d time.Duration) error {
		slept += d
		now = now.Add(d)
		return nil
	}
	for range 10 {
		if err := p.Wait(t.Context(), 50); err != nil {
			t.Fatal(err)
		}
	}
	if slept != 4500*time.Millisecond {
		t.Errorf("slept %v for 500 samples", slept)
	}
	now = now.Add(time.Hour)
	slept = 0
	for range 2 {
		_ = p.Wait(t.Context(), 100)
	}
	if slept != time.Second {
		t.Errorf("slept %v after an hour", slept)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if NewPace(0) != nil || (*Pace)(nil).Wait(ctx, 1) == nil || NewPace(1e-9).Wait(ctx, 1) == nil {
		t.Error("the context has ended")
	}
}

func TestProgress(t *testing.T) {
	var b bytes.Buffer
	p := NewProgress(&b, true)
	now := time.Unix(0, 0)
	p.now = func() time.Time { return now }
	p.Phase("sending", "samples", 200_000)
	now = now.Add(time.Second)
	p.Add(50_000)
	p.Clear()
	p.Complete()
	p.Phase("reading", "bytes", 0)
	p.Add(1)
	p.End()
	for _, want := range []string{
		"\rsending [#####...............]  25% of 200k samples, 50k samples/s, 3s left\x1b[K", "100% of 200k samples", "\rreading: 1 bytes", "\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in %q", want, b.String())
		}
	}
	none := (*Progress)(nil)
	none.Phase("", "", 1)
	none.Add(1)
	none.Clear()
	none.Complete()
}
