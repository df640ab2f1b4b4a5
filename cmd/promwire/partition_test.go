package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
)

// partition is a receiver behind a wire that is cut for a while.
type partition struct {
	receiver *promwiretest.Receiver
	wire     *wire
	time     time.Duration
	config   string // without targets
}

// newPartition has a short time, or that of PROMWIRE_PARTITION.
func newPartition(t *testing.T) *partition {
	t.Helper()
	r := promwiretest.NewReceiver(promwiretest.WithoutRequestData())
	t.Cleanup(r.Close)
	p := &partition{receiver: r, wire: newWire(t, r.URL), time: time.Second}
	timeout := 300 * time.Millisecond
	if text := os.Getenv("PROMWIRE_PARTITION"); text != "" {
		var err error
		if p.time, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
		timeout = 30 * time.Second // that of Prometheus and promwire
	}
	c := faultCase{timeout: timeout}
	p.config = c.yml(p.wire.URL)
	return p
}

// write puts a configuration into a file.
func (p *partition) write(t *testing.T, more string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "prometheus.yml")
	if err := os.WriteFile(path, []byte(more+p.config), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// run cuts the wire once something has come over it, and mends it when the time is over.
func (p *partition) run(t *testing.T) {
	t.Helper()
	until(t, "first samples", func() bool { return p.receiver.Stats().Samples > 0 })
	p.wire.cut()
	timer := time.NewTimer(p.time)
	defer timer.Stop()
	<-timer.C
	p.wire.mend()
}

// figure returns the value of a metric that has no labels, or those of the only target.
func figure(t *testing.T, url, name string) (value float64) {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + name + `(?:\{.*\})? (.*)$`).FindStringSubmatch(get(t, url+"/metrics"))
	if found == nil {
		t.Fatalf("there is no %s", name)
	}
	if _, err := fmt.Sscan(found[1], &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// TestRelayPartition cuts a relay under load off from its target: not a request is refused meanwhile, all arrive in the
// end, in order, and memory stays in its bound, however much lies on disk. PROMWIRE_PARTITION says for how long, such
// as 10m.
func TestRelayPartition(t *testing.T) {
	t.Parallel()
	c := newPartition(t)
	p := startRelay(t, "--spool", filepath.Join(t.TempDir(), "spool"), "--config", c.write(t, ""), "--log-level", "error")
	ctx, end := context.WithCancel(t.Context())
	var senders sync.WaitGroup
	sources := make([]*relaySource, 4)
	for i := range sources {
		sources[i] = &relaySource{id: i, more: 500 - relaySeries}
		senders.Go(func() { sources[i].load(ctx, t, p.write) })
	}
	c.run(t)
	held, cut := figure(t, p.url, "promwire_relay_spool_bytes"), resident(t, p.cmd.Process.Pid)
	end()
	senders.Wait()
	mended := time.Now()
	within(t, 10*time.Minute, "end of the delivery", func() bool { return figure(t, p.url, "promwire_relay_pending_samples") == 0 })
	caughtUp := time.Since(mended)
	acked, repeated := 0, 0
	for _, s := range sources {
		acked += s.acked * s.series()
		repeated += s.check(t, c.receiver)
	}
	if sent := figure(t, p.url, "promwire_relay_sent_samples_total"); sent != float64(acked) {
		t.Errorf("%v samples sent, %d acknowledged", sent, acked)
	}
	peak := checkResident(t, p.cmd.Process.Pid)
	t.Logf("cut off for %v: %d samples acknowledged, all there: %v; %d came twice; %.0f MiB on disk, caught up after %.1f s; "+
		"memory %d MiB at the end of the partition, %d MiB after all, bound %d MiB",
		c.time, acked, !t.Failed(), repeated, held/(1<<20), caughtUp.Seconds(), cut>>20, peak>>20, maxResident>>20)
	if code, _, err := p.end(syscall.SIGTERM); code != 0 || err != nil {
		t.Errorf("code %d, %v: %s", code, err, p.err)
	}
}

// load writes ten requests a second until ctx ends. Each must be acknowledged.
func (s *relaySource) load(ctx context.Context, t *testing.T, url string) {
	client, err := remote.NewWriteClient(url, remote.WithMessageType(s.message()), remote.WithoutRetry())
	if err != nil {
		t.Error(err)
		return
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		if err := s.write(context.Background(), client); err != nil {
			t.Errorf("not acknowledged: %v", err)
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// TestAgentPartition is the same for an agent with a spool.
func TestAgentPartition(t *testing.T) {
	t.Parallel()
	c := newPartition(t)
	target := newCountingTarget(t, 500)
	p := startAgent(t, "--config", c.write(t, target.yml(200*time.Millisecond)), "--spool", filepath.Join(t.TempDir(), "spool"),
		"--batch-deadline", "100ms", "--listen", "127.0.0.1:0")
	until(t, "address", func() bool { return strings.Contains(p.text(), "msg=listening") })
	url := regexp.MustCompile(`msg=listening url=(\S+)`).FindStringSubmatch(p.text())[1]
	c.run(t)
	cut := resident(t, p.cmd.Process.Pid)
	waiting := figure(t, url, "promwire_agent_pending_samples")
	mended, scrapes := time.Now(), target.scrapes.Load()
	within(t, 10*time.Minute, "end of the delivery", func() bool {
		return target.scrapes.Load() > scrapes && figure(t, url, "promwire_agent_pending_samples") == 0
	})
	caughtUp := time.Since(mended)
	peak := checkResident(t, p.cmd.Process.Pid)
	p.end(t, syscall.SIGTERM, time.Minute)
	repeated := target.check(t, c.receiver, scrapes)
	t.Logf("cut off for %v: %d scrapes of %d series, all there: %v; %d samples came twice; %.0f samples waited, caught up "+
		"after %.1f s; memory %d MiB at the end of the partition, %d MiB after all, bound %d MiB",
		c.time, scrapes, target.series, !t.Failed(), repeated, waiting, caughtUp.Seconds(), cut>>20, peak>>20, maxResident>>20)
}
