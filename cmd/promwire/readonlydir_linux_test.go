package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestReadOnlyDirectory starts programs on data that they may read and not write: each ends, names the folder and the reason,
// and touches nothing. Where the test runs as root, which may write everywhere, they run as somebody else.
func TestReadOnlyDirectory(t *testing.T) {
	dir := t.TempDir()
	p := startServe(t, dir)
	writers := newCrashWriters(1)
	writers[0].writeOnce(t, p)
	p.kill()
	for _, folder := range []string{dir, filepath.Join(dir, "data")} {
		if err := os.Chmod(folder, 0o555); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(folder, 0o700) })
	}
	for _, args := range []string{
		"serve --listen 127.0.0.1:0 --data data",
		"serve --listen 127.0.0.1:0 --data new",
		"serve --listen 127.0.0.1:0 --data new --multi-tenant",
		"serve --listen 127.0.0.1:0 --data new --upstream prometheus=http://127.0.0.1:9",
		"relay --listen 127.0.0.1:0 --spool new --write http://127.0.0.1:9/api/v1/write",
		"agent --spool new --write http://127.0.0.1:9/api/v1/write --scrape http://127.0.0.1:9/metrics",
	} {
		code, out := runUnprivileged(t, dir, strings.Fields(args)...)
		if code != 1 || !strings.Contains(out, "permission denied") || !strings.Contains(out, "data") && !strings.Contains(out, "new") {
			t.Errorf("%s: code %d: %s", args, code, out)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	checkAcknowledged(t, startServe(t, dir), writers)
}

// runUnprivileged runs promwire to its end as a user that is not root.
func runUnprivileged(t *testing.T, dir string, args ...string) (code int, out string) {
	t.Helper()
	cmd := exec.Command("promwire", args...)
	cmd.Dir = dir
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		for _, folder := range []string{filepath.Dir(dir), filepath.Dir(filepath.Dir(cmd.Path))} { // made for this run, for root alone
			if err := os.Chmod(folder, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	text, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(text)
}
