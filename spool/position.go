package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"github.com/promwire/promwire/internal/diskfile"
)

// A position file has two slots, written in turn, so that one is sound whatever happens. They are in blocks of their
// own.
//
//	 0  "pwreader"  then the version of the format, uint8, and three bytes not used yet
//	12  generation  uint64   the higher one counts
//	20  next        uint64   number of the next record to deliver
//	28  maybe       uint64   records below it may have been delivered already; the highest number while a delivery runs
//	36  checksum    uint32   CRC-32C of the 36 bytes before
const (
	positionMagic  = "pwreader"
	slotSize       = 40
	slotDistance   = 4096
	positionPrefix = "reader-"
	positionSuffix = ".pos"
)

type position struct{ generation, next, maybe uint64 }

func (p position) encode() []byte {
	b := append([]byte(positionMagic), formatVersion, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, p.generation)
	b = binary.LittleEndian.AppendUint64(b, p.next)
	b = binary.LittleEndian.AppendUint64(b, p.maybe)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// decodePosition reads a slot.
func decodePosition(b []byte) (p position, ok bool, err error) {
	le := binary.LittleEndian
	if len(b) < slotSize || string(b[:8]) != positionMagic || le.Uint32(b[36:]) != crc32.Checksum(b[:36], castagnoli) {
		return p, false, nil
	}
	if b[8] != formatVersion {
		return p, false, fmt.Errorf("%w: %d, this one knows %d", ErrVersion, b[8], formatVersion)
	}
	return position{le.Uint64(b[12:]), le.Uint64(b[20:]), le.Uint64(b[28:])}, true, nil
}

var errPosition = errors.New("damaged position")

// openPosition reads a position file.
func openPosition(path string) (f *os.File, p position, err error) {
	if f, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
		return nil, p, err
	}
	found := false
	for slot := range int64(2) {
		b := make([]byte, slotSize)
		n, _ := f.ReadAt(b, slot*slotDistance)
		q, ok, err := decodePosition(b[:n])
		if err != nil {
			return nil, p, errors.Join(err, f.Close())
		}
		if ok && (!found || q.generation > p.generation) {
			p, found = q, true
		}
	}
	if !found {
		return nil, p, errors.Join(errPosition, f.Close())
	}
	return f, p, nil
}

// createPosition makes a position file, at once.
func createPosition(path string, p position) (*os.File, error) {
	f, err := os.OpenFile(path+newMark, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 2*slotDistance)
	copy(b, p.encode())
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync()); err == nil {
		// Windows renames no open file.
		err = f.Close()
		f = nil
	}
	if err == nil {
		err = os.Rename(path+newMark, path)
	}
	if err != nil {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
		return nil, errors.Join(err, os.Remove(path+newMark))
	}
	if err := diskfile.SyncDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	f, _, err = openPosition(path)
	return f, err
}
