package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
	handlers "github.com/promwire/promwire/server"
)

// killer stores what comes, and kills the sender now and then: before anything of a request is stored, or afterwards.
type killer struct {
	*promwiretest.Memory

	mu       sync.Mutex
	kill     func()
	after    int // requests, then the next one kills
	stored   bool
	requests int
}

func (k *killer) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.requests++
	if k.after--; k.after == 0 {
		if k.stored {
			_, _ = k.Memory.Write(ctx, req)
		}
		k.kill()
		return promwire.WriteStats{}, promwire.ErrUnavailable
	}
	return k.Memory.Write(ctx, req)
}

// untilDone runs a command again and again, each time killed after some more requests, until it comes to its end.
func untilDone(t *testing.T, k *killer, dir string, args ...string) string {
	t.Helper()
	for run := range 30 {
		cmd := exec.Command("promwire", args...)
		cmd.Dir = dir
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		k.mu.Lock()
		k.after, k.stored = 1+run%3, run%2 == 0
		k.kill = func() { _ = cmd.Process.Kill() }
		k.mu.Unlock()
		switch err := cmd.Wait(); {
		case err == nil:
			if run < 5 {
				t.Errorf("it was killed %d times only", run)
			}
			return out.String()
		case cmd.ProcessState.ExitCode() != -1:
			t.Fatalf("run %d: %v: %s", run, err, &out)
		}
	}
	t.Fatal("it comes to no end")
	return ""
}

// written are samples of 7 series over 5 hours, not in order.
func writeSamples(t *testing.T, w io.Writer, n int) {
	t.Helper()
	b := bufio.NewWriter(w)
	for i := range n {
		k := i * 7919 % n
		fmt.Fprintf(b, "m{series=\"%d\"} %d %d\n", k%7, k, 1_700_000_000_000+int64(k)*18_000_000/int64(n))
	}
	if err := b.Flush(); err != nil {
		t.Fatal(err)
	}
}

// A push of a file that is killed again and again loses nothing, and sends at most one request again each time.
func TestKillImport(t *testing.T) {
	k := &killer{Memory: promwiretest.NewMemory(promwiretest.RefuseOlder)}
	srv := httptest.NewServer(handlers.NewWriteHandler(k))
	defer srv.Close()
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "samples.prom"))
	if err != nil {
		t.Fatal(err)
	}
	const n = 3000
	writeSamples(t, file, n)
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	out := untilDone(t, k, dir, "push", "--url", srv.URL, "--file", "samples.prom", "--resume", "journal", "--batch", "150", "--memory", "20KB")
	if stats := k.Stats(); stats.Samples != n || !strings.Contains(out, fmt.Sprintf("samples written: %d\n", n)) {
		t.Errorf("%d samples are stored: %s", stats.Samples, out)
	}
	// The samples of the series in a half hour make a part; a request has parts of 42 samples, three at most.
	if k.requests > 2*n/126+30 {
		t.Errorf("%d requests", k.requests)
	}
}

// A copy too.
func TestKillCopy(t *testing.T) {
	source := promwiretest.NewMemory(promwiretest.TakeOlder)
	const n = 3000
	req := &promwire.WriteRequest{}
	for i := range 7 {
		ts := promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "m", "series", fmt.Sprint(i))}
		for k := i; k < n; k += 7 {
			ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: 1_700_000_000_000 + int64(k)*6000, Value: float64(k)})
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	if _, err := source.Write(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	k := &killer{Memory: promwiretest.NewMemory(promwiretest.RefuseOlder)}
	mux := http.NewServeMux()
	mux.Handle("/write", handlers.NewWriteHandler(k))
	mux.Handle("/read", handlers.NewReadHandler(source))
	mux.Handle("/back", handlers.NewReadHandler(k.Memory))
	srv := httptest.NewServer(mux)
	defer srv.Close()
	out := untilDone(t, k, t.TempDir(), "copy", "--from", srv.URL+"/read", "--to", srv.URL+"/write", "--match", "m",
		"--start", "1700000000", "--end", "1700018000", "--resume", "journal", "--batch", "150", "--verify", srv.URL+"/back")
	if stats := k.Stats(); stats.Samples != n || !strings.Contains(out, fmt.Sprintf("samples written: %d\nsamples verified: %d of %d\n", n, n, n)) {
		t.Errorf("%d samples are stored: %s", stats.Samples, out)
	}
}

// push runs a push of what is written to its standard input, and returns what it said, its code and the memory it took.
func pushOf(t *testing.T, write func(w io.Writer), args ...string) (out string, code int, bytes int64) {
	t.Helper()
	cmd := exec.Command("promwire", append([]string{"push", "--dry-run", "--file", "-"}, args...)...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	cmd.Stdout, cmd.Stderr = &text, &text
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(5*time.Minute, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	write(in)
	_ = in.Close() // the program may have ended before
	_ = cmd.Wait()
	return text.String(), cmd.ProcessState.ExitCode(), peakMemory(cmd.ProcessState)
}

// Memory does not grow with the file: what it takes for 2,000,000 samples, which take some 230 MB more if all are held, is
// compared with what it takes for 100,000, as the memory of the program alone differs from machine to machine, and more
// with how busy that is.
func TestImportMemory(t *testing.T) {
	took := func(n int) int64 {
		out, code, bytes := pushOf(t, func(w io.Writer) { writeSamples(t, w, n) }, "--memory", "2MB")
		if code != 0 || !strings.Contains(out, fmt.Sprintf("samples to write (dry run): %d\n", n)) {
			t.Errorf("code %d: %s", code, out)
		}
		return bytes
	}
	few, many := took(100_000), took(2_000_000)
	t.Logf("%d MB, %d MB", few>>20, many>>20)
	if limit := few + 110<<20; many > limit && !raceEnabled {
		t.Errorf("it took %d MB for 100,000 samples, and %d MB for 2,000,000", few>>20, many>>20)
	}
}

// Hostile files take bounded memory, and are told.
func TestHostileFiles(t *testing.T) {
	repeat := func(start, text string, n int, end string) func(io.Writer) {
		return func(w io.Writer) {
			b := bufio.NewWriterSize(w, 1<<20)
			defer b.Flush()
			_, _ = b.WriteString(start)
			for range n {
				if _, err := b.WriteString(text); err != nil {
					return
				}
			}
			_, _ = b.WriteString(end)
		}
	}
	long := strings.Repeat("x", 1<<20)
	for _, c := range []struct {
		name  string
		write func(io.Writer)
		args  []string
		code  int
		want  string
	}{
		{"a line of 1 GB", repeat("a 1\n", long, 1000, "\nb 2\n"), nil, 3, "bad line: -:2: too large"},
		{"a line of 1 GB of JSON", repeat(`{"metric":{"a":"`, long, 1000, "\n"), nil, 1, "bad line: -:1: too large"},
		{"a field of 1 GB", repeat("series,time,value\n\"", long, 1000, "\n"), nil, 1, "bad line: -:2: too large"},
		{"values that stand for many", repeat("a 1x4000000000\n", "b 1x18446744073709551615\n", 10, ""), []string{"--format", "series"}, 1, "too large"},
		{"empty histograms", repeat(`{"metric":{"a":"b"},"histograms":[{}`, ",{}", 4_000_000, "]}\n"), nil, 1, "a line may hold 50,000 histograms"},
		{"brackets", repeat(`{"metric":`, "[", 8_000_000, "\n"), nil, 1, "max depth"},
		{"zip", repeat("PK\x03\x04", "\x00\x01", 1_000_000, ""), nil, 1, "zip archive"},
		{"zeros", repeat("", "\x00", 1_000_000, ""), nil, 1, "zero byte"},
		{"noise", repeat("\x01", "\xff\xfe\n\x80\"{\n", 200_000, ""), nil, 1, "more of them are not shown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, code, bytes := pushOf(t, c.write, c.args...)
			if code != c.code || !strings.Contains(out, c.want) {
				t.Errorf("code %d: %.2000s", code, out)
			}
			if bytes > 200<<20 && !raceEnabled {
				t.Errorf("it took %d MB", bytes>>20)
			}
		})
	}
}
