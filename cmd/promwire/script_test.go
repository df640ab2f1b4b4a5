package main

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain puts the program into PATH, so that tests run it in a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"promwire": func() { os.Exit(run()) }})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Values[serverKey{}] = new(*process)
			env.Setenv("TMPDIR", filepath.Join(env.WorkDir, "tmp"))
			return os.MkdirAll(filepath.Join(env.WorkDir, "tmp"), 0o777)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits, "server": server, "endserver": endServer, "takeport": takePort, "emptydir": emptyDir,
		},
	})
}

// serverKey is where a script's server is kept.
type serverKey struct{}

// exits runs a program and demands an exit code: exits CODE PROGRAM ARG...
func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// server starts a promwire that serves, and sets URL, WRITE and READ: server COMMAND ARG...
func server(ts *testscript.TestScript, _ bool, args []string) {
	p, err := start(ts.MkAbs("."), []string{"TMPDIR=" + ts.Getenv("TMPDIR")}, append([]string{"promwire"}, args...)...)
	ts.Check(err)
	ts.Defer(p.kill)
	ts.Setenv("URL", p.url)
	ts.Setenv("ADDR", strings.TrimPrefix(p.url, "http://"))
	ts.Setenv("WRITE", p.write)
	ts.Setenv("READ", p.read)
	*ts.Value(serverKey{}).(**process) = p
}

// endServer sends SIGTERM (or with an argument SIGINT) to the server, demands exit code 0, and prints what it said.
func endServer(ts *testscript.TestScript, _ bool, args []string) {
	signal := syscall.SIGTERM
	if len(args) > 0 {
		signal = syscall.SIGINT
	}
	p := *ts.Value(serverKey{}).(**process)
	code, out, err := p.end(signal)
	ts.Check(err)
	ts.Logf("server: %s\n%s", out, p.err)
	if code != 0 {
		ts.Fatalf("the server ended with code %d", code)
	}
}

// takePort listens on a port for the time of the script, and sets TAKEN to its address.
func takePort(ts *testscript.TestScript, _ bool, _ []string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = ln.Close() })
	ts.Setenv("TAKEN", ln.Addr().String())
}

// emptyDir demands that a folder holds nothing: emptydir DIR
func emptyDir(ts *testscript.TestScript, _ bool, args []string) {
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	for _, e := range entries {
		ts.Fatalf("%s holds %s", args[0], e.Name())
	}
}
