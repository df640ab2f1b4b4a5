package tsdbstore

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/tsdb/wlog"

	"github.com/promwire/promwire"
)

// inDamaged is what a damaged directory held: for each sample its value, which no two have.
type inDamaged map[string]float64

// write writes samples of a series, with values that nothing else has.
func (in inDamaged) write(t *testing.T, s *Store, series string, times ...int64) {
	t.Helper()
	ts := promwire.TimeSeries{Labels: labelsOf("__name__", series)}
	for _, at := range times {
		v := float64(len(in))
		in[fmt.Sprint(series, " ", base+at)] = v
		ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: base + at, Value: v})
	}
	mustWrite(t, s, ts)
}

// read reads everything, and returns how much is missing. Nothing may be there that was not written.
func (in inDamaged) read(t *testing.T, s *Store) (missing int) {
	t.Helper()
	found := 0
	for _, ts := range readAll(t, s) {
		name := ts.Labels.Get("__name__")
		for _, sample := range ts.Samples {
			if v, ok := in[fmt.Sprint(name, " ", sample.Timestamp)]; !ok || v != sample.Value {
				t.Errorf("%s has %v at %d: written %t, %v", name, sample.Value, sample.Timestamp-base, ok, v)
			}
			found++
		}
	}
	return len(in) - found
}

// newDamaged makes a directory of a store that was killed: with a block, a checkpoint, several segments of both logs, and
// files of head chunks.
func newDamaged(t *testing.T) (dir string, in inDamaged) {
	t.Helper()
	running := t.TempDir()
	in = inDamaged{}
	var s *Store
	const starts = 9
	for start := range starts {
		var err error
		if s, err = Open(running, Options{MinFree: -1}); err != nil {
			t.Fatal(err)
		}
		s.now = func() time.Time { return time.UnixMilli(base) }
		s.db.DisableCompactions()
		from := int64(start-starts) * 40 * minute
		for i := range 150 {
			for k := range 3 {
				in.write(t, s, fmt.Sprint("m", k), from+int64(i)*10*second)
			}
			in.write(t, s, fmt.Sprint("short", start, ".", i/50), from+int64(i)*10*second)
		}
		for i := range 40 {
			in.write(t, s, "m0", from+int64(i)*30*second+1) // late
		}
		if start == starts-4 {
			if err := s.db.Compact(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if start < starts-1 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.db.ForceHeadMMap()
	dir = snapshotDir(t, running)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"01*", "wal/0*", "wal/checkpoint.*/0*", "wbl/0*", "chunks_head/0*"} {
		if len(damageable(t, dir, pattern)) == 0 {
			t.Fatalf("there is no %s", pattern)
		}
	}
	return dir, in
}

// damageable returns the files that match and hold something.
func damageable(t *testing.T, dir, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(found, func(path string) bool {
		info, err := os.Stat(path)
		return err != nil || info.Size() == 0
	})
}

// logDamages are what can happen to a file of a log.
var logDamages = []struct {
	name string
	do   func(t *testing.T, rnd *rand.Rand, path string)
}{
	{"a bit flipped", func(t *testing.T, rnd *rand.Rand, path string) {
		change(t, path, func(b []byte) []byte { b[rnd.IntN(len(b))] ^= 1 << rnd.IntN(8); return b })
	}},
	{"a sector of zeros", func(t *testing.T, rnd *rand.Rand, path string) {
		change(t, path, func(b []byte) []byte {
			at := rnd.IntN(len(b))
			clear(b[at:max(at, min(at+512, len(b)-1))]) // zeros at the end are nothing
			return b
		})
	}},
	{"a sector of something else", func(t *testing.T, rnd *rand.Rand, path string) {
		change(t, path, func(b []byte) []byte {
			at := rnd.IntN(len(b))
			for i := at; i < min(at+512, len(b)); i++ {
				b[i] = byte(rnd.IntN(256))
			}
			return b
		})
	}},
	{"cut", func(t *testing.T, rnd *rand.Rand, path string) {
		change(t, path, func(b []byte) []byte { return b[:withinRecord(b, rnd)] })
	}},
	{"removed", func(t *testing.T, _ *rand.Rand, path string) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}},
}

// withinRecord returns a place in a segment that is not between two records: a log that ends there could well be whole.
func withinRecord(b []byte, rnd *rand.Rand) int {
	between := map[int64]bool{0: true}
	for r := wlog.NewReader(bytes.NewReader(b)); r.Next(); {
		between[r.Offset()] = true
	}
	for {
		if cut := rnd.IntN(len(b)); !between[int64(cut)] {
			return cut
		}
	}
}

// change changes what is in a file, up to the zeros at its end.
func change(t *testing.T, path string, do func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		written := bytes.TrimRight(b, "\x00")
		rest := bytes.Clone(b[len(written):])
		if damaged := do(written); len(damaged) == len(written) {
			b = append(damaged, rest...)
		} else {
			b = damaged
		}
		err = os.WriteFile(path, b, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestDamagedLogs damages logs and head chunks at random: the store opens, says what it has lost, shows nothing that was
// not written so, now and when it has been opened again, and loses nothing more. PROMWIRE_DAMAGE_ROUNDS sets the number
// of rounds.
func TestDamagedLogs(t *testing.T) {
	rounds := 20
	if n, err := strconv.Atoi(os.Getenv("PROMWIRE_DAMAGE_ROUNDS")); err == nil {
		rounds = n
	}
	sound, in := newDamaged(t)
	lossless, lost := 0, 0
	patterns := []string{"wal/0*", "wal/checkpoint.*/0*", "wbl/0*", "chunks_head/0*"}
	for round := range rounds {
		rnd := rand.New(rand.NewPCG(uint64(round), 0))
		dir := snapshotDir(t, sound)
		files := damageable(t, dir, patterns[round%4])
		d := logDamages[round/4%len(logDamages)]
		// How a log began, and that it went on, is only known by the files beside it; that head chunks went on is not.
		switch {
		case d.name == "removed" && round%4 == 0:
			files = files[:len(files)-1]
		case d.name == "removed" && round%4 == 2:
			files = files[1 : len(files)-1]
		case d.name == "removed" && round%4 == 3:
			files = files[1:]
		case d.name == "cut" && round%4 == 3:
			files = files[len(files)-1:]
		}
		path := files[rnd.IntN(len(files))]
		d.do(t, rnd, path)
		missing := openDamaged(t, dir, path, d.name, in)
		if missing == 0 {
			lossless++
		}
		lost += missing
		if t.Failed() {
			t.Fatalf("round %d: %s: %s (%d samples missing)", round, path, d.name, missing)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d damages, %d of them without a loss; %d samples lost of %d each time, all said", rounds, lossless, lost, len(in))
}

func openDamaged(t *testing.T, dir, path, what string, in inDamaged) (missing int) {
	t.Helper()
	var log bytes.Buffer
	open := func() *Store {
		s, err := Open(dir, Options{MinFree: -1, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatalf("%s: %s: %v\n%s", path, what, err, &log)
		}
		s.now = func() time.Time { return time.UnixMilli(base) }
		return s
	}
	s := open()
	missing = in.read(t, s)
	headChunks := strings.Contains(path, "chunks_head")
	named := strings.Contains(log.String(), path)
	switch {
	case missing > 0 && (headChunks || !named):
		t.Errorf("%d samples are missing:\n%s", missing, &log)
	case missing > 0 && s.damages.Load() == 0 && !strings.Contains(log.String(), "is cut off"):
		t.Errorf("%d samples are missing, and no damage is counted:\n%s", missing, &log)
	}
	// New series must not get what is left of lost ones.
	later := inDamaged{}
	for i := range 40 {
		later.write(t, s, fmt.Sprint("later", i), int64(i))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	log.Reset()
	s = open()
	defer s.Close()
	all := inDamaged{}
	for _, part := range []inDamaged{in, later} {
		for at, v := range part {
			all[at] = v
		}
	}
	if n := all.read(t, s); n != missing || strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("the next start misses %d samples, not %d\n%s", n, missing, &log)
	}
	return missing
}
