package realserver

import (
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// runs returns how often TestStateAcrossRuns runs the job: as often as PROMWIRE_STATE_RUNS says, or 200 times.
func runs(t *testing.T) int {
	text := os.Getenv("PROMWIRE_STATE_RUNS")
	if text == "" {
		return 200
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 2 {
		t.Fatalf("PROMWIRE_STATE_RUNS is %q, want a number of runs", text)
	}
	return n
}

// TestStateAcrossRuns runs the cron job of the examples 200 times, kills half of the runs at random moments, and asks
// the server: increase() is the final value, nothing was reset, and every run that was not killed is counted once.
func TestStateAcrossRuns(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		dir := t.TempDir()
		job := filepath.Join(dir, "cronjob")
		if out, err := exec.Command("go", "build", "-o", job, "github.com/promwire/promwire/examples/cronjob").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		s := start(t, p, "")
		counted, killed, all := 0, 0, runs(t)
		for run := range all {
			life := time.Hour
			if run%2 == 1 && run < all-1 {
				life = time.Duration(rand.Int64N(int64(30 * time.Millisecond)))
			}
			if runJob(t, job, life, "REMOTE_WRITE_URL="+s.writeURL(), "STATE_FILE="+filepath.Join(dir, "s")) {
				counted++
			} else {
				killed++
			}
		}
		runJob(t, job, time.Hour, "REMOTE_WRITE_URL="+s.writeURL(), "STATE_FILE="+filepath.Join(dir, "s"))
		counted++
		for _, name := range []string{`backup_runs_total`, `backup_duration_seconds_count`, `backup_duration_seconds_bucket{le="+Inf"}`} {
			stored := s.query(t, name+"[1h]", time.Now().UnixMilli())[0].Samples
			last := stored[len(stored)-1]
			if n := int(last.Value); stored[0].Value != 0 || n < counted || n > counted+killed {
				t.Errorf("%s goes from %v to %d: %d runs to be counted, %d killed", name, stored[0].Value, n, counted, killed)
			}
			if got := s.query(t, "increase("+name+"[1h])", last.Timestamp)[0].Samples[0].Value; !near(got, last.Value) {
				t.Errorf("%s: increase is %v, want %v", name, got, last.Value)
			}
			if got := s.query(t, "resets("+name+"[1h])", last.Timestamp)[0].Samples[0].Value; got != 0 {
				t.Errorf("%s: %v resets", name, got)
			}
			t.Logf("%s: %v; %d runs to be counted, %d killed", name, last.Value, counted, killed)
		}
	})
}

// runJob returns false if the job was killed before it had ended.
func runJob(t *testing.T, job string, life time.Duration, env ...string) bool {
	t.Helper()
	cmd := exec.Command(job)
	cmd.Env = append(os.Environ(), env...)
	var out strings.Builder
	cmd.Stderr = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(life, func() { _ = cmd.Process.Kill() }) // it may have ended
	defer timer.Stop()
	var exit *exec.ExitError
	switch err := cmd.Wait(); {
	case errors.As(err, &exit) && exit.ExitCode() == -1:
		return false
	case err == nil, strings.Contains(out.String(), "the state keeps what was not delivered"),
		strings.Contains(out.String(), "partial write"): // the first zero, sent again, is out of order by now
		return true
	default:
		t.Fatalf("%v: %s", err, out.String())
		return false
	}
}
