package spool

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

// maxBatch bounds the bytes that wait for a commit; who comes later waits for the next one.
const maxBatch = 8 << 20

// batch is records that are written at once.
type batch struct {
	buf     []byte
	first   uint64 // number of the first record
	records []pendingRecord
	counts  Counts
	done    bool
	err     error
	waiting int // writers that have not seen done yet
}

type pendingRecord struct {
	record
	offset int // in buf
}

// append adds records with their bodies, all or none, and returns when they are as durable as the policy says.
func (s *Spool) append(bodies []entry) error {
	size := int64(0)
	for i := range bodies {
		e := &bodies[i]
		e.length = len(e.encoding) + len(e.tenant) + len(e.body)
		size += e.size()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.closed && s.batch != nil && int64(len(s.batch.buf))+size > maxBatch {
		s.committed.Wait()
	}
	if s.closed {
		return ErrClosed
	}
	now := time.Now()
	s.expire(now)
	if err := s.makeRoom(size); err != nil {
		s.failed += uint64(len(bodies))
		return err
	}
	b := s.join(bodies, now)
	for !b.done {
		if s.committing {
			s.committed.Wait()
		} else {
			s.commit(b)
		}
	}
	err := b.err
	if b.waiting--; b.waiting == 0 {
		s.free = append(s.free, b)
	}
	return err
}

// join puts records into the batch that is written next. s.mu is held.
func (s *Spool) join(bodies []entry, now time.Time) *batch {
	b := s.batch
	if b == nil {
		b = s.newBatch()
		s.batch = b
	}
	for i := range bodies {
		e := &bodies[i]
		e.number, e.time = s.nextNumber, now.UnixMilli()
		s.nextNumber++
		b.records = append(b.records, pendingRecord{e.record, len(b.buf)})
		b.counts.add(&e.record)
		// The checksums follow when the segment is known, and nobody waits for the lock.
		b.buf = appendRecord(b.buf, &e.record, e.body)
	}
	b.waiting++
	return b
}

func (s *Spool) newBatch() *batch {
	var b *batch
	if n := len(s.free); n > 0 {
		b, s.free = s.free[n-1], s.free[:n-1]
	} else {
		b = new(batch)
	}
	*b = batch{buf: b.buf[:0], records: b.records[:0], first: s.nextNumber}
	if cap(b.buf) > maxBatch {
		b.buf = nil
	}
	return b
}

// commit writes b, which is s.batch. s.mu is held, and released meanwhile.
func (s *Spool) commit(b *batch) {
	s.committing, s.batch = true, nil
	now := time.Now()
	g, sealed, dirty := s.active, (*segment)(nil), s.dirty
	if g != nil && s.rotates(g, int64(len(b.buf)), now) {
		sealed, g = g, nil
	}
	force := s.config.sync == SyncAlways || s.config.sync == SyncInterval && now.Sub(s.lastSync) >= s.config.syncEvery
	s.mu.Unlock()

	if sealed != nil && dirty && s.config.sync != SyncNone {
		if err := sealed.file.Sync(); err != nil {
			s.config.logger.Error("spool: a full segment was not forced to disk", "err", err)
		}
	}
	made := g == nil
	var err error
	if made {
		g, err = s.create(b.first, now)
	}
	sound := true
	if err == nil {
		sound, err = b.write(g, force)
	}

	s.mu.Lock()
	s.committing = false
	if err != nil {
		s.undo(b, g, made, sound, err)
	} else {
		s.done(b, g, made, force, now)
	}
	b.done = true
	s.committed.Broadcast()
}

// rotates reports whether n bytes more belong into a new segment.
func (s *Spool) rotates(g *segment, n int64, now time.Time) bool {
	if g.counts.Records == 0 {
		return false
	}
	old := s.config.maxAge > 0 && now.UnixMilli()-g.made > s.config.maxAge.Milliseconds()/minSegments
	return old || g.size+n > s.config.segmentBytes
}

func (s *Spool) create(first uint64, now time.Time) (*segment, error) {
	g, err := createSegment(s.dir, first, rand.Uint32(), now.UnixMilli())
	if err != nil {
		return nil, err
	}
	if err := syncDir(s.dir); err != nil {
		return nil, errors.Join(err, g.close(), os.Remove(g.path))
	}
	return g, nil
}

// syncFile is a variable for tests.
var syncFile = (*os.File).Sync

// write appends b to g. If that fails, the file is as before, unless sound is false: then nothing may be appended to
// it any more. After a failed sync nobody knows what the system has kept, whatever later syncs say.
func (b *batch) write(g *segment, force bool) (sound bool, err error) {
	for i := range b.records {
		r := &b.records[i]
		sealRecord(b.buf[r.offset:][:r.size()], g.salt)
	}
	if _, err = g.file.WriteAt(b.buf, g.size); err != nil {
		return g.file.Truncate(g.size) == nil, err
	}
	if !force {
		return true, nil
	}
	if err = syncFile(g.file); err != nil {
		return false, errors.Join(err, g.file.Truncate(g.size))
	}
	return true, nil
}

// done makes b readable. s.mu is held.
func (s *Spool) done(b *batch, g *segment, made, forced bool, now time.Time) {
	if made {
		s.segments, s.active = append(s.segments, g), g
		s.held += segmentHeader
	}
	for i := range b.records {
		g.add(&b.records[i].record)
	}
	s.held, s.lacksRoom = s.held+int64(len(b.buf)), false
	s.appended = s.appended.Add(b.counts)
	if forced {
		s.fsyncs++
		s.lastSync, s.dirty = now, false
	} else {
		s.dirty = true
		s.arm()
	}
	if made {
		s.collect()
	}
	if s.arrived != nil {
		close(s.arrived)
		s.arrived = nil
	}
}

// undo refuses b, and what has come meanwhile, whose numbers are taken back. s.mu is held.
func (s *Spool) undo(b *batch, g *segment, made, sound bool, err error) {
	switch {
	case g == nil:
	case made:
		_ = errors.Join(g.close(), os.Remove(g.path))
	case !sound:
		s.active = nil
	}
	s.nextNumber = b.first
	b.err = fmt.Errorf("%w: %w", ErrDisk, err)
	s.failed += uint64(len(b.records))
	if later := s.batch; later != nil {
		s.failed += uint64(len(later.records))
		later.done, later.err, s.batch = true, b.err, nil
	}
	s.lacksRoom = true
	s.collect()
	s.config.logger.Error("spool: append failed", "err", err)
}

// arm makes sure that what was not forced to disk will be. s.mu is held.
func (s *Spool) arm() {
	if s.config.sync != SyncInterval || s.closed {
		return
	}
	if s.timer == nil {
		s.timer = time.AfterFunc(s.config.syncEvery, func() {
			if err := s.Sync(); err != nil && !errors.Is(err, ErrClosed) {
				s.config.logger.Error("spool: not forced to disk", "err", err)
			}
		})
		return
	}
	s.timer.Reset(s.config.syncEvery)
}

// Sync forces to disk what was appended, whatever the policy. After an error, what was acknowledged since the last sync
// may not survive a power cut.
func (s *Spool) Sync() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.committing {
		s.committed.Wait()
	}
	switch {
	case s.closed:
		return ErrClosed
	case !s.dirty || s.active == nil:
		return nil
	}
	g := s.active
	s.committing = true
	s.mu.Unlock()
	err := syncFile(g.file)
	s.mu.Lock()
	s.committing, s.dirty, s.lastSync = false, false, time.Now()
	s.fsyncs++
	if err != nil {
		s.active = nil // for the next record, a new segment
		err = fmt.Errorf("%w: %w", ErrDisk, err)
	}
	s.committed.Broadcast()
	return err
}
