package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
)

func startRelay(t *testing.T, args ...string) *process {
	t.Helper()
	p, err := start(t.TempDir(), nil, append([]string{"promwire", "relay", "--listen", "127.0.0.1:0"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

// relaySource writes one sample after the other to each of its series, and remembers what was acknowledged.
type relaySource struct {
	id    int
	more  int // series, besides the usual ones
	acked int
}

// relaySeries is how many series a source has, if it has no more.
const relaySeries = 5

func (s *relaySource) series() int { return relaySeries + s.more }

func (s *relaySource) labels(i int) promwire.Labels {
	return promwire.LabelsFromStrings("__name__", "m", "series", fmt.Sprint(i), "source", fmt.Sprint(s.id))
}

func (s *relaySource) message() promwire.MessageType {
	return []promwire.MessageType{promwire.WriteV1, promwire.WriteV2}[s.id%2]
}

func (s *relaySource) write(ctx context.Context, c *remote.WriteClient) error {
	req := &promwire.WriteRequest{}
	for i := range s.series() {
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
			Labels: s.labels(i), Samples: []promwire.Sample{{Timestamp: int64(s.acked + 1), Value: float64(s.acked + 1)}},
		})
	}
	stats, err := c.Write(ctx, req)
	if err == nil && stats.Samples != s.series() {
		err = fmt.Errorf("%d samples acknowledged", stats.Samples)
	}
	if err == nil {
		s.acked++
	}
	return err
}

// complete reports whether all that was acknowledged is at the receiver.
func (s *relaySource) complete(r *promwiretest.Receiver) bool {
	for i := range s.series() {
		samples := r.Samples(s.labels(i))
		if s.acked > 0 && (len(samples) == 0 || samples[len(samples)-1].Timestamp < int64(s.acked)) {
			return false
		}
	}
	return true
}

// check demands that every acknowledged sample has arrived, and that what came before came again only as a repetition.
func (s *relaySource) check(t *testing.T, r *promwiretest.Receiver) (repeated int) {
	t.Helper()
	for i := range s.series() {
		there := map[int64]bool{}
		newest := int64(0)
		for _, got := range r.Samples(s.labels(i)) {
			if got.Value != float64(got.Timestamp) {
				t.Errorf("source %d, series %d: value %v at %d", s.id, i, got.Value, got.Timestamp)
			}
			if got.Timestamp < newest && !there[got.Timestamp] {
				t.Errorf("source %d, series %d: %d came after %d", s.id, i, got.Timestamp, newest)
			}
			if there[got.Timestamp] {
				repeated++
			}
			there[got.Timestamp], newest = true, max(newest, got.Timestamp)
		}
		for n := 1; n <= s.acked; n++ {
			if !there[int64(n)] {
				t.Errorf("source %d, series %d: sample %d was acknowledged, and did not arrive", s.id, i, n)
			}
		}
	}
	return repeated
}

// TestRelayCrash kills a relay again and again under load, while its target fails now and then: whatever was
// acknowledged arrives. PROMWIRE_CRASH_ROUNDS sets the number of rounds.
func TestRelayCrash(t *testing.T) {
	rounds := 15
	if n, err := strconv.Atoi(os.Getenv("PROMWIRE_CRASH_ROUNDS")); err == nil {
		rounds = n
	}
	r := promwiretest.NewReceiver(promwiretest.WithoutRequestData())
	defer r.Close()
	faults := promwiretest.Random(1, 0.2, promwiretest.Reset(100), promwiretest.Status(http.StatusServiceUnavailable),
		promwiretest.LostAnswer(), promwiretest.Truncated(10))
	r.SetScript(faults)
	args := []string{"--spool", filepath.Join(t.TempDir(), "spool"), "--write", r.URL, "--log-level", "error", "--shutdown-timeout", "1m"}
	sources := make([]*relaySource, 4)
	for i := range sources {
		sources[i] = &relaySource{id: i}
	}
	for round := range rounds {
		p := startRelay(t, append(args, "--gather", []string{"0", "5ms", "200ms"}[round%3])...)
		var acks atomic.Int64
		killAt := 1 + rand.Int64N(200)
		var wg sync.WaitGroup
		for _, s := range sources {
			c, err := remote.NewWriteClient(p.write, remote.WithMessageType(s.message()), remote.WithoutRetry())
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				for s.write(t.Context(), c) == nil {
					if acks.Add(1) == killAt {
						_, _, _ = p.end(syscall.SIGKILL)
					}
				}
			})
		}
		wg.Wait()
		if acks.Load() < killAt {
			p.kill()
			t.Fatalf("it ended before it was killed, after %d of %d: %s", acks.Load(), killAt, p.err)
		}
	}
	r.SetScript(nil)
	p := startRelay(t, args...)
	until(t, "end of the deliveries", func() bool {
		for _, s := range sources {
			if !s.complete(r) {
				return false
			}
		}
		return true
	})
	if code, _, err := p.end(syscall.SIGTERM); code != 0 || err != nil {
		t.Errorf("code %d, %v: %s", code, err, p.err)
	}
	acked, repeated := 0, 0
	for _, s := range sources {
		acked += s.acked * relaySeries
		repeated += s.check(t, r)
	}
	t.Logf("%d kills, %d samples acknowledged, all there: %v; %d came twice", rounds, acked, !t.Failed(), repeated)
}

// Requests reach a target as they came, with tenant and headers; what a rule changes is changed for its target alone.
func TestRelayTargets(t *testing.T) {
	one, two := promwiretest.NewReceiver(), promwiretest.NewReceiver()
	defer one.Close()
	defer two.Close()
	config := filepath.Join(t.TempDir(), "prometheus.yml")
	yml := fmt.Sprintf("remote_write:\n  - {url: '%s', name: one, headers: {X-A: b}, queue_config: {batch_send_deadline: 10ms}}\n"+
		"  - url: '%s'\n    name: two\n    queue_config: {batch_send_deadline: 10ms}\n    write_relabel_configs: [{regex: source, action: labeldrop}]\n", one.URL, two.URL)
	if err := os.WriteFile(config, []byte(yml), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startRelay(t, "--spool", filepath.Join(t.TempDir(), "spool"), "--config", config)
	for id := range 2 {
		s := &relaySource{id: id}
		c, err := remote.NewWriteClient(p.write, remote.WithMessageType(s.message()), remote.WithTenant("team"))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.write(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		until(t, "samples", func() bool { return s.complete(one) })
		without := promwire.LabelsFromStrings("__name__", "m", "series", "0")
		until(t, "samples without label", func() bool { return len(two.Samples(without)) > id })
		got := one.Requests()[id]
		if got.Type != s.message() || got.Header.Get("X-A") != "b" || got.Header.Get(promwire.HeaderTenant) != "team" {
			t.Errorf("%s with %v", got.Type, got.Header)
		}
	}
	for _, line := range []string{
		"promwire_relay_received_requests_total 2", "promwire_relay_received_samples_total 10",
		`promwire_relay_sent_samples_total{write="one"} 10`, `promwire_relay_pending_samples{write="two"} 0`,
	} {
		until(t, line, func() bool { return strings.Contains(get(t, p.url+"/metrics"), line+"\n") })
	}
	for _, path := range []string{"/-/ready", "/-/healthy"} {
		get(t, p.url+path)
	}
	if code, _, err := p.end(syscall.SIGINT); code != 0 || err != nil {
		t.Errorf("code %d, %v: %s", code, err, p.err)
	}
}

// Each series goes to one of the targets, and one that is down holds up no other.
func TestRelayShards(t *testing.T) {
	up, down := promwiretest.NewReceiver(), promwiretest.NewReceiver()
	defer up.Close()
	defer down.Close()
	down.Stop()
	p := startRelay(t, "--spool", filepath.Join(t.TempDir(), "spool"), "--mode", "shard", "--write", up.URL, "--write", down.URL, "--log-level", "error")
	c, err := remote.NewWriteClient(p.write)
	if err != nil {
		t.Fatal(err)
	}
	const sources = 10
	for id := range sources {
		if err := (&relaySource{id: id}).write(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	last := func() bool {
		return strings.Contains(get(t, p.url+"/metrics"), fmt.Sprintf("pending_samples{write=%q} 0\n", up.URL))
	}
	until(t, "end of the delivery to one", last)
	first := len(up.Series())
	if err := down.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "all series", func() bool { return first+len(down.Series()) == sources*relaySeries })
	if first == 0 || first == sources*relaySeries || len(up.Series()) != first {
		t.Errorf("%d of %d series at one target", first, sources*relaySeries)
	}
}

// What lies in the spool for a target that is not given any more ends the start, unless it is to be dropped.
func TestRelayLeftOver(t *testing.T) {
	r := promwiretest.NewReceiver()
	defer r.Close()
	r.Stop()
	dir := filepath.Join(t.TempDir(), "spool")
	p := startRelay(t, "--spool", dir, "--write", r.URL, "--log-level", "error", "--shutdown-timeout", "1ms")
	c, err := remote.NewWriteClient(p.write)
	if err != nil {
		t.Fatal(err)
	}
	if err := (&relaySource{}).write(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if code, _, err := p.end(syscall.SIGTERM); code != 0 || err != nil {
		t.Errorf("code %d, %v", code, err)
	}
	other := []string{"promwire", "relay", "--listen", "127.0.0.1:0", "--shutdown-timeout", "1ms", "--spool", dir, "--write", "http://127.0.0.1:9/api/v1/write"}
	if _, err := start(t.TempDir(), nil, other...); err == nil || !strings.Contains(err.Error(), "nothing is written to any more") || !strings.Contains(err.Error(), "--drop-left-over") {
		t.Errorf("got %v", err)
	}
	p = startRelay(t, "--spool", dir, "--write", r.URL, "--log-level", "error", "--shutdown-timeout", "1ms") // as before
	if code, _, err := p.end(syscall.SIGTERM); code != 0 || err != nil {
		t.Errorf("code %d, %v", code, err)
	}
	p = startRelay(t, append(other[4:], "--drop-left-over")...)
	if code, _, err := p.end(syscall.SIGTERM); code != 0 || err != nil {
		t.Errorf("code %d, %v", code, err)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, resp.Status, err)
	}
	return string(text)
}

// One bad series costs itself only, and lies in the dead letters with its reason.
func TestRelayDeadLetters(t *testing.T) {
	r := promwiretest.NewReceiver()
	defer r.Close()
	bad := (&relaySource{id: 7}).labels(3)
	r.SetScript(promwiretest.Always(promwiretest.RefuseSeries(func(ls promwire.Labels) bool { return ls.Equal(bad) }, promwiretest.RefuseAll)))
	letters := filepath.Join(t.TempDir(), "letters")
	p := startRelay(t, "--spool", filepath.Join(t.TempDir(), "spool"), "--write", r.URL, "--dead-letters", letters, "--bisect", "100", "--log-level", "error")
	c, err := remote.NewWriteClient(p.write, remote.WithMessageType(promwire.WriteV1))
	if err != nil {
		t.Fatal(err)
	}
	for id := range 10 {
		if err := (&relaySource{id: id}).write(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "end of the delivery", func() bool {
		return strings.Contains(get(t, p.url+"/metrics"), "pending_samples{write=\""+r.URL+"\"} 0\n")
	})
	if n := len(r.Series()); n != 10*relaySeries-1 {
		t.Errorf("%d series arrived", n)
	}
	if got := lettersIn(t, letters); len(got) != 1 || got[0].Reason == "" || !got[0].Series.Labels.Equal(bad) {
		t.Errorf("letters %v", got)
	}
}
