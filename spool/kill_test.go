package spool_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire/spool"
)

// The variable that turns the test program into the process that TestCrash kills.
const killDir = "PROMWIRE_TEST_SPOOL"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killDir); dir != "" {
		if err := writeForever(dir); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// writeForever writes numbers from several goroutines, and prints those that were acknowledged.
func writeForever(dir string) error {
	s, err := spool.Open(dir, spool.WithSegmentBytes(20_000))
	if err != nil {
		return err
	}
	first, err := strconv.Atoi(os.Getenv("PROMWIRE_TEST_FIRST"))
	if err != nil {
		return err
	}
	if _, err := s.Reader("a"); err != nil {
		return err
	}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := first + i; ; n += 4 {
				if _, err := s.Write(context.Background(), request(n)); err != nil {
					fmt.Println(err)
					return
				}
				fmt.Println(n)
			}
		})
	}
	wg.Wait()
	return nil
}

// TestCrash kills a process that writes, at random moments, and checks that all that it has acknowledged is delivered.
// PROMWIRE_CRASH_ROUNDS sets how often; 5 times by default.
func TestCrash(t *testing.T) {
	rounds := 5
	if text := os.Getenv("PROMWIRE_CRASH_ROUNDS"); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	acknowledged, first := map[int]bool{}, 0
	for range rounds {
		last := killRound(t, dir, first, acknowledged)
		first = last + 1000
	}
	w := &target{}
	if _, err := spool.Drain(t.Context(), dir, w); err != nil { // another reader, which sees all there is
		t.Fatal(err)
	}
	got := map[int]int{}
	for _, v := range w.values {
		got[v]++
	}
	missing := 0
	for n := range acknowledged {
		if got[n] == 0 {
			missing++
		}
	}
	if missing > 0 || len(acknowledged) < rounds || len(got) != len(w.values) {
		t.Errorf("%d rounds: %d acknowledged, %d of them missing; %d delivered, %d different ones", rounds, len(acknowledged),
			missing, len(w.values), len(got))
	}
	t.Logf("%d rounds: %d acknowledged, none missing", rounds, len(acknowledged))
}

// killRound runs the process until some time after its first acknowledgement.
func killRound(t *testing.T, dir string, first int, acknowledged map[int]bool) (last int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killDir+"="+dir, fmt.Sprintf("PROMWIRE_TEST_FIRST=%d", first))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	for lines, begun := bufio.NewScanner(out), false; lines.Scan(); begun = true {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatalf("the process says %q", lines.Text())
		}
		acknowledged[n] = true
		last = max(last, n)
		if !begun {
			kill.Reset(time.Duration(rand.IntN(100_000)) * time.Microsecond)
		}
	}
	_ = cmd.Wait() // killed
	return last
}
