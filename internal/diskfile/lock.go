// Package diskfile has what the standard library lacks for files that several processes, and crashes, must not spoil.
package diskfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// errHeld says that somebody else has the lock.
var errHeld = errors.New("held")

// The waits between two tries to get a lock: the system has no way to wait that ctx could end.
const (
	minLockWait = 2 * time.Millisecond
	maxLockWait = 100 * time.Millisecond
)

// HeldError says that somebody else had the lock until the context ended.
type HeldError struct {
	Holder string // what the holder wrote into the file
	Err    error  // of the context
}

// Error implements error.
func (e *HeldError) Error() string { return e.Holder + ": " + e.Err.Error() }

// Unwrap returns the error of the context.
func (e *HeldError) Unwrap() error { return e.Err }

// FileLock is a lock that the process holds until [FileLock.Close], or until its end.
type FileLock struct{ f *os.File }

// Close gives up the lock, at once: a program that another goroutine is starting meanwhile does not prolong it.
func (l *FileLock) Close() error { return errors.Join(unlock(l.f), l.f.Close()) }

// Lock locks the file at path, which is made if need be, and writes into it who holds it. While somebody else has it,
// Lock tries again until ctx ends, but once in any case; the error then is a [*HeldError]. The file is never removed:
// somebody may have opened it meanwhile, to lock it next.
func Lock(ctx context.Context, path string) (*FileLock, error) {
	for wait := minLockWait; ; wait = min(2*wait, maxLockWait) {
		f, err := tryLock(path)
		if err == nil {
			if err := writeHolder(f); err != nil {
				return nil, err
			}
			return &FileLock{f}, nil
		}
		if !errors.Is(err, errHeld) {
			return nil, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, &HeldError{readHolder(path), ctx.Err()}
		}
	}
}

// writeHolder closes f if it fails.
func writeHolder(f *os.File) error {
	host, err := os.Hostname()
	if err != nil {
		host = "an unknown host"
	}
	text := fmt.Sprintf("process %d (%s) on %s since %s\n", os.Getpid(), filepath.Base(os.Args[0]), host,
		time.Now().UTC().Format(time.RFC3339))
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(text), 0)
	}
	if err != nil {
		return errors.Join(err, unlock(f), f.Close())
	}
	return nil
}

func readHolder(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return "nobody knows which"
	}
	defer f.Close()
	text, _ := io.ReadAll(io.LimitReader(f, 500)) // no more than a hint
	text, _, _ = bytes.Cut(text, []byte{'\n'})
	return string(text)
}
