package diskfile_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire/internal/diskfile"
)

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	over, cancel := context.WithCancel(t.Context())
	cancel()
	first, err := diskfile.Lock(over, path)
	if err != nil {
		t.Fatalf("a free lock must be had at once: %v", err)
	}
	_, err = diskfile.Lock(over, path)
	var held *diskfile.HeldError
	if !errors.As(err, &held) || !errors.Is(err, context.Canceled) || !strings.HasPrefix(held.Holder, "process ") {
		t.Fatalf("got %v", err)
	}
	got := make(chan error, 1)
	go func() {
		f, err := diskfile.Lock(t.Context(), path)
		if err == nil {
			err = f.Close()
		}
		got <- err
	}()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-got:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the lock was given up, and nobody got it")
	}
}
