//go:build linux

// Package process runs programs that are measured as they are: what they cost in CPU time and memory, and whether what
// they did with samples is what was sent.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// Process is a program that runs.
type Process struct {
	// Log is what it has written, to be read once it has ended.
	Log bytes.Buffer

	cmd  *exec.Cmd
	done chan struct{}
}

// Start runs a program in dir until it answers ready, a URL, with 200.
func Start(ctx context.Context, dir, ready string, args []string) (*Process, error) {
	p := &Process{cmd: exec.CommandContext(context.WithoutCancel(ctx), args[0], args[1:]...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, &p.Log, &p.Log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }() // how it ends shows in what it delivers
	end := time.After(time.Minute)
	for !answers(ctx, ready) {
		select {
		case <-time.After(20 * time.Millisecond):
			continue
		case <-p.done:
			return nil, fmt.Errorf("%v ended: %s", args, &p.Log)
		case <-end:
		case <-ctx.Done():
		}
		p.Stop()
		return nil, fmt.Errorf("%v does not get ready: %s", args, &p.Log)
	}
	return p, nil
}

func answers(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// Stop ends the process, gently if it can.
func (p *Process) Stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// CPU returns the CPU time that all threads of the process have taken: its CPU clock, as in clock_getcpuclockid(3).
// /proc/PID/stat has the same in ticks of 10 ms.
func (p *Process) CPU() (time.Duration, error) {
	const sched = 2
	var t syscall.Timespec
	clock := uintptr(^p.cmd.Process.Pid<<3 | sched)
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		return 0, fmt.Errorf("CPU clock of process %d: %w", p.cmd.Process.Pid, errno)
	}
	return time.Duration(t.Nano()), nil
}

// Memory returns the most that was ever resident (VmHWM), in bytes.
func (p *Process) Memory() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("no VmHWM")
}

// FreeAddress returns an address on which nothing listened just now.
func FreeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
