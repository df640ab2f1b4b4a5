package main

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestCrash kills the process with SIGKILL while it takes writes, while it starts, and while it makes blocks of what it
// has, again and again: whatever it acknowledged must be there after the restart. PROMWIRE_CRASH_ROUNDS sets the number
// of rounds.
func TestCrash(t *testing.T) {
	rounds := 8
	if n, err := strconv.Atoi(os.Getenv("PROMWIRE_CRASH_ROUNDS")); err == nil {
		rounds = n
	}
	// Some 100 requests a round bring the data two hours ahead, so that there is a block to make in each of them.
	c := &crasher{dir: t.TempDir(), writers: make([]*crashWriter, 4), startTime: time.Second, seen: map[string]bool{}}
	clock := newDataClock(time.Duration(rounds+20)*24*time.Hour, 72*time.Second)
	for i := range c.writers {
		c.writers[i] = &crashWriter{id: i, clock: clock}
	}
	for round := range rounds {
		if round%3 == 1 {
			c.killStarting(t)
		}
		c.round(t, round)
		if t.Failed() {
			t.Fatalf("round %d failed", round)
		}
	}
	p := c.start(t)
	if rounds >= 8 { // there is something to make one of; in the rounds, each of them may have been cut off
		c.writers[0].writeOnce(t, p)
		until(t, "a block", func() bool { return len(glob(t, c.dir, "data/01*/meta.json")) > 0 })
	}
	n := checkAcknowledged(t, p, c.writers)
	blocks := 0
	if rounds >= 8 { // it may have been killed before any was whole
		if _, err := writeOne(t, p.write, c.writers[0].request(c.writers[0].acked)); err != nil {
			t.Error(err)
		}
		until(t, "a block", func() bool {
			blocks = len(glob(t, c.dir, "data/01*/meta.json"))
			return blocks > 0
		})
	}
	if code, _, err := p.end(syscall.SIGTERM); err != nil || code != 0 {
		t.Errorf("code %d, %v: %s", code, err, p.err)
	}
	t.Logf("%d kills under load, %d while starting, %d of them while a block or a checkpoint was made; %d blocks; %d samples acknowledged, 0 missing",
		c.kills, c.killsStarting, c.killsCompacting, blocks, n)
}

// crasher kills a server again and again.
type crasher struct {
	dir       string
	writers   []*crashWriter
	startTime time.Duration // of the last start
	checked   [2]int        // the requests before the last round, and before the one before that

	kills, killsStarting, killsCompacting int
	seen                                  map[string]bool // what was left half made
}

func startServe(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	p, err := start(dir, nil, append([]string{"promwire", "serve", "--listen", "127.0.0.1:0", "--data", "data", "--min-free-disk", "0"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

func (c *crasher) args() []string {
	return []string{"--retention.time", "0", "--out-of-order-window", "12h"} // a writer that waits must not fall out of it while others go on
}

func (c *crasher) start(t *testing.T) *process {
	t.Helper()
	began := time.Now()
	p := startServe(t, c.dir, c.args()...)
	c.startTime = time.Since(began)
	return p
}

// killStarting kills processes that start, and replay their logs.
func (c *crasher) killStarting(t *testing.T) {
	t.Helper()
	for range 1 + rand.IntN(3) {
		cmd := exec.Command("promwire", append([]string{"serve", "--listen", "127.0.0.1:0", "--data", "data", "--min-free-disk", "0"}, c.args()...)...)
		cmd.Dir = c.dir
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.Int64N(int64(c.startTime))))
		if err := cmd.Process.Kill(); err != nil {
			t.Fatalf("it ended while it started: %v", err)
		}
		_ = cmd.Wait() // says that it was killed
		c.killsStarting++
		c.look(t)
	}
}

// round checks what was acknowledged before, and kills the process after some more.
func (c *crasher) round(t *testing.T, round int) {
	t.Helper()
	p := c.start(t)
	from := c.checked[1]
	if round%50 == 49 {
		from = 0
	}
	checkFrom(t, p, c.writers, from)
	c.checked = [2]int{c.fewest(), c.checked[0]}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	kill := sync.OnceFunc(func() {
		if code, _, err := p.end(syscall.SIGKILL); err != nil || code != -1 {
			t.Errorf("killed: code %d, %v", code, err)
		}
		cancel()
	})
	// At an acknowledgement, or at any other time.
	killAt := 1 + rand.Int64N(250)
	if round%2 == 0 {
		killAt = 1 << 40
		time.AfterFunc(time.Duration(1+rand.Int64N(400))*time.Millisecond, kill)
	}
	var acks atomic.Int64
	var wg sync.WaitGroup
	for _, w := range c.writers {
		wg.Go(func() {
			w.run(ctx, t, p.write, func() {
				if acks.Add(1) == killAt {
					kill()
				}
			})
		})
	}
	wg.Wait()
	kill()
	c.kills++
	c.look(t)
}

// fewest returns how many requests each writer has had acknowledged at least.
func (c *crasher) fewest() int {
	n := c.writers[0].acked
	for _, w := range c.writers {
		n = min(n, w.acked)
	}
	return n
}

// look counts kills that left a block or a checkpoint half made.
func (c *crasher) look(t *testing.T) {
	t.Helper()
	before := len(c.seen)
	for _, path := range append(glob(t, c.dir, "data/*.tmp-for-*"), glob(t, c.dir, "data/wal/checkpoint.*.tmp")...) {
		c.seen[path] = true
	}
	if len(c.seen) > before {
		c.killsCompacting++
	}
}

func glob(t *testing.T, dir, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return found
}
