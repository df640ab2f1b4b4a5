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
		if err := s.orEnd(s.db.Close); err != nil {
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

// Reopenable returns nil if the store, which is open and which nobody writes to, could be closed and opened again now.
func (s *Store) Reopenable() error {
	if s.failed.Load() {
		return errReopening
	}
	s.space.forget()
	if err := s.space.check(s.now()); err != nil {
		return err
	}
	if err := s.probe(); err != nil {
		return fmt.Errorf("data directory %s does not take data: %w", s.dir, err)
	}
	return nil
}

// probeSize is more than what closing the TSDB and opening it again write at once: a buffer of head chunks (4 MiB), room for
// a new file of them, and the starts of new logs.
const probeSize = 8 << 20

// probe finds out whether the disk takes data again.
func (s *Store) probe() (err error) {
	f, err := os.Create(filepath.Join(s.dir, "probe.tmp"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if _, err := f.Write(make([]byte, probeSize)); err != nil {
		return err
	}
	return f.Sync()
}
