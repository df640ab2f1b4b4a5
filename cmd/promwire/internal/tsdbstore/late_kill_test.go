package tsdbstore

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/prometheus/tsdb"
)

// snapshotDir copies the directory of a running store: what a kill -9 would leave.
func snapshotDir(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// Late samples survive a kill, and every start and end after it.
func TestLateSamplesAfterKill(t *testing.T) {
	for _, late := range []int{32, 33, 65} {
		dir := t.TempDir()
		s := openStore(t, dir, Options{})
		mustWrite(t, s, float("a", 1000, 1))
		for i := range late {
			mustWrite(t, s, float("a", float64(900-i), float64(i)))
		}
		dir = snapshotDir(t, dir)
		for round := range 4 {
			s := openStore(t, dir, Options{})
			got := readAll(t, s)
			if n := len(times(got[0])); n != late+1 {
				t.Errorf("%d late: start %d: %d samples, want %d", late, round, n, late+1)
			}
			mustWrite(t, s, float("b", float64(1000+round), 1))
			if round == 1 {
				dir = snapshotDir(t, dir)
				continue
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Late samples survive kills as well where several come in a request, whatever waits to be written to head chunks.
func TestLateRequestsAfterKill(t *testing.T) {
	for seed := range uint64(6) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		in, next := inDamaged{}, int64(0)
		dir := t.TempDir()
		s := openStore(t, dir, Options{})
		in.write(t, s, "a", 500_000)
		write := func() {
			var times []int64
			for range 1 + rnd.IntN(100) {
				times = append(times, next)
				next += 100
			}
			in.write(t, s, "a", times...)
		}
		write()
		for start := range 5 {
			write()
			if rnd.IntN(2) == 0 {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			dir = snapshotDir(t, dir)
			s = openStore(t, dir, Options{})
			if n := in.read(t, s); n != 0 {
				t.Fatalf("seed %d, start %d: %d of %d late samples are lost", seed, start, n, len(in))
			}
		}
	}
}

// A kill while blocks are made of late samples, and others come, loses neither.
func TestLateSamplesWhileCompacting(t *testing.T) {
	for _, late := range []int{5, 40} {
		in := inDamaged{}
		running := t.TempDir()
		s := openStore(t, running, Options{})
		in.write(t, s, "a", 500_000)
		for i := range late {
			in.write(t, s, "a", int64(1000*i))
		}
		if _, err := tsdb.NewOOOCompactionHead(t.Context(), s.db.Head()); err != nil {
			t.Fatal(err)
		}
		in.write(t, s, "a", 400_000)
		in.write(t, s, "a", 400_001)
		dir := snapshotDir(t, running)
		for start := range 2 {
			s := openStore(t, dir, Options{})
			if n := in.read(t, s); n != 0 {
				t.Errorf("start %d: %d of %d late samples are lost", start, n, len(in))
			}
			dir = snapshotDir(t, dir)
		}
	}
}

// tear makes the last record of a log one that was written in part.
func tear(t *testing.T, log string) {
	t.Helper()
	segments, err := os.ReadDir(log)
	if err != nil || len(segments) == 0 {
		t.Fatal(len(segments), err)
	}
	f, err := os.OpenFile(filepath.Join(log, segments[len(segments)-1].Name()), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write([]byte{1, 0x10, 0x00, 1, 2, 3, 4, 5}); err != nil { // of a record of 4 KiB
		t.Fatal(err)
	}
}

// A kill in the middle of a write to a log costs nothing that was acknowledged, and hides nothing.
func TestTornLogs(t *testing.T) {
	for _, torn := range [][]string{{"wal"}, {"wbl"}, {"wal", "wbl"}} {
		running := t.TempDir()
		s := openStore(t, running, Options{})
		mustWrite(t, s, float("a", 1000, 1))
		for i := range 40 {
			mustWrite(t, s, float("a", float64(900-i), float64(i)))
		}
		dir := snapshotDir(t, running)
		for _, log := range torn {
			tear(t, filepath.Join(dir, log))
		}
		s = openStore(t, dir, Options{})
		if got := readAll(t, s); len(got) != 1 || len(got[0].Samples) != 41 {
			t.Fatalf("%v torn: %d series, %v", torn, len(got), got)
		}
		mustWrite(t, s, float("a", 800, 1))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openStore(t, dir, Options{})
		if got := readAll(t, s); len(got) != 1 || len(got[0].Samples) != 42 {
			t.Fatalf("%v torn, second start: %d series, %v", torn, len(got), got)
		}
	}
}
