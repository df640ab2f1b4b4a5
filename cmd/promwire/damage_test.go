package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// damaged is a data directory of a server that was killed: with blocks, a checkpoint, several segments of both logs, and
// head chunks.
type damaged struct {
	dir     string
	writers []*crashWriter
}

func newDamaged(t *testing.T) *damaged {
	t.Helper()
	d := &damaged{dir: t.TempDir()}
	clock := newDataClock(20*24*time.Hour, 90*time.Second)
	d.writers = []*crashWriter{{id: 0, clock: clock}, {id: 1, clock: clock}}
	write := func(p *process, requests int) {
		for range requests {
			for _, w := range d.writers {
				w.writeOnce(t, p)
			}
		}
	}
	for start := range 5 {
		p := d.start(t, d.dir)
		write(p, 9)
		if start < 4 {
			p.kill()
			continue
		}
		if code, _, err := p.end(syscall.SIGTERM); code != 0 || err != nil { // puts head chunks on disk
			t.Fatal(code, err)
		}
	}
	p := d.start(t, d.dir)
	until(t, "a checkpoint, when three hours are full", func() bool {
		write(p, 1)
		return !strings.Contains(get(t, p.url+"/metrics"), "prometheus_tsdb_checkpoint_deletions_total 0\n")
	})
	write(p, 6)
	p.kill()
	return d
}

func (d *damaged) start(t *testing.T, dir string) *process {
	t.Helper()
	return startServe(t, dir, new(crasher).args()...)
}

// copy copies the directory, and returns it and a file that matches and holds something: the first of those, or, if it is
// one of a log, the one before the last.
func (d *damaged) copy(t *testing.T, pattern string) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(d.dir)); err != nil {
		t.Fatal(err)
	}
	files := slices.DeleteFunc(glob(t, dir, filepath.Join("data", pattern)), func(path string) bool {
		info, err := os.Stat(path)
		return err != nil || info.Size() == 0
	})
	if len(files) == 0 {
		t.Fatalf("there is no %s", pattern)
	}
	if strings.HasPrefix(pattern, "w") {
		files = files[max(0, len(files)-2):]
	}
	return dir, files[0]
}

// TestDamage demands of the binary what docs/operations.md says of damages, and does what it says is to be done.
func TestDamage(t *testing.T) {
	d := newDamaged(t)
	t.Run("logs", d.testLogs)
	t.Run("blocks", d.testBlocks)
}

func (d *damaged) testLogs(t *testing.T) {
	for _, c := range []struct {
		name, pattern string
		do            func(b []byte, n int) []byte // nil: the file is removed
		level, says   string
		lossless      bool
	}{
		{"torn log", "wal/0*", tear, "WARN", "the last record of a log is not whole", true},
		{"log", "wal/0*", flipInside, "ERROR", "a log is damaged", false},
		{"log of late samples", "wbl/0*", flipInside, "ERROR", "a log is damaged", false},
		{"checkpoint", "wal/checkpoint.*/0*", flipInside, "ERROR", "a log is damaged", false},
		{"segment", "wal/0*", nil, "ERROR", "a file of a log is missing", false},
		{"head chunks", "chunks_head/0*", flipInside, "WARN", "head chunks are damaged", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir, path := d.copy(t, c.pattern)
			if c.name == "torn log" {
				segments := glob(t, dir, "data/wal/0*")
				path = segments[len(segments)-1]
			}
			damageFile(t, path, c.do)
			p := d.start(t, dir)
			lost := d.lost(t, p)
			if c.lossless && lost > 0 || lost == len(d.all()) {
				t.Errorf("%d of %d samples are lost", lost, len(d.all()))
			}
			counted := "promwire_store_damaged_log_files_total 0\n"
			if c.level == "ERROR" {
				counted = "promwire_store_damaged_log_files_total 1\n"
			}
			if !strings.Contains(get(t, p.url+"/metrics"), counted) {
				t.Errorf("the metrics have no %s", counted)
			}
			for _, w := range d.writers { // what comes next is no part of what was lost
				if _, err := writeOne(t, p.write, w.request(w.acked)); err != nil {
					t.Error(err)
				}
			}
			p.kill()
			name := strings.TrimPrefix(path, dir+"/")
			if c.pattern == "chunks_head/0*" {
				name = "data/chunks_head"
			}
			if !logHas(p, "level="+c.level, c.says, name) {
				t.Errorf("the log does not name %s:\n%s", name, p.err)
			}
			if kept := glob(t, dir, "data/damaged/*"); (len(kept) == 1) != strings.Contains(c.says, "damaged") {
				t.Errorf("kept: %v", kept)
			}
			p = d.start(t, dir)
			if again := d.lost(t, p); again != lost {
				t.Errorf("%d samples are lost, and %d at the next start", lost, again)
			}
			t.Logf("%d of %d samples lost", lost, len(d.all()))
		})
	}
}

func logHas(p *process, words ...string) bool {
	for line := range strings.Lines(p.err.String()) {
		if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(line, word) }) {
			return true
		}
	}
	return false
}

func (d *damaged) all() stored {
	all, _ := acknowledgedFrom(d.writers, 0)
	return all
}

// lost returns how many acknowledged samples neither remote read nor queries find. Both have to find the same, and nothing
// that was not written.
func (d *damaged) lost(t *testing.T, p *process) int {
	t.Helper()
	all, oldest := acknowledgedFrom(d.writers, 0)
	read, query := readBack(t, p.read, oldest), queryBack(t, p.url, oldest)
	if !maps.Equal(read, query) {
		t.Errorf("remote read finds %d samples, a query %d", len(read), len(query))
	}
	next := stored{} // may be there
	for _, w := range d.writers {
		for _, ts := range w.request(w.acked).Timeseries {
			next[storedAt{ts.Labels.String(), timeOf(ts)}] = valueOf(ts)
		}
	}
	for at, v := range read {
		if all[at] != v && next[at] != v {
			t.Fatalf("%v is %v, and was never written so", at, v)
		}
	}
	return len(all.notIn(read))
}

// What can happen to a file; what is behind its first n bytes may be zeros that mean nothing.
func flipInside(b []byte, n int) []byte { b[n/2] ^= 0xff; return b } // one bit of a header has no meaning
func cutInside(b []byte, n int) []byte  { return b[:n/2] }
func tear(b []byte, _ int) []byte       { return append(b, 1, 0x10, 0x00, 1, 2, 3, 4, 5) } // as a kill: 5 bytes of 4 KiB

// damageFile changes what is in a file, or removes it.
func damageFile(t *testing.T, path string, do func(b []byte, n int) []byte) {
	t.Helper()
	if do == nil {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		return
	}
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, do(b, len(bytes.TrimRight(b, "\x00"))), 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (d *damaged) testBlocks(t *testing.T) {
	for _, c := range []struct {
		name, pattern string
		do            func(b []byte, n int) []byte
		starts        bool
	}{
		{"no index", "01*/index", nil, false},
		{"index", "01*/index", cutInside, false},
		{"no meta.json", "01*/meta.json", nil, false},
		{"no chunks", "01*/chunks/000001", nil, false},
		{"cut chunks", "01*/chunks/000001", cutInside, false},
		{"chunks", "01*/chunks/000001", flipInside, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir, path := d.copy(t, c.pattern)
			block := strings.Split(strings.TrimPrefix(path, filepath.Join(dir, "data")+"/"), "/")[0]
			damageFile(t, path, c.do)
			if c.starts {
				d.unreadable(t, dir, block)
			} else {
				d.refuses(t, dir, block)
			}
			d.moveAway(t, dir, block)
		})
	}
}

// refuses demands that the server does not start, and names the block.
func (d *damaged) refuses(t *testing.T, dir, block string) {
	t.Helper()
	cmd := exec.Command("promwire", append([]string{"serve", "--listen", "127.0.0.1:0", "--data", "data", "--min-free-disk", "0"}, new(crasher).args()...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || strings.Contains(string(out), "goroutine") {
		t.Fatalf("%v: %s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if last := lines[len(lines)-1]; !strings.Contains(last, "block "+block) {
		t.Errorf("the error does not name the block: %s", last)
	}
}

// unreadable demands that queries of the block fail and name it, and that others are answered.
func (d *damaged) unreadable(t *testing.T, dir, block string) {
	t.Helper()
	p := d.start(t, dir)
	code, text := request(t, http.MethodGet, p.url+"/api/v1/query?query="+url.QueryEscape(writtenSeries+"[25d]"), nil)
	if code == http.StatusOK || !strings.Contains(text, block) {
		t.Errorf("a query of a damaged block: %d %.500s", code, text)
	}
	newest := d.writers[0].times[d.writers[0].acked-1]
	code, text = request(t, http.MethodGet, fmt.Sprintf("%s/api/v1/query?query=m&time=%d", p.url, newest/1000), nil)
	if code != http.StatusOK || !strings.Contains(text, `"series":"9"`) {
		t.Errorf("a query of other times: %d %.500s", code, text)
	}
	p.kill()
}

// moveAway does what the documentation says, and demands that all is there but what was in the block.
func (d *damaged) moveAway(t *testing.T, dir, block string) {
	t.Helper()
	cmd := exec.Command("sh", "-ec", documented(t, "A damaged block"))
	cmd.Env = append(os.Environ(), "DATA="+filepath.Join(dir, "data"), "BLOCK="+block)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p := d.start(t, dir)
	lost, n := d.lost(t, p), len(d.all())
	if lost == 0 || lost == n {
		t.Errorf("without the block, %d of %d samples are lost", lost, n)
	}
	if kept := glob(t, dir, "data.damaged/01*"); len(kept) != 1 || filepath.Base(kept[0]) != block {
		t.Errorf("kept: %v", kept)
	}
}

// documented returns the commands in a section of docs/operations.md.
func documented(t *testing.T, section string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n### "+section+"\n")
	_, rest, code := strings.Cut(rest, "```sh\n")
	commands, _, _ := strings.Cut(rest, "```")
	if !found || !code {
		t.Fatalf("docs/operations.md has no commands in %q", section)
	}
	return commands
}
