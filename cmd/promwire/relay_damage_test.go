package main

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
)

// TestSpoolDamage damages what waits in the spool of a relay that was killed: the metrics of the next run, and of an agent that
// takes over the spool, say how much is damaged and lost, the log which file; all else arrives.
func TestSpoolDamage(t *testing.T) {
	target := promwiretest.NewReceiver()
	defer target.Close()
	target.SetScript(promwiretest.Always(promwiretest.Status(http.StatusServiceUnavailable)))
	dir := filepath.Join(t.TempDir(), "spool")
	args := []string{"--spool", dir, "--write", target.URL}
	p := startRelay(t, args...)
	c, err := remote.NewWriteClient(p.write)
	if err != nil {
		t.Fatal(err)
	}
	s := relaySource{id: 1}
	for range 20 {
		if err := s.write(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if code, _, err := p.end(syscall.SIGKILL); err != nil || code != -1 {
		t.Fatalf("killed: code %d, %v", code, err)
	}
	damageSpool(t, dir)
	target.SetScript(nil)
	p = startRelay(t, args...)
	until(t, "what is not damaged", func() bool { return s.complete(target) })
	text := get(t, p.url+"/metrics")
	if n := len(target.Samples(s.labels(0))); n != 19 || metricValue(t, text, "promwire_relay_spool_lost_requests_total") != 1 {
		t.Errorf("%d samples arrived:\n%s", n, text)
	}
	if n := metricValue(t, text, "promwire_relay_spool_damaged_bytes_total"); n < 10 || n > 10_000 {
		t.Errorf("%v bytes damaged", n)
	}
	if code, _, err := p.end(syscall.SIGTERM); err != nil || code != 0 {
		t.Errorf("code %d, %v", code, err)
	}
	if !strings.Contains(p.err.String(), "damaged segment") || !strings.Contains(p.err.String(), dir) {
		t.Errorf("the log is %s", p.err)
	}
	agent := startAgent(t, "--spool", dir, "--write", target.URL, "--scrape", "http://127.0.0.1:1/metrics", "--listen", "127.0.0.1:0", "--drop-left-over")
	until(t, "metrics of an agent", func() bool {
		m := regexp.MustCompile(`msg=listening url=(\S+)`).FindStringSubmatch(agent.text())
		if m != nil {
			text = get(t, m[1]+"/metrics")
		}
		return m != nil
	})
	if n := metricValue(t, text, "promwire_agent_spool_damaged_bytes_total"); n != 0 {
		t.Errorf("%v bytes damaged", n)
	}
	agent.end(t, syscall.SIGTERM, time.Minute)
}

// damageSpool changes a byte in the middle of the only segment.
func damageSpool(t *testing.T, dir string) {
	t.Helper()
	path := glob(t, dir, "*.seg")[0]
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 0xff
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func metricValue(t *testing.T, text, name string) float64 {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no %s in\n%s", name, text)
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
