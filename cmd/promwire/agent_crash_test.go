package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
)

// TestAgentCrash kills an agent with a spool again and again, while its receiver fails now and then: every scrape that was
// on disk arrives, in order. PROMWIRE_CRASH_ROUNDS sets the number of rounds.
func TestAgentCrash(t *testing.T) {
	rounds := 10
	if n, err := strconv.Atoi(os.Getenv("PROMWIRE_CRASH_ROUNDS")); err == nil {
		rounds = n
	}
	r := promwiretest.NewReceiver(promwiretest.WithoutRequestData())
	defer r.Close()
	r.SetScript(promwiretest.Random(1, 0.3, promwiretest.Reset(100), promwiretest.Status(http.StatusServiceUnavailable), promwiretest.LostAnswer()))
	var scrapes atomic.Int64 // the value that is exposed is the number of the scrape
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		fmt.Fprintf(w, "a %d\n", scrapes.Add(1))
	}))
	defer target.Close()
	args := []string{
		"--scrape", target.URL + "/metrics", "--write", r.URL, "--protocol", "2.0", "--interval", "40ms",
		"--spool", filepath.Join(t.TempDir(), "spool"), "--instance", "i", "--log-level", "error",
		"--batch-deadline", "20ms",
	}
	kept := map[float64]bool{}
	for range rounds {
		first := scrapes.Load() + 1
		p := startAgent(t, args...)
		enough := first + 2 + rand.Int64N(20)
		until(t, "scrapes", func() bool { return scrapes.Load() >= enough })
		last := scrapes.Load() - 1 // a scrape is on disk before the next one begins
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatalf("the agent has ended: %v, %s", err, p.text())
		}
		_ = p.cmd.Wait()
		for v := first; v <= last; v++ {
			kept[float64(v)] = true
		}
	}
	r.SetScript(nil)
	p := startAgent(t, args...)
	end := float64(scrapes.Load() + 2)
	ls := promwire.LabelsFromStrings("__name__", "a", "instance", "i", "job", "agent")
	until(t, "samples of the last run", func() bool {
		s := r.Samples(ls)
		return len(s) > 0 && s[len(s)-1].Value >= end
	})
	p.end(t, syscall.SIGTERM, time.Minute)
	got, newest, repeated := map[float64]bool{}, 0.0, 0
	for _, s := range r.Samples(ls) {
		switch {
		case got[s.Value]:
			repeated++
		case s.Value < newest:
			t.Errorf("scrape %v came after %v", s.Value, newest)
		}
		got[s.Value], newest = true, max(newest, s.Value)
	}
	// An answer that came too late is a scrape as well, in which the target was down.
	late := 0
	for _, s := range r.Samples(promwire.LabelsFromStrings("__name__", "up", "instance", "i", "job", "agent")) {
		if s.Value == 0 {
			late++
		}
	}
	for v := range kept {
		if got[v] {
			continue
		}
		if late--; late < 0 {
			t.Errorf("scrape %v was on disk, and did not arrive", v)
		}
	}
	t.Logf("%d kills, %d scrapes on disk, all there: %v; %d came twice", rounds, len(kept), !t.Failed(), repeated)
}
