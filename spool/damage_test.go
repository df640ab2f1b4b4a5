package spool_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/spool"
)

// segments returns the segment files in order.
func segments(t testing.TB, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no segments: %v", err)
	}
	slices.Sort(files)
	return files
}

func change(t testing.TB, path string, f func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, f(b), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// aside returns the files that were set aside.
func aside(t testing.TB, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.corrupt"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestTornTail(t *testing.T) {
	for _, tail := range [][]byte{{1}, make([]byte, 5000), []byte("\xa5\x70\xb5\xd1 looks like a record, but is none; and it goes on for a while.")} {
		dir := t.TempDir()
		s := open(t, dir)
		reader(t, s, "a")
		write(t, s, 0, 5)
		closeSpool(t, s)
		change(t, segments(t, dir)[0], func(b []byte) []byte { return append(b, tail...) })
		s = open(t, dir)
		write(t, s, 5, 8)
		w := &target{}
		drain(t, reader(t, s, "a"), w)
		checkValues(t, w.values, 0, 8)
		if st := s.Stats(); st.Corrupt != (spool.Corruption{}) || len(aside(t, dir)) > 0 {
			t.Errorf("a torn tail is no corruption: %+v", st)
		}
	}
}

// TestDamage damages a record, or the header, of one of several segments while the spool is closed, or open.
func TestDamage(t *testing.T) {
	for _, test := range []struct {
		name  string
		whole bool // the loss is of one record
		f     func(b []byte) []byte
	}{
		{"body", true, func(b []byte) []byte { b[len(b)/2] ^= 1; return b }},
		{"segment header", false, func(b []byte) []byte { b[9] ^= 1; return b }},
		{"zeros", true, func(b []byte) []byte { clear(b[len(b)/2:][:4]); return b }},
	} {
		for _, segment := range []int{0, 1, 2} {
			dir := t.TempDir()
			s := open(t, dir, spool.WithSegmentBytes(1500))
			reader(t, s, "a")
			write(t, s, 0, 40)
			closeSpool(t, s)
			files := segments(t, dir)
			if len(files) < 4 {
				t.Fatalf("%d segments", len(files))
			}
			change(t, files[segment], test.f)
			var damaged []spool.Damage
			s = open(t, dir, spool.WithHooks(spool.Hooks{Damaged: func(d spool.Damage) { damaged = append(damaged, d) }}))
			r := reader(t, s, "a")
			w := &target{}
			drain(t, r, w)
			lost := 0
			if test.whole {
				lost = 1
			}
			if len(w.values) != 40-lost || !slices.IsSorted(w.values) || r.Stats().Lost != uint64(lost) {
				t.Errorf("%s of segment %d: %d left, %+v", test.name, segment, len(w.values), r.Stats())
			}
			closeSpool(t, s)
			if n := len(aside(t, dir)); n != 1 || len(damaged) == 0 || damaged[0].Records != uint64(lost) {
				t.Errorf("%s of segment %d: %d set aside, reported %+v", test.name, segment, n, damaged)
			}
			// The files that came from the repair are sound.
			s = open(t, dir)
			if st := s.Stats(); st.Corrupt != (spool.Corruption{}) {
				t.Errorf("%s: opened again: %+v", test.name, st)
			}
		}
	}
}

// TestRepairTwice repairs a segment in which several records are damaged, and opens twice before it delivers.
func TestRepairTwice(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, spool.WithSegmentBytes(3000))
	reader(t, s, "a")
	write(t, s, 0, 60)
	closeSpool(t, s)
	change(t, segments(t, dir)[1], func(b []byte) []byte {
		// Headers, so that the scan of headers alone sees it.
		for _, part := range []int{4, 2} {
			at := len(b) / part
			clear(b[at : at+200])
		}
		return b
	})
	s = open(t, dir)
	corrupt := s.Stats().Corrupt
	closeSpool(t, s)
	s = open(t, dir)
	w := &target{}
	r := reader(t, s, "a")
	drain(t, r, w)
	lost := 60 - len(w.values)
	if lost < 2 || lost > 6 || corrupt.Records != uint64(lost) || corrupt.Segments != 1 || r.Stats().Lost != uint64(lost) {
		t.Errorf("lost %d, %+v, %+v", lost, corrupt, r.Stats())
	}
}

func TestVersion(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	write(t, s, 0, 1)
	closeSpool(t, s)
	change(t, segments(t, dir)[0], spool.NextVersion)
	if _, err := spool.Open(dir); !errors.Is(err, spool.ErrVersion) {
		t.Errorf("got %v", err)
	}
	if n := len(segments(t, dir)); n != 1 {
		t.Errorf("%d segments", n)
	}
}

func TestPositionDamaged(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	drain(t, reader(t, s, "a"), &target{})
	write(t, s, 0, 3)
	closeSpool(t, s)
	change(t, filepath.Join(dir, "reader-a.pos"), func(b []byte) []byte { clear(b); return b })
	s = open(t, dir)
	w := &target{}
	drain(t, reader(t, s, "a"), w)
	checkValues(t, w.values, 0, 3)
	if slices.Contains(w.replays, false) {
		t.Errorf("replays %v", w.replays)
	}
}

// TestPowerCut cuts the log at or behind what was forced to disk, and puts garbage there.
func TestPowerCut(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for round := range 30 {
		dir := t.TempDir()
		s := open(t, dir, spool.WithSync(spool.SyncNone), spool.WithSegmentBytes(4000))
		reader(t, s, "a")
		forced := 10 + rnd.IntN(20)
		write(t, s, 0, forced)
		if err := s.Sync(); err != nil {
			t.Fatal(err)
		}
		files := segments(t, dir)
		last := files[len(files)-1]
		info, err := os.Stat(last)
		if err != nil {
			t.Fatal(err)
		}
		write(t, s, forced, forced+rnd.IntN(10))
		closeSpool(t, s)
		for _, f := range segments(t, dir) {
			if f > last && rnd.IntN(2) == 0 {
				if err := os.Remove(f); err != nil {
					t.Fatal(err)
				}
			}
		}
		change(t, last, func(b []byte) []byte {
			from := int(info.Size())
			for i := from; i < len(b); i++ {
				if rnd.IntN(3) == 0 {
					b[i] = byte(rnd.Uint32())
				}
			}
			return b[:from+rnd.IntN(len(b)-from+1)]
		})
		s = open(t, dir)
		w := &target{}
		drain(t, reader(t, s, "a"), w)
		if len(w.values) < forced {
			t.Fatalf("round %d: %d of %d forced records", round, len(w.values), forced)
		}
		checkValues(t, w.values[:forced], 0, forced)
		if !slices.IsSorted(w.values) {
			t.Errorf("round %d: %v", round, w.values)
		}
	}
}

// TestDiskErrors lets syncs and folder syncs fail.
func TestDiskErrors(t *testing.T) {
	for name, faults := range map[string]func(error) func(){"file": spool.FailSync, "folder": spool.FailSyncDir} {
		dir := t.TempDir()
		s := open(t, dir)
		reader(t, s, "a")
		if name == "file" {
			write(t, s, 0, 5)
		}
		before := len(w0(t, dir))
		restore := faults(errRefused)
		for range 3 {
			if _, err := s.Write(t.Context(), request(99)); !errors.Is(err, spool.ErrDisk) || !errors.Is(err, errRefused) ||
				!errors.Is(err, promwire.ErrUnavailable) || !promwire.Retryable(err) {
				t.Fatalf("%s: got %v", name, err)
			}
		}
		restore()
		write(t, s, before*5, 10)
		if n := len(segments(t, dir)); n != before+1 {
			t.Errorf("%s: %d segments: after a failed sync, a new one", name, n)
		}
		w := &target{}
		drain(t, reader(t, s, "a"), w)
		checkValues(t, w.values, 0, 10)
		closeSpool(t, s)
	}
}

func w0(t *testing.T, dir string) []string {
	files, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}
