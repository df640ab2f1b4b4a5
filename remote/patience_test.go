package remote

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Only the time in which somebody waits for the server counts.
func TestPatience(t *testing.T) {
	late := errors.New("late")
	synctest.Test(t, func(t *testing.T) {
		b := newPatientBody(context.Background(), time.Minute, late)
		defer b.Close()
		b.body = io.NopCloser(strings.NewReader("four"))
		for range 4 {
			if n, err := b.Read(make([]byte, 1)); n != 1 || err != nil {
				t.Fatalf("got %d, %v", n, err)
			}
			time.Sleep(time.Hour) // the reading program is slow
		}
		if err := context.Cause(b.ctx); err != nil {
			t.Fatalf("cancelled while nobody waited: %v", err)
		}
		b.wait()
		time.Sleep(time.Minute + time.Nanosecond) // the server is
		if err := b.reason(errors.New("closed")); !errors.Is(err, late) {
			t.Errorf("got %v, want %v", err, late)
		}
	})
}
