package spool

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Reader delivers all of a spool to one target, and remembers in a file of the spool how far it came. It is safe for
// concurrent use, but delivers to one target at a time.
type Reader struct {
	spool *Spool
	name  string

	// Guarded by Spool.mu.
	file        *os.File
	next        uint64   // number of the next record
	segment     *segment // that holds it; nil if not known
	offset      int64    // of it in the segment
	passed      Counts   // records of the segment before next
	inFlight    uint64   // number behind the batch that is being sent; 0 if there is none
	flight      Counts   // of that batch
	replayUntil uint64   // records below it may have been delivered by an earlier run
	generation  uint64
	maybe       uint64
	lastSync    time.Time
	busy        bool
	removed     bool
	stats       ReaderStats
}

// ErrBusy says that a reader delivers already.
var ErrBusy = errors.New("reader delivers already")

// ErrRemoved says that a reader was removed.
var ErrRemoved = errors.New("reader was removed")

var readerName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)

// Reader returns the reader of that name: up to 64 letters, digits, '_', '.' and '-'. A new one starts with the oldest
// record that is there. From then on, also in later runs that do not ask for it, it keeps segments from being deleted,
// until a bound drops them or [Spool.RemoveReader] ends it.
func (s *Spool) Reader(name string) (*Reader, error) { return s.openReader(name, false) }

// ReaderFromNow is Reader, but a new one starts with what is appended from now on.
func (s *Spool) ReaderFromNow(name string) (*Reader, error) { return s.openReader(name, true) }

func (s *Spool) openReader(name string, fromNow bool) (*Reader, error) {
	if !readerName.MatchString(name) {
		return nil, fmt.Errorf("spool: invalid name of a reader: %.100q", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.committing { // what is being written gets its numbers again if that fails
		s.committed.Wait()
	}
	if s.closed {
		return nil, fmt.Errorf("spool: %w", ErrClosed)
	}
	for _, r := range s.readers {
		if r.name == name {
			return r, nil
		}
	}
	r := &Reader{spool: s, name: name, next: s.nextNumber, generation: 1}
	switch {
	case len(s.segments) > 0 && !fromNow:
		r.next = s.segments[0].first
	case s.batch != nil:
		r.next = s.batch.first
	}
	f, err := createPosition(s.positionPath(name), position{r.generation, r.next, 0})
	if err != nil {
		return nil, fmt.Errorf("spool: reader %s: %w", name, err)
	}
	r.file = f
	if n := len(s.segments); n > 0 && s.segments[n-1].next == r.next { // more may be appended to it
		g := s.segments[n-1]
		r.segment, r.offset, r.passed = g, g.size, g.counts
	}
	s.addReader(r)
	return r, nil
}

func (s *Spool) addReader(r *Reader) {
	r.stats.Name = r.name
	s.readers = append(s.readers, r)
	slices.SortFunc(s.readers, func(a, b *Reader) int { return strings.Compare(a.name, b.name) })
}

// RemoveReader deletes a reader and its position; segments that only it has not passed go with the next ones. A reader
// that does not exist is fine; one that delivers is [ErrBusy].
func (s *Spool) RemoveReader(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.readers, func(r *Reader) bool { return r.name == name })
	if i < 0 {
		return nil
	}
	r := s.readers[i]
	if r.busy {
		return fmt.Errorf("spool: reader %s: %w", name, ErrBusy)
	}
	r.removed = true
	s.readers = slices.Delete(s.readers, i, i+1)
	err := errors.Join(r.close(), os.Remove(s.positionPath(name)), syncDir(s.dir))
	s.collect()
	return err
}

func (s *Spool) positionPath(name string) string {
	return filepath.Join(s.dir, positionPrefix+name+positionSuffix)
}

// loadReaders opens the position files. A damaged one is set aside, and its reader starts anew.
func (s *Spool) loadReaders(entries []os.DirEntry) error {
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), positionPrefix)
		if ok {
			name, ok = strings.CutSuffix(name, positionSuffix)
		}
		if !ok || !readerName.MatchString(name) {
			continue
		}
		path := filepath.Join(s.dir, e.Name())
		f, p, err := openPosition(path)
		if errors.Is(err, errPosition) {
			s.config.logger.Error("spool: damaged position; all that is there is delivered again", "reader", name)
			p = position{generation: 1, maybe: math.MaxUint64}
			if err = os.Rename(path, path+corruptSuffix); err == nil {
				f, err = createPosition(path, p)
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name(), err)
		}
		s.addReader(&Reader{
			spool: s, name: name, file: f, next: p.next, generation: p.generation, maybe: p.maybe, replayUntil: p.maybe,
		})
	}
	return nil
}

// pass is told of each record of a segment when it is loaded, to find where the reader is in it.
func (r *Reader) pass(f *found, passed *Counts) {
	if f.number < r.next {
		passed.add(&f.record)
		r.offset = f.offset + f.size()
	}
}

// skip moves the reader behind g, and returns what it misses by that. Spool.mu is held.
func (r *Reader) skip(g *segment) (missed Counts) {
	if r.next >= g.next {
		return Counts{}
	}
	missed = g.counts
	if r.segment == g {
		missed = missed.sub(r.passed)
		if r.inFlight > 0 {
			missed = missed.sub(r.flight) // in memory, and still to be sent
		}
	}
	r.next, r.segment = g.next, nil
	return missed
}

// save writes the position, and forces it to disk if force is set, or once a second. Failures are logged: the worst
// that follows is that records are delivered again. Spool.mu is held.
func (r *Reader) save(force bool) {
	if r.file == nil {
		return
	}
	r.generation++
	p := position{r.generation, r.next, r.maybe}
	_, err := r.file.WriteAt(p.encode(), int64(r.generation%2)*slotDistance)
	if err == nil && (force || time.Since(r.lastSync) >= time.Second) {
		err = r.file.Sync()
		r.lastSync = time.Now()
	}
	if err != nil {
		r.spool.config.logger.Error("spool: position not saved", "reader", r.name, "err", err)
	}
}

func (r *Reader) close() error {
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}

// Stats returns how far the reader came.
func (r *Reader) Stats() ReaderStats {
	r.spool.mu.Lock()
	defer r.spool.mu.Unlock()
	return r.statsLocked()
}

func (r *Reader) statsLocked() ReaderStats {
	st := r.stats
	for _, g := range r.spool.segments {
		if g.next <= r.next {
			continue
		}
		if st.Oldest.IsZero() {
			st.Oldest = time.UnixMilli(g.oldest)
		}
		st.Pending = st.Pending.Add(g.counts)
		if g == r.segment {
			st.Pending = st.Pending.sub(r.passed)
		}
	}
	return st
}
