package spool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/diskfile"
)

// Reasons why a spool does not work.
var (
	// ErrLocked says that another process, or another Spool of this one, has the folder.
	ErrLocked = errors.New("spool is held by another process")
	// ErrClosed says that the spool is closed.
	ErrClosed = fmt.Errorf("spool is closed: %w", promwire.ErrUnavailable)
	// ErrFull says that the bound in bytes is reached, and that nothing is dropped for new data ([WithRefuseWhenFull]).
	ErrFull = fmt.Errorf("spool is full: %w", promwire.ErrUnavailable)
	// ErrDisk says that the disk failed or is full. The same request may succeed later.
	ErrDisk = fmt.Errorf("spool cannot write: %w", promwire.ErrUnavailable)
)

// Spool is requests on disk. It is safe for concurrent use.
type Spool struct {
	dir    string
	config *config
	lock   *diskfile.FileLock
	ctx    context.Context // of deliveries; ends with Close
	stop   context.CancelFunc
	runs   sync.WaitGroup // deliveries, the sync timer
	states sync.Pool      // *writeState

	mu         sync.Mutex
	committed  sync.Cond
	segments   []*segment
	active     *segment // the last segment, if records may be appended to it
	held       int64    // size of all segments
	nextNumber uint64
	batch      *batch // takes new records; nil if there are none
	free       []*batch
	committing bool // somebody writes to the active segment
	closed     bool
	dirty      bool // not forced to disk yet
	lastSync   time.Time
	timer      *time.Timer // for SyncInterval; nil if it is not needed
	readers    []*Reader   // by name
	arrived    chan struct{}
	appended   Counts
	failed     uint64
	lacksRoom  bool // the last record was refused, as the disk failed or the spool was full
	fsyncs     uint64
	full, aged Counts
	corrupt    Corruption
}

var (
	_ promwire.Writer     = (*Spool)(nil)
	_ promwire.BodyWriter = (*Spool)(nil)
)

func newSpool(dir string, c *config, lock *diskfile.FileLock) *Spool {
	s := &Spool{dir: dir, config: c, lock: lock}
	s.committed.L = &s.mu
	s.states.New = func() any { return new(writeState) }
	s.ctx, s.stop = context.WithCancel(context.Background())
	return s
}

// Close ends deliveries, waits for them, forces everything to disk and unlocks the folder. Later calls return nil.
func (s *Spool) Close() error {
	s.stop()
	s.mu.Lock()
	already := s.closed
	s.closed = true
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	s.runs.Wait()
	if already {
		return nil
	}
	s.mu.Lock()
	for s.committing || s.batch != nil {
		s.committed.Wait()
	}
	var err error
	if s.dirty && s.active != nil {
		err = s.active.file.Sync()
	}
	s.active = nil
	s.collect()
	s.mu.Unlock()
	if err = errors.Join(err, s.closeFiles()); err != nil {
		return fmt.Errorf("spool: close %s: %w", s.dir, err)
	}
	return nil
}

func (s *Spool) closeFiles() error {
	var errs []error
	for _, r := range s.readers {
		errs = append(errs, r.close())
	}
	for _, g := range s.segments {
		errs = append(errs, g.close())
	}
	return errors.Join(append(errs, s.lock.Close())...)
}

// Stats returns what the spool holds, and what happened since it was opened.
func (s *Spool) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Stats{
		Segments: len(s.segments), Bytes: s.held, Appended: s.appended, Failed: s.failed, Fsyncs: s.fsyncs,
		DroppedFull: s.full, DroppedAge: s.aged, Corrupt: s.corrupt,
	}
	for _, g := range s.segments {
		st.Held = st.Held.Add(g.counts)
		if st.Oldest.IsZero() && g.counts.Records > 0 {
			st.Oldest = time.UnixMilli(g.oldest)
		}
	}
	for _, r := range s.readers {
		st.Readers = append(st.Readers, r.statsLocked())
	}
	return st
}

// damage counts and reports; s.mu may be held or not.
func (s *Spool) damage(d Damage) {
	s.corrupt.Records += d.Records
	s.corrupt.Bytes += uint64(max(d.Bytes, 0))
	s.config.logger.Error("spool: damaged segment", "path", d.Path, "offset", d.Offset, "bytes", d.Bytes, "lost", d.Records,
		"recovered", d.Recovered)
	if s.config.hooks.Damaged != nil {
		s.config.hooks.Damaged(d)
	}
}

// passed returns the number of the next record of the slowest reader; 0 if there are no readers. s.mu is held.
func (s *Spool) passed() uint64 {
	if len(s.readers) == 0 {
		return 0
	}
	passed := s.readers[0].next
	for _, r := range s.readers {
		passed = min(passed, r.next)
	}
	return passed
}

// collect deletes the segments that every reader has passed. s.mu is held.
func (s *Spool) collect() {
	passed := s.passed()
	if g := s.active; g != nil && s.lacksRoom && !s.committing && g.next <= passed {
		s.active = nil // what is in it takes the room that the next record needs
	}
	n := 0
	for n < len(s.segments) && s.segments[n].next <= passed && s.segments[n] != s.active {
		n++
	}
	if n == 0 {
		return
	}
	// Positions first: records that are gone must not look lost after a power cut.
	for _, r := range s.readers {
		r.save(true)
	}
	for _, g := range s.segments[:n] {
		s.remove(g)
	}
	s.segments = append(s.segments[:0], s.segments[n:]...)
}

// remove deletes the file of a segment, or sets it aside if it is damaged. s.mu is held; the caller takes it from the
// list.
func (s *Spool) remove(g *segment) {
	s.held -= g.size
	err := g.close()
	if g.damaged {
		s.corrupt.Segments++
		err = errors.Join(err, os.Rename(g.path, g.path+corruptSuffix))
	} else {
		err = errors.Join(err, os.Remove(g.path))
	}
	if err != nil {
		s.config.logger.Error("spool: cannot remove a segment", "err", err)
	}
	for _, r := range s.readers {
		if r.segment == g {
			r.segment = nil
		}
	}
}

// drop deletes the oldest segment although readers may need it. s.mu is held.
func (s *Spool) drop(reason string) {
	g := s.segments[0]
	slowest, counted := Counts{}, len(s.readers) == 0
	if counted {
		slowest = g.counts
	}
	for _, r := range s.readers {
		missed := r.skip(g)
		if missed.Records > slowest.Records {
			slowest = missed
		}
		if reason == reasonFull {
			r.stats.DroppedFull = r.stats.DroppedFull.Add(missed)
		} else {
			r.stats.DroppedAge = r.stats.DroppedAge.Add(missed)
		}
	}
	if reason == reasonFull {
		s.full = s.full.Add(slowest)
	} else {
		s.aged = s.aged.Add(slowest)
	}
	if g == s.active {
		s.active = nil
	}
	s.remove(g)
	s.segments = append(s.segments[:0], s.segments[1:]...)
	if slowest.Records == 0 {
		return
	}
	s.config.logger.Warn("spool: dropped the oldest segment", "reason", reason, "records", slowest.Records,
		"samples", slowest.Samples, "oldest", time.UnixMilli(g.oldest), "newest", time.UnixMilli(g.newest))
	if s.config.hooks.Dropped != nil {
		s.config.hooks.Dropped(Drop{reason, slowest, time.UnixMilli(g.oldest), time.UnixMilli(g.newest)})
	}
}

const (
	reasonFull = "full"
	reasonAge  = "age"
)

// expire drops the segments that are too old. s.mu is held.
func (s *Spool) expire(now time.Time) {
	if s.config.maxAge == 0 {
		return
	}
	limit := now.Add(-s.config.maxAge).UnixMilli()
	for len(s.segments) > 0 && s.segments[0].newest < limit && s.removable(s.segments[0]) {
		s.drop(reasonAge)
	}
}

// removable is false while somebody writes to g.
func (s *Spool) removable(g *segment) bool { return g != s.active || !s.committing }

// makeRoom drops segments, or fails, so that n bytes more are within the bound. s.mu is held.
func (s *Spool) makeRoom(n int64) error {
	limit := s.config.maxBytes
	if n > limit-segmentHeader {
		return fmt.Errorf("%w: record of %d bytes, the spool holds %d", promwire.ErrTooLarge, n, limit)
	}
	if s.batch != nil {
		n += int64(len(s.batch.buf))
	}
	n += segmentHeader
	for s.held+n > limit && len(s.segments) > 0 && s.removable(s.segments[0]) {
		if !s.config.refuse {
			s.drop(reasonFull)
			continue
		}
		s.lacksRoom = true
		if s.collect(); s.held+n > limit {
			return fmt.Errorf("%w: %d bytes of %d", ErrFull, s.held, limit)
		}
	}
	return nil
}

// syncDir is a variable for tests.
var syncDir = diskfile.SyncDir
