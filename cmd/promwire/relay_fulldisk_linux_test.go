package main

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
)

// TestRelayFullDisk fills the disk under the spool of a relay whose target is away: senders are told to come again, the
// log says why, and writing goes on, without a restart, as soon as there is room, whether somebody has made it or what
// was spooled has been forwarded. A kill while the disk is full, and a start on it, lose nothing that was acknowledged.
func TestRelayFullDisk(t *testing.T) {
	t.Run("file system", func(t *testing.T) {
		dir := t.TempDir()
		mountSmall(t, dir, "1536k")
		ballast := filepath.Join(dir, "ballast")
		if err := os.WriteFile(ballast, make([]byte, 512<<10), 0o600); err != nil {
			t.Fatal(err)
		}
		d := newFullDisk(t, filepath.Join(dir, "spool"), "no space left on device")
		d.makeRoom = func() {
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
		}
		d.run(t)
	})
	t.Run("size of files", func(t *testing.T) {
		limit := uint64(1 << 20)
		d := newFullDisk(t, filepath.Join(t.TempDir(), "spool"), "file too large")
		d.confine = func() { setFileLimit(t, d.relay, limit) }
		d.makeRoom = func() {
			limit += limit / 2
			d.confine()
		}
		d.run(t)
	})
}

// mountSmall mounts a disk of this size for the time of the test. Without the right to do so it skips the test; some sandboxes don't let root have it either.
// Where the gate runs, root can't fail for any other reason.
func mountSmall(t *testing.T, dir, size string) {
	t.Helper()
	err := unix.Mount("promwire", dir, "tmpfs", 0, "size="+size)
	switch {
	case err == nil:
		t.Cleanup(func() {
			if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
				t.Error(err)
			}
		})
	case os.Getenv("PROMWIRE_REQUIRE_SERVERS") != "" && os.Geteuid() == 0 && !errors.Is(err, unix.EPERM):
		t.Fatalf("no small disk to fill: %v", err)
	default:
		t.Skipf("no small disk to fill, mounting one needs root: %v", err)
	}
}

type fullDisk struct {
	confine, makeRoom func() // bound what the relay can write, and widen that bound

	receiver *promwiretest.Receiver
	args     []string
	reason   string // that the system gives
	relay    *process
	writer   diskWriter
}

func newFullDisk(t *testing.T, spool, reason string) *fullDisk {
	t.Helper()
	r := promwiretest.NewReceiver(promwiretest.WithoutRequestData())
	t.Cleanup(r.Close)
	r.Stop()
	return &fullDisk{
		confine: func() {}, receiver: r, reason: reason, args: []string{"--spool", spool, "--write", r.URL},
		writer: diskWriter{stored: map[string]bool{}, time: 1},
	}
}

func (d *fullDisk) start(t *testing.T) {
	t.Helper()
	d.relay = startRelay(t, d.args...)
	d.confine()
	client, err := remote.NewWriteClient(d.relay.write, remote.WithoutRetry())
	if err != nil {
		t.Fatal(err)
	}
	d.writer.client = client
}

func (d *fullDisk) run(t *testing.T) {
	d.start(t)
	d.fill(t)
	d.makeRoom()
	d.goOn(t)
	d.fill(t)
	if _, _, err := d.relay.end(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	d.checkLog(t)
	d.start(t)
	d.fill(t)
	if err := d.receiver.Start(); err != nil {
		t.Fatal(err)
	}
	d.goOn(t) // though the bound is what it was: what is forwarded makes room
	d.checkArrival(t)
	if code, _, err := d.relay.end(syscall.SIGTERM); code != 0 || err != nil {
		t.Errorf("code %d, %v", code, err)
	}
	d.checkLog(t)
	t.Logf("%d samples acknowledged, all there: %v", len(d.writer.stored), !t.Failed())
}

// fill writes until nothing fits any more, and some more after that.
func (d *fullDisk) fill(t *testing.T) {
	t.Helper()
	w := &d.writer
	for w.err = nil; w.err == nil && w.requests < 10_000; {
		w.write(t, w.requests)
	}
	refused := 0
	for range 30 {
		if w.err != nil {
			refused++
			d.checkAnswer(t, w.err)
		}
		w.write(t, w.requests) // a smaller one may still fit
	}
	if refused < 15 {
		t.Errorf("a full disk refused %d of 30 requests", refused)
	}
	if text := get(t, d.relay.url+"/metrics"); strings.Contains(text, "promwire_relay_refused_requests_total 0\n") {
		t.Error("refused requests are not counted")
	}
}

// checkAnswer demands that a sender is told to try again, when, and why.
func (d *fullDisk) checkAnswer(t *testing.T, err error) {
	t.Helper()
	var answer *promwire.HTTPError
	if !errors.As(err, &answer) || answer.StatusCode != http.StatusServiceUnavailable || answer.RetryAfter <= 0 ||
		!strings.Contains(answer.Body, d.reason) {
		t.Fatalf("want 503 with a pause and a reason, got %v", err)
	}
}

// goOn demands that requests are taken again.
func (d *fullDisk) goOn(t *testing.T) {
	t.Helper()
	w := &d.writer
	want := w.requests + 8
	until(t, "acknowledgement after there was room", func() bool {
		w.write(t, w.requests)
		return w.requests >= want
	})
}

func (d *fullDisk) checkArrival(t *testing.T) {
	t.Helper()
	until(t, "all that was acknowledged", func() bool { return len(d.receiver.Series()) >= len(d.writer.stored) })
	got := map[string]bool{}
	for _, ls := range d.receiver.Series() {
		got[ls.String()] = true
	}
	for series := range d.writer.stored {
		if !got[series] {
			t.Errorf("%.60s... was acknowledged, and did not arrive", series)
		}
	}
}

// checkLog looks for what the log says of a full disk and of its end, which is not much however many requests came.
func (d *fullDisk) checkLog(t *testing.T) {
	t.Helper()
	log := d.relay.err.String()
	for _, want := range []string{"the spool takes no requests, senders are told to come again", d.reason, "the spool takes requests again"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %q:\n%.5000s", want, log)
		}
	}
	if n := strings.Count(log, "\n"); n > 100 {
		t.Errorf("the log has %d lines:\n%.5000s", n, log)
	}
}
