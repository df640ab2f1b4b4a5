//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd && !windows

package diskfile

import (
	"errors"
	"fmt"
	"os"
)

func tryLock(path string) (*os.File, error) {
	return nil, &os.PathError{Op: "lock", Path: path, Err: fmt.Errorf("%w on this system", errors.ErrUnsupported)}
}

func unlock(*os.File) error { return nil }

// SyncDir does nothing: the system has no such call.
func SyncDir(string) error { return nil }
