package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// TestKillPushWithState kills pushes that add 1 at random moments, two at a time: what was acknowledged or kept is
// counted once, what was killed at most once, and the series begins at zero and never goes down.
func TestKillPushWithState(t *testing.T) {
	dir := t.TempDir()
	p := startServe(t, dir)
	acknowledged, killed := 0, 0
	push := func(life time.Duration) error {
		cmd := exec.Command("promwire", "push", "--url", p.write, "--state", "s", "runs", "1")
		cmd.Dir = dir
		var out strings.Builder
		cmd.Stderr = &out
		if err := cmd.Start(); err != nil {
			return err
		}
		timer := time.AfterFunc(life, func() { _ = cmd.Process.Signal(syscall.SIGKILL) }) // it may have ended
		defer timer.Stop()
		err := cmd.Wait()
		var exit *exec.ExitError
		if errors.As(err, &exit) && exit.ExitCode() == -1 {
			return os.ErrProcessDone
		}
		if err != nil {
			return fmt.Errorf("%w: %s", err, out.String())
		}
		return nil
	}
	for range 20 {
		lives := []time.Duration{time.Hour, time.Duration(rand.Int64N(int64(50 * time.Millisecond)))}
		done := make(chan error)
		for _, life := range lives {
			go func() { done <- push(life) }()
		}
		for range lives {
			switch err := <-done; {
			case err == nil:
				acknowledged++
			case errors.Is(err, os.ErrProcessDone):
				killed++
			default:
				t.Fatal(err)
			}
		}
	}
	client, err := remote.NewReadClient(p.read)
	if err != nil {
		t.Fatal(err)
	}
	var samples []promwire.Sample
	q := promwire.Query{
		Start: time.Now().Add(-time.Hour), End: time.Now().Add(time.Hour),
		Matchers: []promwire.Matcher{{Type: promwire.MatchEqual, Name: promwire.MetricName, Value: "runs_total"}},
	}
	for ts, err := range client.Read(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		samples = append(samples, ts.Samples...)
	}
	for i, s := range samples {
		if i == 0 && s.Value != 0 || i > 0 && s.Value < samples[i-1].Value {
			t.Errorf("sample %d is %v", i, s.Value)
		}
	}
	if n := int(samples[len(samples)-1].Value); n < acknowledged || n > acknowledged+killed {
		t.Errorf("counted %d: %d were acknowledged, %d killed", n, acknowledged, killed)
	}
	t.Logf("%d acknowledged, %d killed, %v counted", acknowledged, killed, samples[len(samples)-1].Value)
}
