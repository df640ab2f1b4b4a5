//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package diskfile

import (
	"context"
	"path/filepath"
	"syscall"
	"testing"
)

// A child that was forked and has not got to its exec has the open file, too; Close must not wait for it.
func TestCloseFreesLockOfForkedChild(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := Lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	child, err := syscall.Dup(int(first.f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(child)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	second, err := Lock(over, path)
	if err != nil {
		t.Fatalf("the lock was given up: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}
