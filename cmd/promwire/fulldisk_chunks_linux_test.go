package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestFullDiskHeadChunks leaves room for the logs and none for a file of head chunks, which the TSDB can't do without in the
// middle of a write: the process ends and says why, and does not hang; nothing that was acknowledged is lost.
func TestFullDiskHeadChunks(t *testing.T) {
	dir := t.TempDir()
	mountSmall(t, dir, "2m")
	p := startServe(t, dir)
	writers := newCrashWriters(1)
	w := writers[0]
	for range 3 {
		w.writeOnce(t, p)
	}
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, freeBytes(t, dir)-100<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	// Late samples go into a head chunk, 32 of a series.
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.run(context.WithoutCancel(t.Context()), t, p.write, func() {})
	}()
	<-p.out
	<-ended
	if err := p.cmd.Wait(); err == nil || p.cmd.ProcessState.ExitCode() != 2 {
		t.Errorf("the process ended with %v", err)
	}
	for _, want := range []string{"the TSDB cannot go on, the process ends", "no space left on device"} {
		if !bytes.Contains(p.err.Bytes(), []byte(want)) {
			t.Errorf("the log has no %q:\n%.3000s", want, p.err)
		}
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	again := startServe(t, dir)
	t.Logf("%d samples acknowledged, 0 missing", checkAcknowledged(t, again, writers))
	w.writeOnce(t, again)
	checkAcknowledged(t, again, writers)
}

// writeOnce writes the next request, which has to be acknowledged.
func (w *crashWriter) writeOnce(t *testing.T, p *process) {
	t.Helper()
	stats, err := writeOne(t, p.write, w.request(w.acked))
	if err != nil || stats.Samples+stats.Histograms != samplesPerRequest {
		t.Fatalf("%+v, %v", stats, err)
	}
	w.acked++
}

func freeBytes(t *testing.T, dir string) int64 {
	t.Helper()
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	return int64(st.Bavail) * st.Bsize
}

// TestFullDiskCompaction leaves no room for a block: writes go on, the log and a metric say that there is none, and blocks
// are made as soon as there is. A kill after that loses nothing that was acknowledged.
func TestFullDiskCompaction(t *testing.T) {
	dir := t.TempDir()
	mountSmall(t, dir, "24m") // a block takes 64 MiB at first
	c := &crasher{}
	p := startServe(t, dir, c.args()...)
	clock := newDataClock(20*24*time.Hour, 5*time.Minute)
	// With steps this large, a second writer would fall out of the window whenever the machine holds it up.
	w := &crashWriter{clock: clock}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var acks atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.run(ctx, t, p.write, func() {
			if acks.Add(1) >= 200 {
				clock.step.Store(1000) // far enough for some blocks
			}
		})
	}()
	metric := func(name string) bool {
		return strings.Contains(get(t, p.url+"/metrics"), "\n"+name+" ") && !strings.Contains(get(t, p.url+"/metrics"), "\n"+name+" 0\n")
	}
	until(t, "a compaction that fails", func() bool { return metric("prometheus_tsdb_compactions_failed_total") })
	seen := acks.Load()
	until(t, "writes after it", func() bool { return acks.Load() > seen+20 })
	if blocks := glob(t, dir, "data/01*/meta.json"); len(blocks) > 0 {
		t.Errorf("there was room for %v", blocks)
	}
	if err := unix.Mount("promwire", dir, "tmpfs", unix.MS_REMOUNT, "size=512m"); err != nil {
		t.Fatal(err)
	}
	until(t, "a block", func() bool { return len(glob(t, dir, "data/01*/meta.json")) > 0 })
	if code, _, err := p.end(syscall.SIGKILL); err != nil || code != -1 {
		t.Fatalf("killed: code %d, %v", code, err)
	}
	cancel()
	<-done
	if !bytes.Contains(p.err.Bytes(), []byte("no space left on device")) {
		t.Errorf("the log does not say why:\n%.3000s", p.err)
	}
	t.Logf("%d samples acknowledged, 0 missing", checkAcknowledged(t, startServe(t, dir, c.args()...), []*crashWriter{w}))
}
