package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// process is a promwire that serves, in a process of its own.
type process struct {
	cmd              *exec.Cmd
	url, write, read string
	out              chan string   // the rest of its standard output, once it has ended
	err              *bytes.Buffer // its standard error; to be read once it has ended
}

// start runs a command line in dir and waits until it prints where it serves.
func start(dir string, env []string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(args[0], args[1:]...), out: make(chan string, 1), err: &bytes.Buffer{}}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stderr = dir, append(os.Environ(), env...), p.err
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(stdout)
	for relay := args[1] == "relay"; (p.write == "" || p.read == "" && !relay) && lines.Scan(); {
		for _, word := range strings.Fields(lines.Text()) {
			switch word = strings.TrimRight(word, ":"); {
			case strings.HasSuffix(word, "/api/v1/write"):
				p.write = word
				p.url = strings.TrimSuffix(word, "/api/v1/write")
			case strings.HasSuffix(word, "/api/v1/read"):
				p.read = word
			}
		}
	}
	if p.write == "" {
		return nil, fmt.Errorf("%v ended (%v) before it served: %s", args, p.cmd.Wait(), p.err)
	}
	go func() {
		var rest strings.Builder
		for lines.Scan() {
			rest.WriteString(lines.Text() + "\n")
		}
		p.out <- rest.String()
	}()
	return p, nil
}

// end sends a signal and waits; it returns the exit code, -1 if the signal killed the process, and what it still printed.
func (p *process) end(signal os.Signal) (code int, out string, err error) {
	if err := p.cmd.Process.Signal(signal); err != nil {
		return 0, "", err
	}
	out = <-p.out
	var exit *exec.ExitError
	if err := p.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return 0, out, err
	}
	return p.cmd.ProcessState.ExitCode(), out, nil
}

// kill ends the process at once, if it still runs.
func (p *process) kill() {
	if p.cmd.ProcessState == nil {
		_, _, _ = p.end(syscall.SIGKILL) // it may have ended meanwhile
	}
}
