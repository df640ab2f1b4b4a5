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
	"github.com/prometheus/prometheus/tsdb/fileutil"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore/mend"
)

var (
	_ promwire.Storage     = (*Store)(nil)
	_ promwire.ChunkReader = (*Store)(nil)
)

// Store is a TSDB in a directory. It is safe for concurrent use.
type Store struct {
	dir  string
	opts atomic.Pointer[Options] // as they take effect; some may change (reconfigure.go)
	log  *slog.Logger
	now  func() time.Time

	// gate is entered to use db, and shut to replace or to close it.
	gate gate
	db   *tsdb.DB // nil if the gate is shut for good, or because db could not be opened anew
	logs *logWatch

	// failed says that a log write failed, so that nothing may be acknowledged before the TSDB is opened anew.
	failed   atomic.Bool
	reopens  atomic.Int64 // how often that was done
	damages  atomic.Int64 // files of logs that were found damaged or missing, so far
	reopenMu sync.Mutex   // held to replace or close db
	closed   bool         // under reopenMu
	tried    time.Time    // under reopenMu: when it was last tried to open db anew

	// writing is held from the first append of a request to its commit. The TSDB judges samples against what is
	// committed, and drops in silence at the commit what a parallel request has overtaken: it would be counted as written.
	writing sync.Mutex
	noRing  bool // under writing, and set while the TSDB is opened: no exemplar came yet, and none is in the logs (exemplarring.go)

	// wanted says that the TSDB is to be opened anew and that readers are in the way, so that no more of them begin.
	wanted atomic.Bool

	snapshotting sync.Mutex // held while a snapshot is taken

	lock fileutil.Releaser

	space    freeSpace
	families families
	cache    seriesCache
	batches  sync.Pool
}

// Open opens the store in dir, which is created if it does not exist, and replays its logs. It fails if another
// process has the directory, if it cannot be written, and if the disk has less than [Options.MinFree] left.
func Open(dir string, o Options) (*Store, error) {
	o = o.withDefaults()
	s := &Store{dir: dir, log: o.Logger, now: time.Now}
	s.opts.Store(&o)
	s.space.dir, s.space.min = dir, o.MinFree
	s.families.path, s.families.max, s.families.log = filepath.Join(dir, familiesFile), o.MaxFamilies, o.Logger
	s.families.m = map[string]promwire.Metadata{}
	s.batches.New = func() any { return &batch{} }
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("data directory %s cannot be used: %w", dir, err)
	}
	if err := s.acquire(); err != nil {
		return nil, err
	}
	if err := s.open(); err != nil {
		return nil, errors.Join(err, s.lock.Release())
	}
	if err := s.families.load(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// lockFile keeps a second process out before it touches anything: the TSDB tidies the directory up before it takes its
// own lock, under the feet of the process that has it.
const lockFile = "promwire.lock"

// acquire takes the directory for this process, until Close.
func (s *Store) acquire() error {
	lock, _, err := fileutil.Flock(filepath.Join(s.dir, lockFile))
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return fmt.Errorf("data directory %s is in use by another process: %w", s.dir, err)
	case err != nil:
		return fmt.Errorf("data directory %s cannot be used: %w", s.dir, err)
	}
	s.lock = lock
	return nil
}

// maxRepairs bounds how often the TSDB is opened to have its logs repaired: each log once, and once more.
const maxRepairs = 3

// open opens the TSDB; nobody uses it yet.
//
// Its logs are mended before. Should it find something in them nevertheless, it repairs them, and goes on without all that
// is behind it, and without all of the out-of-order log, if it was in the other one. So it is opened once more.
func (s *Store) open() error {
	if err := s.space.check(s.now()); err != nil {
		return err
	}
	for range maxRepairs {
		if err := s.mend(); err != nil {
			return fmt.Errorf("data directory %s cannot be opened: %w", s.dir, err)
		}
		logs := &logWatch{}
		db, err := tsdb.Open(s.dir, s.log, logs, s.opts.Load().tsdb(s.noRing), nil)
		switch {
		case errors.Is(err, syscall.EWOULDBLOCK):
			return fmt.Errorf("data directory %s is in use by another process: %w", s.dir, err)
		case err != nil:
			return fmt.Errorf("data directory %s cannot be opened: %w", s.dir, err)
		case logs.damages() == 0:
			return s.opened(db, logs)
		}
		s.damages.Add(1)
		s.log.Error("the TSDB repaired a log: opening it anew to read all that is left")
		if err := errors.Join(db.Close(), mend.Reserve(s.dir, s.log)); err != nil {
			return fmt.Errorf("data directory %s cannot be opened anew after a repair: %w", s.dir, err)
		}
	}
	return fmt.Errorf("data directory %s: its logs are still damaged after %d repairs", s.dir, maxRepairs)
}

// opened takes a TSDB that has read everything.
func (s *Store) opened(db *tsdb.DB, logs *logWatch) error {
	if err := checkBlocks(s.dir, db, s.log); err != nil {
		return fmt.Errorf("data directory %s cannot be opened: %w", s.dir, errors.Join(err, db.Close()))
	}
	s.db, s.logs = db, logs
	s.cache.reset() // references are good for one TSDB
	s.failed.Store(false)
	return nil
}

func (s *Store) mend() error {
	found, err := mend.Logs(s.dir, s.log)
	s.damages.Add(int64(found.Damages))
	s.noRing = !found.Exemplars
	return err
}

// Errors of a store that is shut; they wrap [promwire.ErrUnavailable].
var (
	errClosed    = fmt.Errorf("%w: the store is closed", promwire.ErrUnavailable)
	errReopening = fmt.Errorf("%w: the store is opened anew after a failed write", promwire.ErrUnavailable)
)

// Close waits for running reads and writes and closes the files. Later calls of any method give an error that wraps
// [promwire.ErrUnavailable]; a second Close does nothing. It must not be called in a loop over what is read.
func (s *Store) Close() error {
	s.reopenMu.Lock() // first, as reopening opens the gate again
	defer s.reopenMu.Unlock()
	s.closed = true
	s.gate.shutAndWait(errClosed)
	var err error
	if s.db != nil {
		err = s.db.Close()
		s.db = nil
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Release())
		s.lock = nil
	}
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
	if err := s.gate.enter(); err != nil {
		return nil, err
	}
	return s.db, nil
}

func (s *Store) release() { s.gate.leave() }
