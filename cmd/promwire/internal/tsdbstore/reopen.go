package tsdbstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/promwire/promwire"
)

// reopenEvery is the least time between two tries to open the TSDB anew.
const reopenEvery = 2 * time.Second

// reopen opens the TSDB anew after a log write failed, once the disk takes data again and nobody reads.
//
// It is needed, for the TSDB itself goes on behind a torn record: whatever it logged there would be cut off by the next
// start, and series that the failed request created are in no log at all.
func (s *Store) reopen() error {
	if !s.reopenMu.TryLock() {
		return errReopening
	}
	defer s.reopenMu.Unlock()
	switch {
	case s.closed:
		return errClosed
	case !s.failed.Load():
		return nil // somebody was faster
	case s.now().Sub(s.tried) < reopenEvery:
		return fmt.Errorf("%w: a write to the log of data directory %s failed a moment ago", promwire.ErrUnavailable, s.dir)
	}
	s.space.forget()
	if err := s.space.check(s.now()); err != nil {
		return err
	}
	if s.db != nil && !s.gate.shutIfIdle(errReopening) {
		s.wanted.Store(true)
		return errReopening
	}
	s.tried = s.now()
	if err := s.replace(); err != nil {
		return fmt.Errorf("%w: %w", promwire.ErrUnavailable, err)
	}
	s.wanted.Store(false)
	s.reopens.Add(1)
	s.log.Info("opened the TSDB anew after a failed write")
	return nil
}

// replace closes the TSDB and opens it again; nobody uses it. If it fails before the closing, readers may go on.
func (s *Store) replace() error {
	if s.db != nil {
		if err := s.probe(); err != nil {
			s.gate.open()
			return fmt.Errorf("data directory %s does not take data: %w", s.dir, err)
		}
		if err := s.db.Close(); err != nil {
			s.log.Warn("closing the TSDB after a failed write", "err", err)
		}
		s.db = nil
	}
	if err := s.open(); err != nil {
		return err
	}
	s.gate.open()
	return nil
}

// probe writes as much as the repair of a torn log segment is going to. The repair empties the segment before it
// writes it again, so it must not meet the full disk that tore it.
func (s *Store) probe() (err error) {
	size := int64(1 << 20)
	for _, log := range []string{"wal", "wbl"} {
		segments, err := os.ReadDir(filepath.Join(s.dir, log))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		for _, e := range segments[max(len(segments)-2, 0):] {
			if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
				size += info.Size()
			}
		}
	}
	f, err := os.Create(filepath.Join(s.dir, "probe.tmp"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	for zeros := make([]byte, 1<<20); size > 0; size -= int64(len(zeros)) {
		if _, err := f.Write(zeros); err != nil {
			return err
		}
	}
	return f.Sync()
}
