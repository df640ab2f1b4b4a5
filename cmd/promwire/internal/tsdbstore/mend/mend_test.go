package mend

import (
	"bytes"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/prometheus/prometheus/tsdb/wlog"
	"github.com/prometheus/prometheus/util/compression"
)

// newLog writes records of all sizes to a log of its own, and returns its only segment. Each record is of samples, and
// tells which one it is.
func newLog(t *testing.T, dir string, n, largest int, compress compression.Type) (path string, records [][]byte) {
	t.Helper()
	log, err := wlog.NewSize(slog.New(slog.DiscardHandler), nil, dir, wlog.DefaultSegmentSize, compress)
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		rec := make([]byte, 3+rnd.IntN(largest))
		for k := range rec {
			rec[k] = byte(rnd.IntN(20)) // so that it can be compressed
		}
		rec[0], rec[1], rec[2] = 2, byte(i>>8), byte(i)
		records = append(records, rec)
	}
	if err := log.Log(records...); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "00000000"), records
}

// readRecords reads a segment as the TSDB does, and leaves out what means nothing.
func readRecords(segment []byte) (records [][]byte, err error) {
	padding := bytes.NewReader(make([]byte, (pageSize-len(segment)%pageSize)%pageSize))
	r := wlog.NewReader(io.MultiReader(bytes.NewReader(segment), padding))
	for r.Next() {
		if rec := r.Record(); len(rec) > 0 && rec[0] != 0 {
			records = append(records, bytes.Clone(rec))
		}
	}
	return records, r.Err()
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// mended returns what a segment is like when it has been mended, and what was found in it.
func mended(t *testing.T, damaged []byte) ([]byte, findings) {
	t.Helper()
	found, err := walk(bytes.NewReader(damaged))
	if err != nil {
		t.Fatal(err)
	}
	s := segment{findings: found}
	var out memory
	if err := s.copy(&out, bytes.NewReader(damaged)); err != nil {
		t.Fatal(err)
	}
	return out, found
}

// memory is a file in memory.
type memory []byte

func (m *memory) Write(b []byte) (int, error) {
	*m = append(*m, b...)
	return len(b), nil
}

func (m memory) WriteAt(b []byte, at int64) (int, error) { return copy(m[at:], b), nil }

func (m *memory) Truncate(size int64) error {
	*m = (*m)[:size]
	return nil
}

// missing returns how many of the records are not in got, which must hold nothing else, and all in their order.
func missing(t *testing.T, records, got [][]byte) (n int) {
	t.Helper()
	for _, rec := range records {
		if len(got) > 0 && bytes.Equal(rec, got[0]) {
			got = got[1:]
		} else {
			n++
		}
	}
	if len(got) > 0 {
		t.Errorf("%d records that are none: %.50x...", len(got), got[0])
	}
	return n
}

// logLines is a log that tests look at.
type logLines struct{ bytes.Buffer }

func (l *logLines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *logLines) has(words ...string) bool {
	for line := range bytes.Lines(l.Bytes()) {
		if !slices.ContainsFunc(words, func(word string) bool { return !bytes.Contains(line, []byte(word)) }) {
			return true
		}
	}
	return false
}

// damage is a segment that tests damage.
type damage struct {
	dir, path string
	records   [][]byte
	sound     []byte // without the zeros at its end
}

func newDamage(t *testing.T, n, largest int, compress compression.Type) *damage {
	t.Helper()
	d := &damage{dir: t.TempDir()}
	d.path, d.records = newLog(t, filepath.Join(d.dir, "wal"), n, largest, compress)
	d.sound = bytes.TrimRight(readFile(t, d.path), "\x00")
	return d
}

func (d *damage) write(t *testing.T, b []byte) {
	t.Helper()
	if err := os.WriteFile(d.path, b, 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedByte changes bytes of segments, and demands that a record is lost at the most, that this is found, and
// that the TSDB finds nothing to complain about in what was mended.
func TestDamagedByte(t *testing.T) {
	for _, compress := range []compression.Type{compression.None, compression.Snappy, compression.Zstd} {
		for _, size := range []struct{ records, largest, step int }{{12, 60, 1}, {9, 40 << 10, 15013}, {3, 90 << 10, 50021}} {
			d := newDamage(t, size.records, size.largest, compress)
			for at := range d.sound {
				// What is in the middle of records, and the first header of each page.
				if at%size.step == 0 || at%pageSize < headerSize {
					d.change(t, at, 1<<(at/size.step%8))
					d.change(t, at, 0xff)
					d.change(t, at, d.sound[at]) // zero
				}
			}
		}
	}
}

// change changes a byte.
func (d *damage) change(t *testing.T, at int, by byte) {
	t.Helper()
	damaged := bytes.Clone(d.sound)
	damaged[at] ^= by
	out, found := mended(t, damaged)
	got, err := readRecords(out)
	lost := missing(t, d.records, got)
	if err != nil || lost > 1 || lost == 1 && !found.damaged() {
		t.Fatalf("byte %d of %d changed by %#x: %d records lost, %+v; the TSDB finds %v", at, len(d.sound), by, lost, found, err)
	}
}

// TestDamagedLog changes a byte, and looks at what is said and kept.
func TestDamagedLog(t *testing.T) {
	d := newDamage(t, 9, 40<<10, compression.Snappy)
	damaged := bytes.Clone(d.sound)
	damaged[pageSize+1000] ^= 1
	d.write(t, damaged)
	var log logLines
	found, err := Logs(d.dir, log.logger())
	if err != nil || found.Damages != 1 || !log.has("level=ERROR", "file="+d.path, "lost") {
		t.Errorf("%d damages, %v\n%s", found.Damages, err, &log)
	}
	if got, err := readRecords(readFile(t, d.path)); err != nil || missing(t, d.records, got) != 1 {
		t.Errorf("%d records of %d, %v", len(got), len(d.records), err)
	}
	kept, err := filepath.Glob(filepath.Join(d.dir, DamagedDir, "*-wal-00000000"))
	if err != nil || len(kept) != 1 || !log.has("original="+kept[0]) {
		t.Fatalf("the original is not kept: %v, %v\n%s", kept, err, &log)
	}
	if !bytes.Equal(readFile(t, kept[0]), damaged) {
		t.Error("the original is not what it was")
	}
	if found, err := Logs(d.dir, log.logger()); found.Damages != 0 || err != nil {
		t.Errorf("the next start: %d damages, %v", found.Damages, err)
	}
}

// TestTornRecord cuts a segment at the bytes of its last record, and demands that this is all that is lost, and that it
// counts as what a kill leaves.
func TestTornRecord(t *testing.T) {
	for _, largest := range []int{60, 100 << 10} {
		d := newDamage(t, 5, largest, compression.Snappy)
		before := 0
		found, err := walk(bytes.NewReader(d.sound), func([]byte, []place) { before++ })
		if err != nil || before != len(d.records) || found.damaged() || found.cut >= 0 {
			t.Fatalf("%d records, %+v, %v", before, found, err)
		}
		for cut := len(d.sound) - 1; cut > len(d.sound)/2; cut -= 1 + len(d.sound)/100 {
			d.write(t, d.sound[:cut])
			var log logLines
			found, err := Logs(d.dir, log.logger())
			if err != nil || found.Damages != 0 {
				t.Fatalf("cut to %d of %d: %d damages, %v", cut, len(d.sound), found.Damages, err)
			}
			got, err := readRecords(readFile(t, d.path))
			if err != nil || missing(t, d.records[:len(got)], got) != 0 {
				t.Fatalf("cut to %d of %d: %d records; the TSDB finds %v", cut, len(d.sound), len(got), err)
			}
			info, err := os.Stat(d.path)
			if err != nil || info.Size() < int64(cut) != log.has("level=WARN", "file="+d.path, "not acknowledged") {
				t.Fatalf("cut to %d of %d: %v\n%s", cut, len(d.sound), err, &log)
			}
		}
	}
}

// TestTornBefore demands that a record that was not written to its end is no trace of a kill where others follow.
func TestTornBefore(t *testing.T) {
	d := newDamage(t, 5, 60, compression.Snappy)
	d.write(t, d.sound[:len(d.sound)-5])
	if err := os.WriteFile(filepath.Join(d.dir, "wal", "00000001"), d.sound, 0o666); err != nil {
		t.Fatal(err)
	}
	var log logLines
	if found, err := Logs(d.dir, log.logger()); found.Damages != 1 || err != nil || !log.has("level=ERROR", "file="+d.path, "lost") {
		t.Errorf("%d damages, %v\n%s", found.Damages, err, &log)
	}
}

// TestMissingFiles removes segments, and demands that the others are read.
func TestMissingFiles(t *testing.T) {
	for _, c := range []struct {
		name    string
		there   []string // of a log
		missing []string // that are said to be
	}{
		{"nothing", nil, nil},
		{"first start", []string{"wal/00000000"}, nil},
		{"in the middle", []string{"wal/00000000", "wal/00000003"}, []string{"wal/00000001", "wal/00000002"}},
		{"of the other log", []string{"wal/00000000", "wbl/00000004", "wbl/00000006"}, []string{"wbl/00000005"}},
		{"checkpoint", []string{"wal/00000007", "wal/00000008"}, []string{"wal/checkpoint.00000006/00000000"}},
		{"the first one", []string{"wal/checkpoint.00000006/00000000", "wal/00000008"}, []string{"wal/00000007"}},
		{"none is", []string{"wal/checkpoint.00000006/00000000", "wal/00000005", "wal/00000006", "wal/00000007"}, nil},
		{"all behind a checkpoint", []string{"wal/checkpoint.00000006/00000000"}, []string{"wal/00000007"}},
		{"all but old ones", []string{"wal/checkpoint.00000006/00000000", "wal/00000005"}, []string{"wal/00000006", "wal/00000007"}},
		{"of a checkpoint", []string{"wal/checkpoint.00000006/00000001", "wal/00000007"}, []string{"wal/checkpoint.00000006/00000000"}},
		{"the whole log", []string{"wbl/00000000"}, []string{"wal/00000000"}},
	} {
		dir := t.TempDir()
		for _, name := range c.there {
			newLog(t, filepath.Join(dir, "other"), 3, 20, compression.None)
			if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(filepath.Join(dir, "other", "00000000"), filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		var log logLines
		found, err := Logs(dir, log.logger())
		if err != nil || found.Damages != len(c.missing) {
			t.Errorf("%s: %d damages, %v\n%s", c.name, found.Damages, err, &log)
		}
		for _, name := range c.missing {
			if !log.has("level=ERROR", "missing", "file="+filepath.Join(dir, name)) {
				t.Errorf("%s: the log does not name %s:\n%s", c.name, name, &log)
			}
		}
		if found, err := Logs(dir, log.logger()); found.Damages != 0 || err != nil {
			t.Errorf("%s: the next start: %d damages, %v", c.name, found.Damages, err)
		}
		for _, log := range []string{"wal", "wbl"} {
			if first, _, err := wlog.Segments(filepath.Join(dir, log)); err != nil && !os.IsNotExist(err) {
				t.Errorf("%s: %d, %v", c.name, first, err)
			}
		}
	}
}

// TestFarApart refuses to make thousands of files.
func TestFarApart(t *testing.T) {
	dir := t.TempDir()
	newLog(t, filepath.Join(dir, "wal"), 1, 20, compression.None)
	if err := os.WriteFile(filepath.Join(dir, "wal", "99999999"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Logs(dir, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("no error")
	}
}

// FuzzWalk demands that whatever a segment holds, mending it leaves nothing to mend.
func FuzzWalk(f *testing.F) {
	f.Add([]byte{1, 0, 1, 0, 0, 0, 0, 2}, uint16(0))
	f.Add([]byte{2, 0x7f, 0xf9, 0, 0, 0, 0, 2}, uint16(40000))
	f.Fuzz(func(t *testing.T, b []byte, padding uint16) {
		b = append(b, make([]byte, padding)...)
		out, _ := mended(t, b)
		found, err := walk(bytes.NewReader(out))
		if err != nil || found.damaged() || found.cut >= 0 {
			t.Errorf("%+v, %v", found, err)
		}
		if _, err := readRecords(out); err != nil {
			t.Error(err)
		}
	})
}
