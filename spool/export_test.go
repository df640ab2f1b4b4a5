package spool

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
)

// NextVersion changes a segment to a later format.
func NextVersion(b []byte) []byte {
	b[len(segmentMagic)]++
	binary.LittleEndian.PutUint32(b[28:], crc32.Checksum(b[:28], castagnoli))
	return b
}

// FailSync lets syncs of segments fail until restore is called.
func FailSync(err error) (restore func()) {
	old := syncFile
	syncFile = func(*os.File) error { return err }
	return func() { syncFile = old }
}

// FailSyncDir lets syncs of folders fail until restore is called.
func FailSyncDir(err error) (restore func()) {
	old := syncDir
	syncDir = func(string) error { return err }
	return func() { syncDir = old }
}

// Scan returns the bodies that a recovery finds in a segment.
func Scan(b []byte, salt uint32) (bodies [][]byte, sound bool, err error) {
	res, err := scan(bytes.NewReader(b), int64(len(b)), job{
		first: 1, salt: salt, limit: 1 << 62, full: true, visit: func(f found) error {
			body, err := f.decodeRest(b[f.offset+headerSize:f.offset+f.size()], salt)
			bodies = append(bodies, body)
			return err
		},
	})
	return bodies, res.sound, err
}

// Segment returns a segment file with these bodies, and where each record ends.
func Segment(salt uint32, bodies ...[]byte) (b []byte, ends []int) {
	b = appendSegmentHeader(nil, 1, salt)
	for i, body := range bodies {
		start := len(b)
		b = appendRecord(b, &record{number: uint64(i + 1), encoding: "snappy", tenant: "t"}, body)
		sealRecord(b[start:], salt)
		ends = append(ends, len(b))
	}
	return b, ends
}
