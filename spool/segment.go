package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// A segment file begins with a header of 32 bytes, then has records one after the other.
//
//	 0  "pwspool"      then the version of the format, uint8
//	 8  first          uint64   number of the first record
//	16  salt           uint32   where checksums start
//	20  not used yet, zero
//	28  header sum     uint32   CRC-32C of the 28 bytes before
//
// Its name has the first number and the salt as well, so that a damaged header costs nothing.
const (
	segmentMagic  = "pwspool"
	formatVersion = 1
	segmentHeader = 32
	segmentSuffix = ".seg"
	corruptSuffix = ".corrupt"
)

// ErrVersion says that a later version of this package has written a segment. It is left alone.
var ErrVersion = errors.New("segment has the format of a later version")

// errDropped says that a segment is gone.
var errDropped = errors.New("segment was dropped")

// segment is a file of records. What Spool.mu guards is marked so.
type segment struct {
	path  string
	first uint64 // number of the first record
	salt  uint32

	// Guarded by Spool.mu.
	size    int64 // up to which records are complete and readable
	counts  Counts
	next    uint64 // number behind the last record
	oldest  int64  // arrival of the first record
	newest  int64  // arrival of the last one
	made    int64  // when the file was made, for rotation by age
	damaged bool   // a reader found damage: to be set aside, not deleted

	mu   sync.RWMutex // write-locked while the file is closed for good
	file *os.File     // nil once dropped
}

func segmentName(first uint64, salt uint32) string {
	return fmt.Sprintf("%016x-%08x%s", first, salt, segmentSuffix)
}

// parseSegmentName returns what the name says; false if it is not one of ours.
func parseSegmentName(name string) (first uint64, salt uint32, ok bool) {
	var rest string
	if !strings.HasSuffix(name, segmentSuffix) || len(name) != 16+1+8+len(segmentSuffix) {
		return 0, 0, false
	}
	if n, err := fmt.Sscanf(name, "%016x-%08x%s", &first, &salt, &rest); n != 3 || err != nil {
		return 0, 0, false
	}
	return first, salt, name == segmentName(first, salt)
}

func appendSegmentHeader(dst []byte, first uint64, salt uint32) []byte {
	start := len(dst)
	dst = append(dst, segmentMagic...)
	dst = append(dst, formatVersion)
	dst = binary.LittleEndian.AppendUint64(dst, first)
	dst = binary.LittleEndian.AppendUint32(dst, salt)
	dst = append(dst, make([]byte, 8)...)
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// checkSegmentHeader returns whether the header is sound, and an error if it is, but of a later version.
func checkSegmentHeader(b []byte, first uint64, salt uint32) (sound bool, err error) {
	if len(b) < segmentHeader || string(b[:len(segmentMagic)]) != segmentMagic ||
		binary.LittleEndian.Uint32(b[28:]) != crc32.Checksum(b[:28], castagnoli) {
		return false, nil
	}
	if version := b[len(segmentMagic)]; version != formatVersion {
		return false, fmt.Errorf("%w: %d, this one knows %d", ErrVersion, version, formatVersion)
	}
	return binary.LittleEndian.Uint64(b[8:]) == first && binary.LittleEndian.Uint32(b[16:]) == salt, nil
}

// createSegment makes a file with a header. The folder is not synced.
func createSegment(dir string, first uint64, salt uint32, now int64) (*segment, error) {
	path := filepath.Join(dir, segmentName(first, salt))
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(appendSegmentHeader(nil, first, salt)); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(path))
	}
	return &segment{path: path, first: first, next: first, salt: salt, size: segmentHeader, made: now, file: f}, nil
}

// readAt reads exactly len(b) bytes.
func (g *segment) readAt(b []byte, offset int64) error {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.file == nil {
		return errDropped
	}
	_, err := g.file.ReadAt(b, offset)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// close closes the file for good; readers get errDropped.
func (g *segment) close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.file == nil {
		return nil
	}
	err := g.file.Close()
	g.file = nil
	return err
}

// add counts a record at the end of the segment. Spool.mu is held.
func (g *segment) add(r *record) {
	if g.counts.Records == 0 {
		g.oldest = r.time
	}
	g.newest = max(g.newest, r.time)
	g.counts.add(r)
	g.next = r.number + 1
	g.size += r.size()
}
