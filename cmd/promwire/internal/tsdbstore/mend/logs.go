package mend

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/prometheus/tsdb/record"
	"github.com/prometheus/prometheus/tsdb/wlog"
)

// directory is a data directory that is being looked through.
type directory struct {
	dir string
	log *slog.Logger
	now time.Time

	walSegments []string  // that there are, those of the checkpoint too
	segments    []segment // that have to be changed
	missing     []string  // segments that should be there
	late        lateChunks
	exemplars   bool // there are some in the logs
}

func newDirectory(dir string, log *slog.Logger) *directory {
	return &directory{dir: dir, log: log, now: time.Now()}
}

// Found is what was seen in the logs.
type Found struct {
	Damages   int  // files that have lost something that may have been acknowledged
	Exemplars bool // there may be some
}

// Logs looks through all logs of the TSDB in dir, and mends them. It says in the log what was wrong in which file. Originals
// of what was damaged are in [DamagedDir] from then on. Nobody may have the TSDB open.
func Logs(dir string, log *slog.Logger) (found Found, err error) {
	d := newDirectory(dir, log)
	if err := d.headChunks(); err != nil {
		return found, fmt.Errorf("mend the head chunks: %w", err)
	}
	if err := errors.Join(d.writeAheadLog(), d.outOfOrderLog()); err != nil {
		return found, fmt.Errorf("look for damages: %w", err)
	}
	found.Exemplars = d.exemplars
	if found.Damages, err = d.mend(); err != nil {
		return found, fmt.Errorf("mend the logs: %w", err)
	}
	if err := d.reserve(); err != nil {
		return found, fmt.Errorf("reserve numbers of lost series: %w", err)
	}
	return found, nil
}

func (d *directory) wal() string { return filepath.Join(d.dir, "wal") }
func (d *directory) wbl() string { return filepath.Join(d.dir, wlog.WblDirName) }

// writeAheadLog looks through the last checkpoint and the segments behind it.
func (d *directory) writeAheadLog() error {
	segments, err := numbered(d.wal())
	if err != nil {
		return err
	}
	checkpoint, upTo, err := wlog.LastCheckpoint(d.wal())
	switch {
	case err == nil:
		if err := d.checkpoint(checkpoint); err != nil {
			return err
		}
		segments.from = upTo + 1 // without it, the TSDB would log into segments that it does not read again
	case len(segments.files) == 0:
		if d.inUse() {
			segments.from = 0
		}
	case segments.files[0].number > 0:
		gone := wlog.CheckpointDir(d.wal(), segments.files[0].number-1)
		d.missing = append(d.missing, filepath.Join(gone, "00000000"))
	}
	return d.look(&segments, true)
}

// checkpoint looks through the segments of a checkpoint.
func (d *directory) checkpoint(dir string) error {
	segments, err := numbered(dir)
	if err != nil {
		return err
	}
	segments.from = 0
	return d.look(&segments, false) // it got its name when it was written
}

// outOfOrderLog looks through the log of late samples.
func (d *directory) outOfOrderLog() error {
	segments, err := numbered(d.wbl())
	if err != nil {
		return err
	}
	return d.look(&segments, true)
}

// inUse reports whether there is something else that belongs to a log.
func (d *directory) inUse() bool {
	for _, dir := range []string{d.wbl(), filepath.Join(d.dir, headChunksDir)} {
		files, _ := numbered(dir) // what can't be listed is found out elsewhere
		for i := range files.files {
			if info, err := os.Stat(files.path(i)); err == nil && info.Size() > 0 {
				return true
			}
		}
	}
	return false
}

// look reads segments. A kill can tear the last one that has anything.
func (d *directory) look(segments *files, killable bool) error {
	gaps, err := segments.gaps()
	if err != nil {
		return err
	}
	d.missing = append(d.missing, gaps...)
	for i := len(segments.files) - 1; i >= 0; i-- {
		path := segments.path(i)
		var stale []place
		s, err := readSegment(path, func(rec []byte, fragments []place) {
			var decoder record.Decoder
			switch decoder.Type(rec) {
			case record.MmapMarkers:
				if d.late.stale(rec) {
					stale = append(stale, fragments...)
				}
			case record.Exemplars:
				d.exemplars = true
			}
		})
		if err != nil {
			return err
		}
		s.stale = stale
		s.torn = killable && s.cut >= 0 && !s.damaged()
		killable = killable && s.size == 0
		if s.damaged() || s.cut >= 0 || len(s.stale) > 0 {
			d.segments = append(d.segments, s)
		}
		if strings.HasPrefix(path, d.wal()) {
			d.walSegments = append(d.walSegments, path)
		}
	}
	return nil
}

// lost returns how many files have lost something that may have been acknowledged.
func (d *directory) lost() int {
	n := len(d.missing)
	for i := range d.segments {
		if s := &d.segments[i]; s.damaged() || s.cut >= 0 && !s.torn {
			n++
		}
	}
	return n
}

// mend does what has to be done to all that was found. A damage is out of the world as the last thing: a start that ends
// before finds it again, and does the rest.
func (d *directory) mend() (damages int, err error) {
	if damages = d.lost(); damages > 0 {
		if err := d.raise(); err != nil {
			return 0, err
		}
	}
	for i := range d.segments {
		if err := d.segment(&d.segments[i]); err != nil {
			return 0, err
		}
	}
	for _, path := range d.missing {
		d.log.Error("a file of a log is missing: what was in it is lost, all else is read", "file", path)
		if err := createEmpty(path); err != nil {
			return 0, err
		}
	}
	return damages, nil
}

func (d *directory) segment(s *segment) error {
	offset, bytes := s.lost()
	switch {
	case !s.damaged() && s.cut < 0:
		return s.trim()
	case s.torn:
		d.log.Warn("the last record of a log is not whole and is cut off: a kill leaves that, and then it was not acknowledged",
			"file", s.path, "offset", offset, "bytes", bytes)
		return s.trim()
	}
	kept, err := d.keep(s.path, linkOrCopy)
	if err != nil {
		return err
	}
	d.log.Error("a log is damaged: what can't be read is lost, all else is read",
		"file", s.path, "offset", offset, "bytes", bytes, "original", kept)
	return s.mend()
}

func createEmpty(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), syncDir(filepath.Dir(path)))
}
