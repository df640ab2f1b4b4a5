package spool

import (
	"errors"
	"io"
)

// found is a record that a scan has met.
type found struct {
	record
	offset int64
}

// scanResult is what is known of a file after a scan.
type scanResult struct {
	records uint64
	next    uint64 // number behind the last record
	end     int64  // behind the last record of the sound beginning
	size    int64  // of the file
	header  bool   // is sound
	sound   bool   // so is all up to size: records, one number after the other
	behind  uint64 // how many of the records are behind damage
	bytes   int64  // of all records
}

// scanner reads a segment file through a window.
type scanner struct {
	file   io.ReaderAt
	size   int64
	salt   uint32
	window []byte
	at     int64 // offset of the window
}

const scanWindow = 64 << 10

// bytes returns n bytes at offset, or fewer at the end of the file; valid until the next call.
func (s *scanner) bytes(offset int64, n int) ([]byte, error) {
	n = int(min(int64(n), s.size-offset))
	if n <= 0 {
		return nil, nil
	}
	if offset < s.at || offset+int64(n) > s.at+int64(len(s.window)) {
		want := int(min(int64(max(n, scanWindow)), s.size-offset))
		if cap(s.window) < want {
			s.window = make([]byte, want)
		}
		s.window, s.at = s.window[:want], offset
		if got, err := s.file.ReadAt(s.window, offset); got < want {
			s.window = s.window[:0]
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return s.window[offset-s.at:][:n], nil
}

// record returns the record at offset, its contents checked if full is set; false if there is none.
func (s *scanner) record(offset int64, full bool) (found, bool, error) {
	b, err := s.bytes(offset, headerSize)
	if err != nil {
		return found{}, false, err
	}
	r, ok := decodeHeader(b, s.salt)
	if !ok || r.size() > s.size-offset {
		return found{}, false, nil
	}
	if full {
		b, err := s.bytes(offset+headerSize, r.length)
		if err != nil {
			return found{}, false, err
		}
		if _, err := r.decodeRest(b, s.salt); err != nil {
			return found{}, false, nil
		}
	}
	return found{r, offset}, true, nil
}

// job says what to look for in a segment file.
type job struct {
	first uint64
	salt  uint32
	// limit is the number of the first record of the next segment: those from there on were never acknowledged here.
	limit uint64
	full  bool // check the contents of records too, not only their headers
	visit func(found) error
}

// scan reads a segment and calls j.visit for each record. Behind damage it looks for further records, and checks all of
// them.
func scan(f io.ReaderAt, size int64, j job) (scanResult, error) {
	s := &scanner{file: f, size: size, salt: j.salt}
	head, err := s.bytes(0, segmentHeader)
	if err != nil {
		return scanResult{}, err
	}
	res := scanResult{size: size, end: min(segmentHeader, size), next: j.first}
	if res.header, err = checkSegmentHeader(head, j.first, j.salt); err != nil {
		return res, err
	}
	for offset := int64(segmentHeader); offset < size; {
		r, ok, err := s.record(offset, j.full)
		if err != nil {
			return res, err
		}
		if !ok || r.number != res.next || r.number >= j.limit {
			return res, s.salvage(&res, offset, j)
		}
		if err := res.found(r, j); err != nil {
			return res, err
		}
		offset += r.size()
		res.end = offset
	}
	res.sound = res.header
	return res, nil
}

func (res *scanResult) found(r found, j job) error {
	res.records++
	res.next = r.number + 1
	res.bytes += r.size()
	return j.visit(r)
}

// salvage looks for records behind the damage at offset.
func (s *scanner) salvage(res *scanResult, offset int64, j job) error {
	for {
		r, ok, err := s.after(offset, res.next)
		if err != nil || !ok || r.number >= j.limit {
			return err
		}
		res.behind++
		if err := res.found(r, j); err != nil {
			return err
		}
		offset = r.offset + r.size()
	}
}

// after returns the first sound record at offset or behind it whose number is at least next; false if there is none.
func (s *scanner) after(offset int64, next uint64) (found, bool, error) {
	for offset < s.size {
		b, err := s.bytes(offset, scanWindow)
		if err != nil {
			return found{}, false, err
		}
		i := nextMarker(b, 0)
		if i < 0 {
			// The last three bytes may be the beginning of a marker.
			offset += int64(max(len(b)-3, 1))
			continue
		}
		offset += int64(i)
		r, ok, err := s.record(offset, true)
		if err != nil || ok && r.number >= next {
			return r, err == nil, err
		}
		offset++
	}
	return found{}, false, nil
}
