package tsdbstore

import (
	"os"
	"path/filepath"
	"testing"
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
