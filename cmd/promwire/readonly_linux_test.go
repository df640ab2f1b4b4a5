package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestReadOnlyFiles takes from a server, under load, the right to write to its files: writes are answered with 503 and counted,
// what was acknowledged can be read, and writing goes on by itself when the files can be written again. A kill loses nothing.
func TestReadOnlyFiles(t *testing.T) {
	dir := t.TempDir()
	p := startServe(t, dir)
	writers := newCrashWriters(2)
	var wg sync.WaitGroup
	for _, w := range writers {
		w.writeOnce(t, p)
		wg.Go(func() { w.run(t.Context(), t, p.write, func() {}) })
	}
	time.Sleep(200 * time.Millisecond) // under load
	t.Cleanup(func() { _ = setImmutable(dir, false) })
	data := filepath.Join(dir, "data")
	if err := setFlag(data, unix.STATX_ATTR_IMMUTABLE, true); err != nil {
		t.Skipf("no file can be made immutable here, as .ci/run says too: %v", err)
	}
	// The log first: a request that is in it already, and finds no room for a chunk, ends the process (TestFullDiskHeadChunks).
	if err := setImmutable(filepath.Join(data, "wal"), true); err != nil {
		t.Fatal(err)
	}
	wg.Wait() // for an error of each
	if err := setImmutable(dir, true); err != nil {
		t.Fatal(err)
	}
	checkReadOnly(t, p, writers)
	if err := setImmutable(dir, false); err != nil {
		t.Fatal(err)
	}
	until(t, "write after the files can be written again", func() bool {
		_, err := writeOne(t, p.write, writers[0].request(writers[0].acked))
		return err == nil
	})
	for _, w := range writers {
		w.writeOnce(t, p)
	}
	checkAcknowledged(t, p, writers)
	if code, _, err := p.end(syscall.SIGKILL); err != nil || code != -1 {
		t.Fatalf("killed: code %d, %v", code, err)
	}
	t.Logf("%d samples acknowledged, 0 missing", checkAcknowledged(t, startServe(t, dir), writers))
}

// TestReadOnlyDisk has the kernel make a file system read-only as it does when it has found damage: the same, but a restart is
// needed, which fails as long as nothing can be written.
func TestReadOnlyDisk(t *testing.T) {
	dir := t.TempDir()
	image := filepath.Join(t.TempDir(), "image")
	mountImage(t, image, dir)
	p := startServe(t, dir)
	writers := newCrashWriters(2)
	for _, w := range writers {
		for range 20 {
			w.writeOnce(t, p)
		}
	}
	syncDisk(t, dir) // what the kernel has not written yet goes with a damage, whoever wrote it
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT, "abort"); err != nil {
		t.Fatal(err)
	}
	for _, w := range writers {
		w.run(t.Context(), t, p.write, func() {})
	}
	checkReadOnly(t, p, writers)
	p.kill()
	_, err := start(dir, nil, "promwire", "serve", "--listen", "127.0.0.1:0", "--data", "data", "--min-free-disk", "0")
	if err == nil || !strings.Contains(err.Error(), "read-only file system") {
		t.Errorf("a start on a read-only disk: %v", err)
	}
	if err := unix.Unmount(dir, 0); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-o", "loop", image, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p = startServe(t, dir)
	t.Logf("%d samples acknowledged, 0 missing", checkAcknowledged(t, p, writers))
	writers[0].writeOnce(t, p)
	p.kill()
}

// checkReadOnly demands that writes are refused to be repeated, and counted, and that all that was acknowledged can be read.
func checkReadOnly(t *testing.T, p *process, writers []*crashWriter) {
	t.Helper()
	for _, w := range writers {
		_, err := writeOne(t, p.write, w.request(w.acked))
		checkFull(t, err)
	}
	checkAcknowledged(t, p, writers)
	text := get(t, p.url+"/metrics")
	for _, want := range []string{"\npromwire_store_failed 1\n", `code="503",operation="write"} `} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics have no %q", want)
		}
	}
}

// setImmutable has the kernel refuse, or take again, changes of all files and folders below dir, for programs that have them
// open too.
func setImmutable(dir string, on bool) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = setFlag(path, unix.STATX_ATTR_IMMUTABLE, on) // the same bit
		}
		if errors.Is(err, os.ErrNotExist) {
			return nil // it has gone meanwhile
		}
		return err
	})
}

func setFlag(path string, flag int, on bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	flags, err := unix.IoctlGetInt(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	if err != nil {
		return err
	}
	if flags &^= flag; on {
		flags |= flag
	}
	return unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, flags)
}

// mountImage makes a file a disk with ext4, for the time of the test.
func mountImage(t *testing.T, image, dir string) {
	t.Helper()
	for _, command := range []string{"truncate -s 64m " + image, "mkfs.ext4 -q " + image, "mount -o loop " + image + " " + dir} {
		args := strings.Fields(command)
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Skipf("no file can be mounted as a disk here, as .ci/run says too: %s: %v %s", command, err, out)
		}
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

func syncDisk(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Syncfs(int(f.Fd())); err != nil {
		t.Fatal(err)
	}
}
