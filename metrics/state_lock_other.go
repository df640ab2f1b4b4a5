//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd && !windows

package metrics

import (
	"errors"
	"fmt"
	"os"
)

func tryLock(path string) (*os.File, error) {
	return nil, &os.PathError{Op: "lock", Path: path, Err: fmt.Errorf("%w on this system", errors.ErrUnsupported)}
}

func syncDir(string) error { return nil }
