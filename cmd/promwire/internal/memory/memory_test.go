package memory

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/promwire/promwire"
)

// fake is a guard whose memory is what a test says; nothing looks but the test.
func fake(limit int64) (*Guard, *usage) {
	u := &usage{}
	g := NewGuard(limit)
	g.usage, g.watching = func() usage { return *u }, true
	return g, u
}

func TestOldestEndsFirst(t *testing.T) {
	g, u := fake(1000)
	now := time.Now()
	var all [3]context.Context
	for i := range all {
		ctx, done := g.Begin(t.Context())
		defer done()
		var cancel context.CancelFunc
		all[i], cancel = context.WithTimeout(ctx, time.Hour)
		defer cancel()
	}
	ended := func(want ...bool) {
		t.Helper()
		for i, ctx := range all {
			if want[i] {
				<-ctx.Done()
				if err := ctx.Err(); !errors.Is(err, ErrShort) || !errors.Is(err, promwire.ErrUnavailable) {
					t.Errorf("%d ended with %v", i, err)
				}
			} else if err := ctx.Err(); err != nil {
				t.Errorf("%d ended: %v", i, err)
			}
		}
	}
	u.bytes, u.live = 1000, 800
	g.look(now)
	ended(false, false, false)
	u.live = 801
	g.look(now)
	ended(true, false, false)
	g.look(now.Add(time.Millisecond)) // the collector had no time
	ended(true, false, false)
	u.collections++
	g.look(now.Add(2 * time.Millisecond))
	ended(true, true, false)
	u.bytes = 1126
	g.look(now.Add(3 * time.Millisecond))
	ended(true, true, true)
}

func TestPatience(t *testing.T) {
	g, u := fake(1000)
	first, done := g.Begin(t.Context())
	defer done()
	second, done2 := g.Begin(t.Context())
	defer done2()
	u.bytes = 1001
	g.look(time.Now())
	<-first.Done()
	g.look(time.Now().Add(patience))
	<-second.Done()
}

// TestEnd demands that the reasons of others stay, and that nothing is watched that is done.
func TestEnd(t *testing.T) {
	g, _ := fake(1000)
	parent, cancel := context.WithCancel(t.Context())
	ctx, done := g.Begin(parent)
	cancel()
	<-ctx.Done()
	if err := ctx.Err(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if !g.look(time.Now()) {
		t.Error("what runs is not watched")
	}
	done()
	done()
	if g.look(time.Now()) {
		t.Error("nothing runs, and is watched")
	}
	late, end := context.WithTimeout(t.Context(), time.Nanosecond)
	defer end()
	ctx, done = g.Begin(late)
	defer done()
	<-ctx.Done()
	if err := ctx.Err(); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestReserve(t *testing.T) {
	g, u := fake(100 << 20)
	u.bytes = 50 << 20
	release, err := g.Reserve(t.Context(), 30<<20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Reserve(t.Context(), 30<<20); !errors.Is(err, ErrShort) {
		t.Errorf("110 of 100 MiB: %v", err)
	}
	if _, err := g.Reserve(t.Context(), 1<<20); err != nil {
		t.Error(err)
	}
	release()
	release()
	if _, err := g.Reserve(t.Context(), 30<<20); err != nil {
		t.Error(err)
	}
}

func TestNoLimit(t *testing.T) {
	g := NewGuard(0)
	ctx, done := g.Begin(t.Context())
	defer done()
	if ctx != t.Context() {
		t.Error("a context is watched without a limit")
	}
	if _, err := g.Reserve(t.Context(), math.MaxInt64); err != nil {
		t.Error(err)
	}
}

// TestReserveEnds demands that work for which there is no memory is ended.
func TestReserveEnds(t *testing.T) {
	g := NewGuard(100 << 20)
	g.usage = func() usage { return usage{bytes: 90 << 20} }
	ctx, done := g.Begin(t.Context())
	defer done()
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	if _, err := g.Reserve(inner, 30<<20); !errors.Is(err, ErrShort) {
		t.Error(err)
	}
	if !errors.Is(ctx.Err(), ErrShort) {
		t.Errorf("the work goes on: %v", ctx.Err())
	}
}

// TestReal ends work by what the runtime says.
func TestReal(t *testing.T) {
	g := NewGuard(int64(readUsage().bytes) + 64<<20)
	ctx, done := g.Begin(t.Context())
	defer done()
	var kept [][]byte
	for range 1000 {
		if ctx.Err() != nil {
			break
		}
		kept = append(kept, make([]byte, 1<<20))
		time.Sleep(time.Millisecond)
	}
	if !errors.Is(ctx.Err(), ErrShort) || len(kept) < 32 {
		t.Errorf("%v after %d MiB", ctx.Err(), len(kept))
	}
}

func TestLimit(t *testing.T) {
	for name, tt := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"unknown": {nil, 0},
		"machine": {map[string]string{"proc/meminfo": "MemFree: 1 kB\nMemTotal:     1000 kB\n"}, 819200},
		"cgroup 2": {map[string]string{
			"proc/meminfo": "MemTotal: 1000 kB\n", "proc/self/cgroup": "0::/system.slice/promwire.service\n",
			"sys/fs/cgroup/system.slice/promwire.service/memory.max": "max\n", "sys/fs/cgroup/system.slice/memory.max": "5000\n",
		}, 4000},
		"container": {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "5000\n"}, 4000},
		"cgroup 1": {map[string]string{
			"proc/self/cgroup": "3:cpu:/x\n2:memory:/a\n", "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "1000\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		}, 800},
		"odd": {map[string]string{"proc/meminfo": "MemTotal: many kB\n", "proc/self/cgroup": "0::/../..\nx\n", "sys/fs/cgroup/memory.max": "-1\n"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for file, text := range tt.files {
				file = filepath.Join(root, file)
				if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if got := limit(root); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
}
