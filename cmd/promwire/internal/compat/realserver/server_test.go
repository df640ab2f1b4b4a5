package realserver

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait for a server. It is long, since machines that run tests are busy.
const patience = time.Minute

// instance is a running Prometheus.
type instance struct {
	program
	url    string // without a slash at the end
	log    *serverLog
	cmd    *exec.Cmd
	exited chan struct{} // closed when the process has ended
}

func (s *instance) writeURL() string { return s.url + "/api/v1/write" }
func (s *instance) readURL() string  { return s.url + "/api/v1/read" }

// serverLog keeps what a server prints.
type serverLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *serverLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *serverLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// complaints returns what is not mere information.
func (l *serverLog) complaints() string {
	var out strings.Builder
	for line := range strings.Lines(l.String()) {
		if !strings.Contains(strings.ToLower(line), "level=info") {
			out.WriteString(line)
		}
	}
	return out.String()
}

// start runs a server with this configuration on a free port until the test ends.
func start(t *testing.T, p program, config string, flags ...string) *instance {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o666); err != nil {
		t.Fatal(err)
	}
	args := append([]string{
		"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "data"),
		"--web.listen-address=127.0.0.1:0", "--web.enable-remote-write-receiver", "--storage.remote.flush-deadline=1s",
		"--scrape.discovery-reload-interval=50ms", // of a few seconds otherwise, before the first scrape
	}, flags...)
	s := &instance{program: p, log: &serverLog{}, cmd: exec.Command(p.path, args...), exited: make(chan struct{})}
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = dir, s.log, s.log
	leaveNoOrphan(s.cmd)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = s.cmd.Wait() // a server that ends early fails the wait for it
		close(s.exited)
	}()
	t.Cleanup(func() { s.stop(t) })
	s.await(t)
	return s
}

// listening is how a server says which port it has got.
var listening = regexp.MustCompile(`msg="Listening on".* address=(127\.0\.0\.1:[0-9]+)`)

// await waits until the server is ready.
func (s *instance) await(t *testing.T) {
	t.Helper()
	waitFor(t, "server to be ready", func() bool {
		select {
		case <-s.exited:
			t.Fatalf("the server has ended:\n%s", s.log)
		default:
		}
		m := listening.FindStringSubmatch(s.log.String())
		if m == nil {
			return false
		}
		s.url = "http://" + m[1]
		resp, err := http.Get(s.url + "/-/ready")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// stop ends the process, and shows what it printed if the test has failed.
func (s *instance) stop(t *testing.T) {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-s.exited:
	case <-time.After(patience):
		t.Errorf("the server does not end")
		_ = s.cmd.Process.Kill()
		<-s.exited
	}
	if t.Failed() {
		t.Logf("prometheus %s: %v\n%s", s.version, s.cmd.Args[1:], s.log.complaints())
	}
}

// waitFor asks again and again until the answer is yes.
func waitFor(t *testing.T, what string, ready func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for !ready() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("no %s within %v", what, patience)
		}
	}
}
