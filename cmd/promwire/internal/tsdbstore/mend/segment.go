package mend

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// segment is a file of a log.
type segment struct {
	path string
	findings
	torn  bool    // by a kill: its last record is not whole, and nothing else is wrong
	stale []place // fragments of sound records that must not count any more
}

// readSegment looks for damages. Each record that is sound goes to records.
func readSegment(path string, records ...visit) (segment, error) {
	f, err := os.Open(path)
	if err != nil {
		return segment{}, err
	}
	defer f.Close()
	found, err := walk(f, records...)
	if err != nil {
		return segment{}, fmt.Errorf("%s: %w", path, err)
	}
	return segment{path: path, findings: found}, nil
}

// trim cuts off a record that was not written to its end, and makes those that are stale mean nothing.
func (s *segment) trim() error {
	f, err := os.OpenFile(s.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(s.patch(f), f.Sync(), f.Close())
}

// mendingSuffix is that of a segment that is being mended; [wlog] takes no notice of it.
const mendingSuffix = ".mending"

// mend replaces the segment by one without its damages.
func (s *segment) mend() error {
	mended := s.path + mendingSuffix
	if err := s.write(mended); err != nil {
		return errors.Join(err, os.Remove(mended))
	}
	if err := os.Rename(mended, s.path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(s.path))
}

// write writes the segment without its damages.
func (s *segment) write(path string) (err error) {
	from, err := os.Open(s.path)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Sync(), to.Close()) }()
	return s.copy(to, from)
}

// output is what copy needs of a file.
type output interface {
	io.Writer
	io.WriterAt
	Truncate(size int64) error
}

// copy copies the segment without its damages.
func (s *segment) copy(to output, from io.Reader) error {
	if _, err := io.Copy(to, from); err != nil {
		return err
	}
	return s.patch(to)
}

// patch overwrites what must not be read.
func (s *segment) patch(to output) error {
	for _, p := range slices.Concat(s.fragments, s.stale) {
		if _, err := to.WriteAt(meaningless(p.size), p.at); err != nil {
			return err
		}
	}
	if s.cut >= 0 {
		return to.Truncate(s.cut)
	}
	return nil
}

// meaningless returns a fragment of this size, header included: a record of zeros, which the TSDB does not know and passes
// over. Where that does not fit, a page ends.
func meaningless(size int64) []byte {
	b := make([]byte, size)
	if size < headerSize {
		return b
	}
	b[0] = full
	binary.BigEndian.PutUint16(b[1:], uint16(size-headerSize))
	binary.BigEndian.PutUint32(b[3:], crc32.Checksum(b[headerSize:], castagnoli))
	return b
}

// lost returns where the first damage is, and how many bytes can't be read.
func (s *segment) lost() (offset, bytes int64) {
	offset = s.size
	for _, p := range s.fragments {
		offset = min(offset, p.at)
		bytes += p.size
	}
	if s.cut >= 0 {
		offset = min(offset, s.cut)
		bytes += s.size - s.cut
	}
	return offset, bytes
}
