package spool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/promwire/promwire/internal/diskfile"
)

const (
	lockName = "spool.lock"
	newMark  = ".new" // ends the name of what a repair has written and not put in place yet
)

// Open opens the spool in a folder, which is made if need be (mode 0700), and locks it. If another process has it, the
// error wraps [ErrLocked] and names the holder, at once or after [WithLockWait].
//
// All segments are looked through, the last one with the contents of its records; the others are checked when they are
// delivered. A torn tail is cut off. A damaged segment is set aside, and what is sound in it put into new ones. A segment
// of a later format is left alone, and refuses the whole spool with [ErrVersion].
func Open(dir string, opts ...Option) (*Spool, error) {
	c, err := newConfig(opts)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	lock, err := lockDir(c.lockWait, dir)
	if err != nil {
		return nil, fmt.Errorf("spool: open %s: %w", dir, err)
	}
	s := newSpool(dir, c, lock)
	if err := s.load(); err != nil {
		s.stop()
		return nil, errors.Join(fmt.Errorf("spool: open %s: %w", dir, err), s.closeFiles())
	}
	return s, nil
}

func lockDir(wait context.Context, dir string) (*diskfile.FileLock, error) {
	once := wait == nil
	if once {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		wait = ctx
	}
	lock, err := diskfile.Lock(wait, filepath.Join(dir, lockName))
	var held *diskfile.HeldError
	switch {
	case errors.As(err, &held) && once:
		return nil, fmt.Errorf("%w: %s", ErrLocked, held.Holder)
	case errors.As(err, &held):
		return nil, fmt.Errorf("%w: %w", ErrLocked, err)
	}
	return lock, err
}

// load reads positions and segments.
func (s *Spool) load() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	if err := s.loadReaders(entries); err != nil {
		return err
	}
	if err := s.finishRepairs(entries); err != nil {
		return err
	}
	if entries, err = os.ReadDir(s.dir); err != nil {
		return err
	}
	segments := []*segment{}
	for _, e := range entries {
		if first, salt, ok := parseSegmentName(e.Name()); ok {
			segments = append(segments, &segment{path: filepath.Join(s.dir, e.Name()), first: first, next: first, salt: salt})
		}
	}
	slices.SortFunc(segments, func(a, b *segment) int { return cmp.Compare(a.first, b.first) })
	for i, g := range segments {
		limit := uint64(math.MaxUint64)
		if i+1 < len(segments) {
			limit = segments[i+1].first
		}
		if err := s.loadSegment(g, limit); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(g.path), err)
		}
	}
	s.resume()
	return nil
}

// resume goes on where the last run ended.
func (s *Spool) resume() {
	s.nextNumber = 1
	for _, r := range s.readers {
		s.nextNumber = max(s.nextNumber, r.next)
	}
	if n := len(s.segments); n > 0 {
		last := s.segments[n-1]
		s.nextNumber = max(s.nextNumber, last.next)
		if last.next == s.nextNumber {
			s.active = last
		}
	}
	for _, r := range s.readers {
		if r.replayUntil == math.MaxUint64 {
			r.replayUntil = s.nextNumber
		}
	}
	s.expire(time.Now())
}

// finishRepairs ends what a crash has interrupted: what was written is complete as soon as the damaged file is renamed.
func (s *Spool) finishRepairs(entries []os.DirEntry) error {
	for _, e := range entries {
		parts := strings.Split(strings.TrimSuffix(e.Name(), newMark), "+")
		if !strings.HasSuffix(e.Name(), newMark) || len(parts) != 2 {
			continue
		}
		path := filepath.Join(s.dir, e.Name())
		if _, err := os.Lstat(filepath.Join(s.dir, parts[0])); err == nil {
			if err := os.Remove(path); err != nil {
				return err
			}
		} else if err := os.Rename(path, filepath.Join(s.dir, parts[1])); err != nil {
			return err
		}
	}
	return nil
}

// loadSegment scans a segment, repairs it if need be, and adds what it holds to the list.
func (s *Spool) loadSegment(g *segment, limit uint64) error {
	f, err := os.OpenFile(g.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	g.file = f
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, g.close())
	}
	g.made = info.ModTime().UnixMilli()
	passed := make([]Counts, len(s.readers))
	res, err := scan(f, info.Size(), job{
		first: g.first, salt: g.salt, limit: limit, full: limit == math.MaxUint64, visit: func(r found) error {
			if g.counts.Records == 0 {
				g.size = segmentHeader
			}
			g.add(&r.record)
			for i, reader := range s.readers {
				reader.pass(&r, &passed[i])
			}
			return nil
		},
	})
	switch {
	case err != nil:
		return errors.Join(err, g.close())
	case res.header && (res.sound || res.behind == 0 && (limit == math.MaxUint64 || res.next == limit)):
		return s.keep(g, &res, passed)
	case res.size < segmentHeader && limit == math.MaxUint64:
		return errors.Join(g.close(), os.Remove(g.path)) // torn before the first record
	default:
		return s.repair(g, limit)
	}
}

// keep adds a sound segment to the list, without its torn tail. One without records is deleted.
func (s *Spool) keep(g *segment, res *scanResult, passed []Counts) error {
	if res.records == 0 {
		return errors.Join(g.close(), os.Remove(g.path))
	}
	if res.end < res.size {
		s.config.logger.Warn("spool: cut off a torn tail, which was never acknowledged", "segment", filepath.Base(g.path),
			"offset", res.end, "bytes", res.size-res.end)
		if err := errors.Join(g.file.Truncate(res.end), g.file.Sync()); err != nil {
			return errors.Join(err, g.close())
		}
	}
	s.segments = append(s.segments, g)
	s.held += g.size
	for i, r := range s.readers {
		if r.next > g.first && r.next <= g.next { // the one behind the last record too: more may be appended
			r.segment, r.passed = g, passed[i]
		}
	}
	return nil
}

// repair copies what is sound into new segments, one for each run of records, sets the damaged one aside, and loads
// the new ones.
func (s *Spool) repair(g *segment, limit uint64) error {
	var runs repairRuns
	defer runs.close()
	runs.spool, runs.damaged = s, g
	info, err := g.file.Stat()
	if err != nil {
		return errors.Join(err, g.close())
	}
	var firstEnd int64
	res, err := scan(g.file, info.Size(), job{first: g.first, salt: g.salt, limit: limit, full: true, visit: runs.add})
	if err == nil {
		err = runs.finish()
	}
	if err = errors.Join(err, g.close()); err != nil {
		return err
	}
	firstEnd = res.end
	if err := os.Rename(g.path, g.path+corruptSuffix); err != nil {
		return err
	}
	lost := runs.lost
	if limit != math.MaxUint64 {
		lost += limit - res.next
	}
	s.damage(Damage{
		Path: g.path + corruptSuffix, Offset: firstEnd, Bytes: res.size - min(segmentHeader, res.size) - res.bytes, Records: lost,
		Recovered: res.behind,
	})
	s.corrupt.Segments++
	for _, n := range runs.segments {
		if err := os.Rename(n.path, filepath.Join(s.dir, segmentName(n.first, n.salt))); err != nil {
			return err
		}
		n.path = filepath.Join(s.dir, segmentName(n.first, n.salt))
	}
	if err := diskfile.SyncDir(s.dir); err != nil {
		return err
	}
	for _, n := range runs.segments {
		if err := s.loadSegment(&segment{path: n.path, first: n.first, next: n.first, salt: n.salt}, n.next); err != nil {
			return err
		}
	}
	return nil
}

// repairRuns writes the sound records of a damaged segment.
type repairRuns struct {
	spool    *Spool
	damaged  *segment
	segments []*segment
	buf      []byte
	lost     uint64
}

func (r *repairRuns) add(f found) error {
	next := r.damaged.first
	if n := len(r.segments); n > 0 {
		next = r.segments[n-1].next
	}
	if f.number != next || len(r.segments) == 0 {
		r.lost += f.number - next
		if err := r.begin(f.number); err != nil {
			return err
		}
	}
	g := r.segments[len(r.segments)-1]
	r.buf = slices.Grow(r.buf[:0], int(f.size()))[:f.size()]
	if _, err := r.damaged.file.ReadAt(r.buf, f.offset); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	sealRecord(r.buf, g.salt)
	if _, err := g.file.WriteAt(r.buf, g.size); err != nil {
		return err
	}
	g.add(&f.record)
	return nil
}

func (r *repairRuns) begin(first uint64) error {
	salt := rand.Uint32()
	name := filepath.Base(r.damaged.path) + "+" + segmentName(first, salt) + newMark
	f, err := os.OpenFile(filepath.Join(r.spool.dir, name), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	g := &segment{path: f.Name(), first: first, next: first, salt: salt, size: segmentHeader, file: f}
	r.segments = append(r.segments, g)
	_, err = f.Write(appendSegmentHeader(nil, first, salt))
	return err
}

// finish makes the new segments durable.
func (r *repairRuns) finish() error {
	var errs []error
	for _, g := range r.segments {
		errs = append(errs, g.file.Sync())
	}
	return errors.Join(append(errs, diskfile.SyncDir(r.spool.dir))...)
}

func (r *repairRuns) close() {
	for _, g := range r.segments {
		_ = g.close()
	}
}
