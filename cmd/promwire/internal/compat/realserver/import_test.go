package realserver

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire/cmd/promwire/internal/cli"
)

// run runs a promwire command, demands its exit code, and returns what it printed.
func run(t *testing.T, code int, args ...string) string {
	t.Helper()
	var out, log bytes.Buffer
	if got := cli.Run(t.Context(), args, cli.IO{Out: &out, Err: &log}); got != code {
		t.Fatalf("promwire %s: code %d, want %d: %s", strings.Join(args, " "), got, code, &log)
	}
	return out.String() + log.String()
}

// longFile is a text with samples of ten series over three days, in no order, and some that formats find hard.
func longFile(t *testing.T, now time.Time) (path string, n int) {
	t.Helper()
	var lines []string
	begin := now.Add(-72 * time.Hour).Truncate(time.Hour).UnixMilli()
	for i := range 10 {
		for k := range 800 {
			value := fmt.Sprint(float64(k) / 3)
			switch k % 100 {
			case 1:
				value = "stale"
			case 2:
				value = "-0"
			case 3:
				value = "NaN"
			case 4:
				value = "-Inf"
			}
			lines = append(lines, fmt.Sprintf("imported{series=\"%d\"} %s %d\n", i, value, begin+int64(k)*300_123))
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	path = filepath.Join(t.TempDir(), "long.prom")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, len(lines)
}

// Three days of several series go into a server that takes nothing out of order, and from there to another one.
func TestImportAndCopy(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		first, second := start(t, p, "global: {}\n"), start(t, p, "global: {}\n")
		file, n := longFile(t, time.Now())
		all := fmt.Sprintf("samples written: %d\nsamples verified: %d of %d\n", n, n, n)
		if out := run(t, 0, "push", "--url", first.writeURL(), "--file", file, "--memory", "100KB", "--verify", first.readURL()); out != all {
			t.Errorf("import: %s", out)
		}
		args := []string{"copy", "--from", first.readURL(), "--to", second.writeURL(), "--match", "imported", "--start", "-4d", "--verify", second.readURL()}
		if out := run(t, 0, args...); out != all {
			t.Errorf("copy: %s", out)
		}
		for _, format := range []string{"json", "csv", "text"} {
			path := filepath.Join(t.TempDir(), "out."+format)
			run(t, 0, "read", "--url", second.readURL(), "--match", "imported", "--start", "-4d", "--format", format, "--output", path)
			again := run(t, 0, "push", "--dry-run", "--file", path)
			if again != fmt.Sprintf("samples to write (dry run): %d\n", n) {
				t.Errorf("%s: %s", format, again)
			}
		}
	})
}

// Samples that a server has newer ones than are refused and counted, and the others are stored.
func TestImportRefused(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		s := start(t, p, "global: {}\n")
		now := time.Now().UnixMilli()
		write := func(name, text string) string {
			path := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		run(t, 0, "push", "--url", s.writeURL(), "--file", write("new", fmt.Sprintf("a 1 %d\nb 1 %d\n", now-1000, now-1000)))
		var b strings.Builder
		for i := range 20 {
			fmt.Fprintf(&b, "c 1 %d\n", now-int64(i)*100)
		}
		mixed := write("mixed", b.String()+fmt.Sprintf("a 2 %d\na 3 %d\nb 2 %d\n", now-3000, now, now-2000))
		out := run(t, 3, "push", "--url", s.writeURL(), "--file", mixed)
		if !strings.Contains(out, "samples written: 21\n") || !strings.Contains(out, "refused: 2: sample is older than the newest one of its series\n") {
			t.Error(out)
		}
		if out := run(t, 1, "push", "--url", s.writeURL(), "--file", mixed, "--verify", s.readURL(), "--verify-wait", "0s"); !strings.Contains(out, "samples verified: 21 of 23\n") ||
			!strings.Contains(out, "missing: 2: not there\n") {
			t.Error(out)
		}
	})
}
