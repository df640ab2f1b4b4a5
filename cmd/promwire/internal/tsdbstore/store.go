package tsdbstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/prometheus/tsdb"

	"github.com/promwire/promwire"
)

var (
	_ promwire.Storage     = (*Store)(nil)
	_ promwire.ChunkReader = (*Store)(nil)
)

// Store is a TSDB in a directory. It is safe for concurrent use.
type Store struct {
	dir  string
	opts Options // as they take effect
	log  *slog.Logger
	now  func() time.Time

	// gate is held for reading while db is used, and for writing while it is replaced or closed.
	gate sync.RWMutex
	db   *tsdb.DB // nil once closed, or while a failed reopening waits for the next one
	logs *logWatch

	// failed says that a log write failed, so that nothing may be acknowledged before the TSDB is opened anew.
	failed   atomic.Bool
	reopened atomic.Int64 // Unix nanoseconds of the last try
	closed   bool         // under gate

	space    freeSpace
	families families
	cache    seriesCache
	batches  sync.Pool
}

// Open opens the store in dir, which is created if it does not exist, and replays its logs. It fails if another
// process has the directory, if it cannot be written, and if the disk has less than [Options.MinFree] left.
func Open(dir string, o Options) (*Store, error) {
	o = o.withDefaults()
	s := &Store{dir: dir, opts: o, log: o.Logger, now: time.Now}
	s.space.dir, s.space.min = dir, o.MinFree
	s.families.path, s.families.max, s.families.log = filepath.Join(dir, familiesFile), o.MaxFamilies, o.Logger
	s.families.m = map[string]promwire.Metadata{}
	s.batches.New = func() any { return &batch{} }
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("data directory %s cannot be used: %w", dir, err)
	}
	if err := s.open(); err != nil {
		return nil, err
	}
	if err := s.families.load(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// open opens the TSDB; the caller owns the gate.
func (s *Store) open() error {
	if err := s.space.check(s.now()); err != nil {
		return err
	}
	logs := &logWatch{}
	db, err := tsdb.Open(s.dir, s.log, logs, s.opts.tsdb(), nil)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return fmt.Errorf("data directory %s is in use by another process: %w", s.dir, err)
	case err != nil:
		return fmt.Errorf("data directory %s cannot be opened: %w", s.dir, err)
	}
	s.db, s.logs = db, logs
	s.cache.reset() // references are good for one TSDB
	s.failed.Store(false)
	return nil
}

// Close waits for running reads and writes and closes the files. Later calls of any method give an error that wraps
// [promwire.ErrUnavailable]; a second Close does nothing.
func (s *Store) Close() error {
	s.gate.Lock()
	defer s.gate.Unlock()
	s.closed = true
	if s.db == nil {
		return nil
	}
	err := s.db.Close()
	s.db = nil
	if err != nil {
		return fmt.Errorf("close data directory %s: %w", s.dir, err)
	}
	return nil
}

// use returns the TSDB, and keeps it open until release is called.
func (s *Store) use(ctx context.Context) (*tsdb.DB, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.gate.RLock()
	if s.db != nil {
		return s.db, nil
	}
	defer s.gate.RUnlock()
	if s.closed {
		return nil, fmt.Errorf("%w: the store is closed", promwire.ErrUnavailable)
	}
	return nil, fmt.Errorf("%w: the store could not be opened anew after a failed write", promwire.ErrUnavailable)
}

func (s *Store) release() { s.gate.RUnlock() }
