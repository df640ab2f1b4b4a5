package scratch

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// nobody is the user of the image: no file gives it a name.
const nobody = 65532

// root is a folder with the program and /data, which belongs to nobody. Nothing else can be written.
type root struct{ dir string }

func newRoot(t *testing.T) *root {
	t.Helper()
	r := &root{t.TempDir()}
	in, err := os.Open(binary(t))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(filepath.Join(r.dir, "promwire"), os.O_CREATE|os.O_WRONLY, 0o555)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(out, in)
	data := filepath.Join(r.dir, "data")
	if err := errors.Join(err, out.Close(), os.Mkdir(data, 0o700), os.Chmod(r.dir, 0o555)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(r.dir, 0o755) })
	if err := os.Chown(data, nobody, nobody); err != nil {
		skip(t, err)
	}
	return r
}

// binary is the program that scripts/static has built.
func binary(t *testing.T) string {
	t.Helper()
	path := os.Getenv("PROMWIRE_STATIC")
	if path == "" {
		t.Skip("make static builds a static binary and runs this test with it")
	}
	return path
}

// skip is for who may not change the root. Where the gate runs, root can't fail for any other reason.
func skip(t *testing.T, err error) {
	t.Helper()
	if os.Geteuid() == 0 && !errors.Is(err, syscall.EPERM) {
		t.Fatal(err)
	}
	t.Skipf("NOT RUN: changing the root needs a privilege that is not given here: %v", err)
}

// command runs the program in the root. It has no environment but env.
func (r *root) command(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/promwire", args...)
	cmd.Dir, cmd.Env = "/", append([]string{}, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: r.dir, Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return cmd
}

// run demands an exit code and a text.
func (r *root) run(t *testing.T, code int, want string, env []string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := r.command(ctx, env, args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if got := exitCode(exit); got != code || !strings.Contains(string(out), want) {
		t.Errorf("promwire %s: code %d, %s\nwant %d and %q", strings.Join(args, " "), got, out, code, want)
	}
}

func exitCode(exit *exec.ExitError) int {
	if exit == nil {
		return 0
	}
	return exit.ExitCode()
}

// served is a server in the root.
type served struct {
	cmd *exec.Cmd
	url string
	log *bytes.Buffer
}

// serve starts a server and returns it when it is ready.
func (r *root) serve(t *testing.T, args ...string) *served {
	t.Helper()
	s := &served{cmd: r.command(context.Background(), nil, append([]string{"serve", "--listen", "127.0.0.1:0", "--data", "/data"}, args...)...), log: &bytes.Buffer{}}
	s.cmd.Stderr = s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); errors.Is(err, syscall.EPERM) {
		skip(t, err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill() // it may have ended
		_ = s.cmd.Wait()
	})
	url := regexp.MustCompile(`page +(\S+)/$`)
	for lines := bufio.NewScanner(out); s.url == "" && lines.Scan(); {
		if m := url.FindStringSubmatch(lines.Text()); m != nil {
			s.url = m[1]
		}
	}
	if s.url == "" {
		t.Fatalf("it ended: %v\n%s", s.cmd.Wait(), s.log)
	}
	go io.Copy(io.Discard, out)
	return s
}

// end demands that the server ends as it should.
func (s *served) end(t *testing.T) {
	t.Helper()
	if err := errors.Join(s.cmd.Process.Signal(syscall.SIGTERM), s.cmd.Wait()); err != nil {
		t.Errorf("%v\n%s", err, s.log)
	}
}
