package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
)

// faultCase is one row of the matrix: what goes wrong between a relay, or an agent with a spool, and a receiver.
type faultCase struct {
	name    string
	script  promwiretest.Script
	message string        // of the remote_write block; "" to negotiate
	timeout time.Duration // of one request; half a minute by default
	// away stops the receiver once it has got something, for some time.
	away time.Duration
	// pause is how long the receiver asks its sender to wait.
	pause time.Duration
}

func faultCases() []faultCase {
	// V2 is what a receiver says that knows 1.0 only, and does not look at what it gets.
	v2 := func(first int, f promwiretest.Fault) promwiretest.Script {
		return func(n int, r *http.Request) promwiretest.Fault {
			if n < first && r.Header.Get("Content-Type") == promwire.WriteV2.ContentType() {
				return f
			}
			return promwiretest.Fault{}
		}
	}
	bursts := func(n int, _ *http.Request) promwiretest.Fault {
		if n%20 < 8 {
			return promwiretest.Answer(500, nil, "burst")
		}
		return promwiretest.Fault{}
	}
	const ever = 1 << 30
	return []faultCase{
		{name: "refuse", away: 300 * time.Millisecond},
		{name: "reset mid-body", script: promwiretest.Random(1, 0.4, promwiretest.Reset(0), promwiretest.Reset(40), promwiretest.Reset(120))},
		{name: "hang", script: promwiretest.Times(2, promwiretest.Hang(0)), timeout: 300 * time.Millisecond},
		{name: "slow bytes", script: promwiretest.Random(2, 0.2, promwiretest.SlowBody(64, time.Millisecond), promwiretest.SlowAnswer(100*time.Microsecond))},
		{name: "429 with Retry-After", script: promwiretest.Times(2, promwiretest.TooManyRequests("1")), pause: time.Second},
		{name: "500 bursts", script: bursts},
		{name: "2xx without Written headers", script: v2(ever, promwiretest.Lie(204, false, nil))},
		{name: "2xx with zeros", script: v2(ever, promwiretest.Lie(200, false, &promwire.WriteStats{}))},
		{name: "2xx without Written headers for a while, 2.0 alone", script: v2(5, promwiretest.Lie(200, false, nil)), message: "io.prometheus.write.v2.Request"},
		{name: "truncated answers", script: promwiretest.Random(3, 0.4, promwiretest.Truncated(0), promwiretest.Truncated(10), promwiretest.Truncated(40))},
		{name: "lost answers", script: promwiretest.Random(4, 0.4, promwiretest.LostAnswer())},
	}
}

// yml returns a configuration that writes to a URL, with short pauses.
func (c *faultCase) yml(url string) string {
	timeout, message := c.timeout, ""
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	if c.message != "" {
		message = ", protobuf_message: " + c.message
	}
	return fmt.Sprintf("remote_write:\n  - {url: '%s', name: target, remote_timeout: %dms, "+
		"queue_config: {min_backoff: 1ms, max_backoff: 50ms, batch_send_deadline: 10ms}%s}\n", url, timeout.Milliseconds(), message)
}

// faultRounds is how much is sent in each row: a default, or that many times more by PROMWIRE_FAULT_ROUNDS.
func faultRounds(t *testing.T, usual int) int {
	t.Helper()
	text := os.Getenv("PROMWIRE_FAULT_ROUNDS")
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n * usual
}

// maxResident bounds what a relay or an agent with a spool takes of the memory of the machine, whatever it holds on disk.
const maxResident = 64 << 20

// resident returns the most that a process has had in memory so far; 0 where the system does not say.
func resident(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Logf("memory is not measured: %v", err)
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

// checkResident demands that the bound holds. The race detector takes many times the memory.
func checkResident(t *testing.T, pid int) int64 {
	t.Helper()
	n := resident(t, pid)
	if n > maxResident && !raceEnabled {
		t.Errorf("it took %d MiB of memory, bound %d MiB", n>>20, maxResident>>20)
	}
	return n
}

// TestRelayFaults puts a relay between senders and a receiver that does what servers and networks do: all that was
// acknowledged arrives, each series in order, and memory stays in its bound.
func TestRelayFaults(t *testing.T) {
	for _, c := range faultCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.relay(t)
		})
	}
}

func (c *faultCase) relay(t *testing.T) {
	r := c.receiver(t)
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, []byte(c.yml(r.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startRelay(t, "--spool", filepath.Join(dir, "spool"), "--config", config, "--log-level", "error")
	sources := make([]*relaySource, 4)
	var all sync.WaitGroup
	for i := range sources {
		s := &relaySource{id: i}
		sources[i] = s
		client, err := remote.NewWriteClient(p.write, remote.WithMessageType(s.message()), remote.WithoutRetry())
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			for range faultRounds(t, 40) {
				if err := s.write(t.Context(), client); err != nil {
					t.Errorf("not acknowledged: %v", err)
					return
				}
			}
		})
	}
	c.goAway(t, r)
	all.Wait()
	acked, repeated := 0, 0
	for _, s := range sources {
		until(t, "end of the delivery", func() bool { return s.complete(r) })
		acked += s.acked * relaySeries
		repeated += s.check(t, r)
	}
	for _, line := range []string{
		fmt.Sprintf(`sent_samples_total{write="target"} %v`, float64(acked)), `refused_samples_total{write="target"} 0`,
		`dropped_samples_total{write="target"} 0`, `pending_samples{write="target"} 0`,
	} {
		until(t, line, func() bool { return strings.Contains(get(t, p.url+"/metrics"), "promwire_relay_"+line+"\n") })
	}
	peak := checkResident(t, p.cmd.Process.Pid)
	faults := c.checkFaults(t, r)
	t.Logf("%d samples acknowledged, all there: %v; %d came twice; %d requests with a fault of %d; %d MiB of memory, bound %d MiB",
		acked, !t.Failed(), repeated, faults, len(r.Requests()), peak>>20, maxResident>>20)
	if code, _, err := p.end(syscall.SIGTERM); code != 0 || err != nil {
		t.Errorf("code %d, %v: %s", code, err, p.err)
	}
}

func (c *faultCase) receiver(t *testing.T) *promwiretest.Receiver {
	r := promwiretest.NewReceiver(promwiretest.WithoutRequestData())
	t.Cleanup(r.Close)
	r.SetScript(c.script)
	return r
}

// goAway stops the receiver for a while, if that is what goes wrong.
func (c *faultCase) goAway(t *testing.T, r *promwiretest.Receiver) {
	t.Helper()
	if c.away == 0 {
		return
	}
	until(t, "first samples", func() bool { return r.Stats().Samples > 0 })
	r.Stop()
	timer := time.NewTimer(c.away)
	defer timer.Stop()
	<-timer.C
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
}

// checkFaults demands that something went wrong, and that a pause that was asked for was made.
func (c *faultCase) checkFaults(t *testing.T, r *promwiretest.Receiver) (faults int) {
	t.Helper()
	before := promwiretest.Received{}
	for _, got := range r.Requests() {
		if before.Fault != "" && got.Time.Sub(before.Time) < c.pause {
			t.Errorf("request %d came %v after one that asked for %v", got.N, got.Time.Sub(before.Time), c.pause)
		}
		if got.Fault != "" {
			faults++
		}
		before = got
	}
	if c.script != nil && faults == 0 {
		t.Error("nothing went wrong")
	}
	return faults
}

// TestAgentFaults is the same for an agent with a spool: all scrapes arrive.
func TestAgentFaults(t *testing.T) {
	for _, c := range faultCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.agent(t)
		})
	}
}

func (c *faultCase) agent(t *testing.T) {
	r := c.receiver(t)
	target := newCountingTarget(t, 1)
	dir := t.TempDir()
	config := filepath.Join(dir, "agent.yml")
	yml := target.yml(50*time.Millisecond) + c.yml(r.URL)
	if err := os.WriteFile(config, []byte(yml), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startAgent(t, "--config", config, "--spool", filepath.Join(dir, "spool"), "--log-level", "error")
	c.goAway(t, r)
	rounds := int64(faultRounds(t, 12))
	until(t, "scrapes", func() bool { return target.scrapes.Load() > rounds })
	until(t, "end of the delivery", func() bool { return len(r.Samples(target.up())) > int(rounds) })
	peak := checkResident(t, p.cmd.Process.Pid)
	p.end(t, syscall.SIGTERM, time.Minute)
	repeated := target.check(t, r, rounds)
	faults := c.checkFaults(t, r)
	t.Logf("%d scrapes, all there: %v; %d came twice; %d requests with a fault of %d; %d MiB of memory, bound %d MiB",
		rounds, !t.Failed(), repeated, faults, len(r.Requests()), peak>>20, maxResident>>20)
}

// countingTarget exposes the number of the scrape, as the value of each of its series.
type countingTarget struct {
	scrapes atomic.Int64
	host    string
	series  int
}

func newCountingTarget(t *testing.T, series int) *countingTarget {
	t.Helper()
	c := &countingTarget{series: series}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := c.scrapes.Add(1)
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		for i := range series {
			fmt.Fprintf(w, "a{series=\"%d\"} %d\n", i, n)
		}
	}))
	t.Cleanup(srv.Close)
	c.host = strings.TrimPrefix(srv.URL, "http://")
	return c
}

func (c *countingTarget) yml(interval time.Duration) string {
	ms := interval.Milliseconds()
	return fmt.Sprintf("global: {scrape_interval: %dms, scrape_timeout: %dms}\n"+
		"scrape_configs: [{job_name: j, static_configs: [{targets: ['%s']}]}]\n", ms, ms, c.host)
}

func (c *countingTarget) labels(i int) promwire.Labels {
	return promwire.LabelsFromStrings("__name__", "a", "instance", c.host, "job", "j", "series", fmt.Sprint(i))
}

func (c *countingTarget) up() promwire.Labels {
	return promwire.LabelsFromStrings("__name__", "up", "instance", c.host, "job", "j")
}

// check demands the values of the first scrapes in each series, in order, but for those whose answers came too late: then
// the target is down. What came twice may be older.
func (c *countingTarget) check(t *testing.T, r *promwiretest.Receiver, scrapes int64) (repeated int) {
	t.Helper()
	late, seen := 0, map[int64]bool{}
	for _, s := range r.Samples(c.up()) {
		if s.Value == 0 && !seen[s.Timestamp] {
			late++
		}
		seen[s.Timestamp] = true
	}
	for i := range c.series {
		there := map[float64]bool{}
		newest := promwire.Sample{}
		for _, got := range r.Samples(c.labels(i)) {
			if promwire.IsStaleNaN(got.Value) { // after an answer that came too late
				continue
			}
			switch {
			case there[got.Value]:
				repeated++
			case got.Value <= newest.Value || got.Timestamp <= newest.Timestamp:
				t.Errorf("%v came after %v", got, newest)
			}
			if got.Value > newest.Value {
				newest = got
			}
			there[got.Value] = true
		}
		missing := 0
		for n := int64(1); n <= scrapes; n++ {
			if !there[float64(n)] {
				missing++
			}
		}
		if missing > late {
			t.Errorf("series %d: %d of %d scrapes are missing, %d came too late", i, missing, scrapes, late)
		}
	}
	return repeated
}
