package proc

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Patience bounds every wait for a server. It is long, since machines that run tests are busy.
const Patience = time.Minute

// Process is a running server.
type Process struct {
	Program
	Log    *Log
	Args   []string
	Exited chan struct{} // closed when the process has ended
	cmd    *exec.Cmd
}

// Start runs a program in dir until the test ends. If the test fails, it shows what the server printed.
func Start(t testing.TB, p Program, dir string, args ...string) *Process {
	t.Helper()
	s := &Process{Program: p, Log: &Log{}, Args: args, Exited: make(chan struct{})}
	s.cmd = exec.CommandContext(context.Background(), p.Path, args...) // the cleanup ends it, in peace
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = dir, s.Log, s.Log
	leaveNoOrphan(s.cmd)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = s.cmd.Wait() // a server that ends early fails the wait for it
		close(s.Exited)
	}()
	t.Cleanup(func() {
		s.Stop(t)
		if t.Failed() {
			t.Logf("%s %s: %v\n%s", p.Name, p.Version, args, s.Log.complaints())
		}
	})
	return s
}

// Stop ends the process, if it still runs.
func (s *Process) Stop(t testing.TB) {
	t.Helper()
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-s.Exited:
	case <-time.After(Patience):
		t.Errorf("%s does not end", s.Name)
		_ = s.cmd.Process.Kill()
		<-s.Exited
	}
}

// Kill ends the process as a crash does.
func (s *Process) Kill() {
	_ = s.cmd.Process.Kill() // it may have ended by itself
	<-s.Exited
}

// Await waits until url, which may change meanwhile, answers 2xx; "" is not there yet. It fails the test if the process ends.
func (s *Process) Await(t testing.TB, url func() string) {
	t.Helper()
	WaitFor(t, s.Name+" to be ready", func() bool {
		select {
		case <-s.Exited:
			t.Fatalf("%s has ended:\n%s", s.Name, s.Log)
		default:
		}
		u := url()
		if u == "" {
			return false
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode/100 == 2
	})
}

// WaitFor asks again and again until the answer is yes.
func WaitFor(t testing.TB, what string, ready func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(Patience)
	for !ready() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("no %s within %v", what, Patience)
		}
	}
}

// given are the addresses that FreePorts has returned: a port is free again until its server listens.
var given sync.Map

// FreePorts returns addresses on 127.0.0.1 with ports that were free just now, no address twice.
func FreePorts(t testing.TB, n int) []string {
	t.Helper()
	var out []string
	for len(out) < n {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if _, known := given.LoadOrStore(l.Addr().String(), true); !known {
			out = append(out, l.Addr().String())
		}
	}
	return out
}

// Log keeps what a server prints.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// complaints returns the end of what is not mere information.
func (l *Log) complaints() string {
	var out bytes.Buffer
	for line := range bytes.Lines([]byte(l.String())) {
		if lower := bytes.ToLower(line); !bytes.Contains(lower, []byte("level=info")) && !bytes.Contains(lower, []byte("\tinfo\t")) {
			out.Write(line)
		}
	}
	const most = 8000
	return string(out.Bytes()[max(0, out.Len()-most):])
}
