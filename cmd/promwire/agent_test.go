package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
)

// agentProcess is a promwire agent in a process of its own.
type agentProcess struct {
	cmd *exec.Cmd

	mu  sync.Mutex
	log bytes.Buffer
}

func (p *agentProcess) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(b)
}

func (p *agentProcess) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

func startAgent(t *testing.T, args ...string) *agentProcess {
	t.Helper()
	p := &agentProcess{cmd: exec.Command("promwire", append([]string{"agent"}, args...)...)}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
		if t.Failed() {
			t.Logf("agent %v:\n%.10000s", args, p.text())
		}
	})
	return p
}

// end sends a signal, and demands exit code 0 within a time.
func (p *agentProcess) end(t *testing.T, signal os.Signal, within time.Duration) {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatalf("the agent has ended before: %v", err)
	}
	late := time.AfterFunc(within, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the end: %v", err)
	}
}

// until waits for a condition.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	within(t, time.Minute, what, condition)
}

// within waits for a condition, for so long.
func within(t *testing.T, limit time.Duration, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	end := time.After(limit)
	for !condition() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("no %s within %v", what, limit)
		}
	}
}

// exposes serves a text.
func exposes(t *testing.T, text string) (url, instance string, scrapes *atomic.Int64) {
	t.Helper()
	scrapes = new(atomic.Int64)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		scrapes.Add(1)
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/metrics", strings.TrimPrefix(srv.URL, "http://"), scrapes
}

func TestAgentPushes(t *testing.T) {
	for _, more := range [][]string{nil, {"--spool"}} {
		for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
			t.Run(fmt.Sprint(signal, more), func(t *testing.T) {
				if more != nil {
					more = append(more[:1:1], filepath.Join(t.TempDir(), "spool"))
				}
				agentPushes(t, signal, more...)
			})
		}
	}
}

func agentPushes(t *testing.T, signal os.Signal, more ...string) {
	r := promwiretest.NewReceiver()
	defer r.Close()
	url, instance, scrapes := exposes(t, "# TYPE a counter\n# HELP a Help.\na{x=\"1\"} 5\nbad{ line\n")
	// The deadline is longer than the test: what is written is written at the end, as one request. The interval is also the
	// time that a scrape may take: a busy machine needs some.
	args := []string{"--scrape", url, "--write", r.URL, "--interval", "1s", "--job", "j", "--label", "site=b", "--batch-deadline", "1h"}
	p := startAgent(t, append(args, more...)...)
	until(t, "third scrape", func() bool { return scrapes.Load() >= 3 })
	p.end(t, signal, 30*time.Second)
	ls := promwire.LabelsFromStrings("__name__", "a", "instance", instance, "job", "j", "site", "b", "x", "1")
	samples := r.Samples(ls)
	if len(samples) < 2 || len(r.Requests()) != 1 {
		t.Errorf("%d samples of %d scrapes in %d requests", len(samples), scrapes.Load(), len(r.Requests()))
	}
	for i, s := range samples {
		if s.Value != 5 || i > 0 && s.Timestamp <= samples[i-1].Timestamp {
			t.Errorf("sample %d: %+v", i, s)
		}
	}
	up := promwire.LabelsFromStrings("__name__", "up", "instance", instance, "job", "j", "site", "b")
	if got := r.Samples(up); len(got) != len(samples) || got[0].Value != 1 {
		t.Errorf("up: %v", got)
	}
	log := p.text()
	for _, want := range []string{"line=4", "agent has ended", "targets_up=0", "samples_pending=0", fmt.Sprintf("samples_sent=%d", 6*len(samples))} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %s", want)
		}
	}
}

// Whatever a write endpoint does, the agent stays up, and the others get everything.
func TestAgentStaysUp(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	big := strings.Repeat("too bad ", 1<<17)
	odd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/999":
			w.WriteHeader(999)
			_, _ = io.WriteString(w, "what is this?")
		case "/big":
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, big)
		case "/big500":
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, big)
		}
	}))
	defer odd.Close()
	hangs := promwiretest.NewReceiver()
	defer hangs.Close()
	hangs.SetScript(promwiretest.Always(promwiretest.Hang(30 * time.Second)))
	good := promwiretest.NewReceiver()
	defer good.Close()
	url, _, _ := exposes(t, "a 1\n")
	p := startAgent(t, "--scrape", url, "--interval", "50ms", "--batch-deadline", "0", "--shutdown-timeout", "500ms",
		"--write", "http://"+closed.Addr().String()+"/refused", "--write", "http://nowhere.invalid/write", "--write", "foo://host/write",
		"--write", odd.URL+"/999", "--write", odd.URL+"/big", "--write", odd.URL+"/big500", "--write", hangs.URL, "--write", good.URL)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := good.WaitFor(ctx, func() bool { return len(good.Requests()) >= 30 }); err != nil {
		t.Error(err)
	}
	p.end(t, syscall.SIGTERM, 20*time.Second)
	log := p.text()
	for _, want := range []string{
		"connection refused", "nowhere.invalid", "foo://host/write", "status=999", `answer="what is this?"`, "status=400", "server answered 500",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %q", want)
		}
	}
	refused := regexp.MustCompile(`samples_refused=([0-9]+)`).FindStringSubmatch(log)
	if refused == nil || refused[1] == "0" {
		t.Errorf("nothing is counted as refused")
	}
	if len(log) > 200<<10 {
		t.Errorf("the log has %d bytes", len(log))
	}
}

func TestAgentConfig(t *testing.T) {
	r := promwiretest.NewReceiver()
	defer r.Close()
	_, static, _ := exposes(t, "a 1\ndropped 1\n")
	_, moving, _ := exposes(t, "b 1\n")
	dir := t.TempDir()
	list := filepath.Join(dir, "targets.json")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path+".new", []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	write(list, `[{"targets": ["`+moving+`"], "labels": {"zone": "z"}}]`)
	config := filepath.Join(dir, "agent.yml")
	write(config, `
global: {scrape_interval: 1s, scrape_timeout: 1s, external_labels: {site: s}}
scrape_configs:
  - job_name: static
    static_configs: [{targets: ['`+static+`']}]
    metric_relabel_configs: [{source_labels: [__name__], regex: dropped, action: drop}]
  - job_name: files
    file_sd_configs: [{files: ['targets*.json']}]
    relabel_configs: [{source_labels: [zone], target_label: region}]
remote_write:
  - url: `+r.URL+`
    write_relabel_configs: [{regex: zone, action: labeldrop}]
`)
	p := startAgent(t, "--config", config, "--batch-deadline", "20ms", "--listen", "127.0.0.1:0")
	a := promwire.LabelsFromStrings("__name__", "a", "instance", static, "job", "static", "site", "s")
	b := promwire.LabelsFromStrings("__name__", "b", "instance", moving, "job", "files", "region", "z", "site", "s")
	until(t, "sample of both targets", func() bool { return len(r.Samples(a)) > 0 && len(r.Samples(b)) > 0 })
	for _, ls := range r.Series() {
		if ls.Get("__name__") == "dropped" {
			t.Errorf("%s was written", ls)
		}
	}
	write(list, "[]")
	until(t, "stale marker of a target that vanished", func() bool {
		s := r.Samples(b)
		return promwire.IsStaleNaN(s[len(s)-1].Value)
	})
	url := regexp.MustCompile(`msg=listening url=(\S+)`).FindStringSubmatch(p.text())
	if url == nil {
		t.Fatal("no address in the log")
	}
	for path, want := range map[string]string{
		"/metrics": "promwire_agent_targets_up 1\n", "/-/healthy": "healthy", "/-/ready": "ready",
	} {
		resp, err := http.Get(url[1] + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: %d %s", path, resp.StatusCode, body)
		}
	}
	checkRebound(t, url[1], "/metrics")
	p.end(t, syscall.SIGTERM, 30*time.Second)
	if s := r.Samples(a); promwire.IsStaleNaN(s[len(s)-1].Value) {
		t.Error("the end of the agent marked a series as stale")
	}
}

// With a spool, what was scraped while nothing could be written survives a kill, and is written by the next run.
func TestAgentSpool(t *testing.T) {
	r := promwiretest.NewReceiver()
	defer r.Close()
	r.Stop()
	url, instance, scrapes := exposes(t, "a 1\n")
	dir := filepath.Join(t.TempDir(), "spool")
	args := []string{
		"--scrape", url, "--write", r.URL, "--write", "foo://nowhere/", "--write", "http://127.0.0.1:9/dead",
		"--interval", "50ms", "--batch-deadline", "10ms", "--spool", dir, "--listen", "127.0.0.1:0", "--shutdown-timeout", "1s",
	}
	p := startAgent(t, args...)
	until(t, "scrapes", func() bool { return scrapes.Load() >= 6 })
	kept := int(scrapes.Load()) - 1 // those before are on disk when a scrape begins
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait()
	killed := time.Now().UnixMilli()
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	p = startAgent(t, args...)
	ls := promwire.LabelsFromStrings("__name__", "a", "instance", instance, "job", "agent")
	until(t, "samples of both runs", func() bool {
		s := r.Samples(ls)
		return len(s) > kept && s[len(s)-1].Timestamp > killed
	})
	p.end(t, syscall.SIGTERM, 30*time.Second)
	if strings.Contains(p.text(), "damaged") {
		t.Errorf("the log speaks of damage")
	}
	samples := r.Samples(ls)
	if samples[kept-1].Timestamp > killed {
		t.Errorf("of %d samples on disk at the kill, some are lost", kept)
	}
	for i := 1; i < len(samples); i++ {
		if samples[i].Timestamp < samples[i-1].Timestamp {
			t.Errorf("sample %d is at %d, the one before at %d", i, samples[i].Timestamp, samples[i-1].Timestamp)
		}
	}
	// What waits for a place that is no more is given up on request alone.
	other := []string{"--scrape", url, "--write", r.URL, "--interval", "50ms", "--batch-deadline", "10ms", "--spool", dir}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, "promwire", append([]string{"agent"}, other...)...).CombinedOutput()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), "--drop-left-over") {
		t.Errorf("an agent that leaves a place out: %v, %s", err, out)
	}
	p = startAgent(t, append(other, "--drop-left-over")...)
	until(t, "log", func() bool { return strings.Contains(p.text(), "nothing is written there any more") })
	before := len(r.Requests())
	until(t, "request", func() bool { return len(r.Requests()) > before })
	// Another process does not get it.
	if out, err := exec.Command("promwire", append([]string{"agent"}, args...)...).CombinedOutput(); err == nil || !strings.Contains(string(out), "held by another process") {
		t.Errorf("a second agent: %v, %s", err, out)
	}
	p.end(t, syscall.SIGTERM, 30*time.Second)
}
