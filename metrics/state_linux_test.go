package metrics_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/promwire/promwire/metrics"
)

// A folder that can't be written is reported when the state is opened, whether there is a state in it or not. Root may
// write anywhere, so the thread gives up root's rights to files; it ends with the goroutine.
func TestStateInReadOnlyFolder(t *testing.T) {
	path, _ := stateFile(t)
	for _, file := range []string{path, path + ".lock"} {
		if err := os.Chmod(file, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Dir(path)
	if err := errors.Join(os.Chmod(dir, 0o555), os.Chmod(filepath.Dir(dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o777) })
	errs := make(chan [2]error)
	go func() {
		runtime.LockOSThread()
		if err := syscall.Setfsuid(65534); err != nil && os.Geteuid() == 0 {
			errs <- [2]error{err, err}
			return
		}
		_, there := metrics.OpenState(t.Context(), path)
		_, none := metrics.OpenState(t.Context(), filepath.Join(dir, "other"))
		errs <- [2]error{there, none}
	}()
	for _, err := range <-errs {
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), dir) {
			t.Errorf("got %v, want that the folder can't be written", err)
		}
	}
}

// A state that is a pipe must not wait for whoever writes into it.
func TestStateIsPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := metrics.OpenState(t.Context(), path); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("got %v", err)
	}
}
