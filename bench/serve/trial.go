//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/promwire/promwire/bench/process"
)

// trial is a run of a system on a folder of its own.
type trial struct {
	sys     *system
	dir     string
	url     string
	running *process.Process
	ended   bool
	outcome outcome
}

// outcome is what a run came to.
type outcome struct {
	cpu    float64 // µs a sample
	memory float64 // the most that was resident, in bytes
	series float64 // how many it has
	disk   float64 // bytes
	rate   float64 // samples a second, while requests run
	// The latency of the queries in milliseconds, 0 if there were none: median and 95th percentile of all of them.
	median, p95 float64
}

func (o *outcome) String() string {
	return fmt.Sprintf("%6.3f µs CPU a sample, %5.0f MiB, %6.1f MiB on disk, %8.0f samples/s, queries %.2f ms, %.2f ms",
		o.cpu, o.memory/(1<<20), o.disk/(1<<20), o.rate, o.median, o.p95)
}

// begin starts a system.
func begin(ctx context.Context, sys *system) (*trial, error) {
	dir, err := os.MkdirTemp("", "serve-bench-")
	if err != nil {
		return nil, err
	}
	address, err := process.FreeAddress(ctx)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "config.yml"), []byte(sys.config), 0o600)
	}
	t := &trial{sys: sys, dir: dir, url: "http://" + address}
	if err == nil {
		t.running, err = process.Start(ctx, dir, t.url+sys.ready, sys.args(address))
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return t, nil
}

// feed sends the load, reads what it cost, and reads the data back.
func (t *trial) feed(ctx context.Context, l *load) error {
	var before time.Duration
	sent, took, err := l.send(ctx, t.url+"/api/v1/write", func() (err error) {
		before, err = t.running.CPU()
		return err
	})
	if err != nil {
		return err
	}
	if t.sys.flush != "" {
		if _, err := t.get(ctx, t.sys.flush); err != nil {
			return err
		}
	}
	after, err := t.rest(ctx)
	if err != nil {
		return err
	}
	most, err := t.running.Memory()
	if err != nil {
		return err
	}
	n := l.measured()
	t.outcome = outcome{cpu: float64(after-before) / 1e3 / n, memory: float64(most), series: float64(len(l.series)), rate: n / took.Seconds()}
	return t.compare(ctx, l, sent)
}

// rest waits until the process does next to nothing any more, and returns its CPU time.
func (t *trial) rest(ctx context.Context) (time.Duration, error) {
	const every, idle, patience = 500 * time.Millisecond, 10 * time.Millisecond, 5 * time.Minute
	last, err := t.running.CPU()
	for end := time.Now().Add(patience); err == nil && time.Now().Before(end); {
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		before := last
		if last, err = t.running.CPU(); last-before < idle {
			break
		}
	}
	return last, err
}

// end stops the process, measures what it leaves on disk, and removes it. A second call does nothing.
func (t *trial) end() error {
	if t.ended {
		return nil
	}
	t.ended = true
	t.running.Stop()
	size, err := sizeOf(filepath.Join(t.dir, "data"))
	t.outcome.disk = float64(size)
	return errors.Join(err, os.RemoveAll(t.dir))
}

// sizeOf returns the bytes of all files below dir, but for Prometheus' list of running queries, which always has the
// same size.
func sizeOf(dir string) (sum int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || e.Name() == "queries.active" {
			return err
		}
		info, err := e.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}

// get returns the answer to a GET of a path.
func (t *trial) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.url+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.500s", path, resp.Status, body)
	}
	return body, err
}
