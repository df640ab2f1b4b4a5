package mend

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/prometheus/prometheus/tsdb/record"
	"github.com/prometheus/prometheus/util/compression"
)

// The format of a log segment: pages, in them fragments of records, each with a header of its kind (and the compression
// of its record), its length, and its checksum. A byte of zero ends a page, and nothing but zeros follow.
const (
	pageSize   = 32 << 10
	headerSize = 7

	kindMask = 7
	snappy   = 1 << 3
	zstd     = 1 << 4
)

// Kinds of fragments.
const (
	pageEnd = iota
	full
	first
	middle
	last
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// place is a piece of a file.
type place struct {
	at, size int64
}

// findings are what is wrong with a segment.
type findings struct {
	fragments []place // of damaged records, and what else can't be read
	cut       int64   // where a record begins that was not written to its end; -1 if there is none
	size      int64   // of the segment
}

func (f *findings) damaged() bool { return len(f.fragments) > 0 }

// walker reads a segment from its start to its end, whatever it meets.
type walker struct {
	found   findings
	open    []place // fragments of a record of which the last one is still to come
	payload []byte  // of them
	closed  []place // fragments of the record before, if it ended with its page
	ends    []place // of pages, in which there would have been room: only the segment may end there
	records []visit

	decoder record.Decoder
	buffer  compression.DecodeBuffer
}

// visit takes a sound record and its fragments, which are good until it returns.
type visit func(record []byte, fragments []place)

// walk reads a segment. Each record that is sound goes to records.
func walk(r io.Reader, records ...visit) (findings, error) {
	w := walker{found: findings{cut: -1}, records: records, buffer: compression.NewSyncDecodeBuffer()}
	page := make([]byte, pageSize)
	for {
		n, err := io.ReadFull(r, page)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return findings{}, err
		}
		w.page(page[:n])
		if w.found.size += int64(n); n < pageSize {
			w.end()
			return w.found, nil
		}
	}
}

// page reads a page, which is shorter than others at the end of a segment.
func (w *walker) page(b []byte) {
	for pos := 0; pos < len(b); {
		kind, end, ok := fragment(b, pos)
		if kind == pageEnd && ok {
			if len(b)-pos >= headerSize {
				w.ends = append(w.ends, place{w.found.size + int64(pos), int64(len(b) - pos)})
			}
			return
		}
		if len(w.ends) > 0 {
			w.drop()
			w.found.fragments, w.ends = append(w.found.fragments, w.ends...), w.ends[:0]
		}
		switch {
		case ok:
			w.fragment(b, pos, end)
			pos = end
			continue
		}
		next := resume(b, pos, end)
		switch {
		case next < 0 && len(b) < pageSize && kind != pageEnd && end > len(b) && !misread(b, pos):
			w.torn(pos)
			return
		case next < 0:
			w.drop()
			w.damaged(pos, len(b))
			return
		}
		w.drop()
		w.damaged(pos, next)
		pos = next
	}
}

// fragment looks at what begins at pos: of which kind it is, where it ends, and whether it is sound. The end may be beyond
// that of b.
func fragment(b []byte, pos int) (kind byte, end int, ok bool) {
	kind = b[pos] & kindMask
	if kind == pageEnd {
		return kind, len(b) + 1, zeros(b[pos:])
	}
	if len(b)-pos < headerSize {
		return kind, len(b) + 1, false
	}
	end = pos + headerSize + int(binary.BigEndian.Uint16(b[pos+1:]))
	return kind, end, end <= len(b) && checksum(b, pos) == crc32.Checksum(b[pos+headerSize:end], castagnoli)
}

func checksum(b []byte, pos int) uint32 { return binary.BigEndian.Uint32(b[pos+3:]) }

// resume returns where to read on behind a fragment that is not sound: at its end, or, if that is wrong too, at the next
// one that is; -1 if there is none.
func resume(b []byte, pos, end int) int {
	if end == len(b) {
		return end
	}
	if end < len(b) {
		if _, _, ok := fragment(b, end); ok {
			return end
		}
	}
	for next := pos + headerSize; next+headerSize < len(b); next++ {
		if head := b[next] &^ (snappy | zstd); head == 0 || head > last {
			continue // checksums take time
		}
		if _, end, ok := fragment(b, next); ok && end > next+headerSize {
			return next
		}
	}
	return -1
}

// misread reports whether the last fragment of b is there up to its last byte, and only its length is wrong.
func misread(b []byte, pos int) bool {
	return len(b)-pos > headerSize && checksum(b, pos) == crc32.Checksum(b[pos+headerSize:], castagnoli)
}

func zeros(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// fragment takes a fragment with a checksum that is right to its record. The checksum does not cover its kind, but its
// place tells whether it can be right: what is continued fills its page, and goes on at the start of the next one.
func (w *walker) fragment(b []byte, pos, end int) {
	kind := b[pos] & kindMask
	begins := kind == full || kind == first
	ends := kind == full || kind == last
	fits := kind <= last && (ends || end == pageSize)
	switch {
	case begins && len(w.open) == 0, !begins && len(w.open) > 0:
	case begins: // what is open was none that is continued, or this is how it goes on
		w.drop()
		fits = fits && pos > 0
	default:
		if pos == 0 {
			w.found.fragments = append(w.found.fragments, w.closed...) // that was not over
		}
		fits = false
	}
	w.closed = w.closed[:0]
	if !fits {
		w.drop()
		w.damaged(pos, end)
		return
	}
	w.open = append(w.open, place{w.found.size + int64(pos), int64(end - pos)})
	w.payload = append(w.payload, b[pos+headerSize:end]...)
	if !ends {
		return
	}
	if !w.record(b[pos]) {
		w.drop()
	}
	if end == pageSize {
		w.closed = append(w.closed, w.open...)
	}
	w.open, w.payload = w.open[:0], w.payload[:0]
}

// record takes a record that is whole, and reports whether it can be one. The checksum does not cover the byte in front of
// it, which says how it is compressed.
func (w *walker) record(head byte) bool {
	compressed := compression.None
	switch {
	case head&snappy != 0:
		compressed = compression.Snappy
	case head&zstd != 0:
		compressed = compression.Zstd
	case zeros(w.payload): // one of those that mean nothing
		return true
	}
	if compressed == compression.Snappy && tooLong(w.payload) {
		return false
	}
	rec, err := compression.Decode(compressed, w.payload, w.buffer)
	if err != nil || w.decoder.Type(rec) == record.Unknown {
		return false
	}
	for _, f := range w.records {
		f(rec, w.open)
	}
	return true
}

// tooLong reports whether a block of snappy promises more than it can hold, of which memory would be taken: no copy is
// longer than 64 bytes, and none is described in less than 3, or 2 if it is no longer than 11.
func tooLong(block []byte) bool {
	length, n := binary.Uvarint(block)
	return n <= 0 || length > 22*uint64(len(block))
}

// drop gives up the record that is open.
func (w *walker) drop() {
	w.found.fragments = append(w.found.fragments, w.open...)
	w.open, w.payload, w.closed = w.open[:0], w.payload[:0], w.closed[:0]
}

func (w *walker) damaged(pos, end int) {
	w.found.fragments = append(w.found.fragments, place{w.found.size + int64(pos), int64(end - pos)})
}

// torn is where a fragment begins that the segment ends within.
func (w *walker) torn(pos int) {
	w.found.cut = w.found.size + int64(pos)
	if len(w.open) > 0 {
		w.found.cut = w.open[0].at
	}
	w.open = nil
}

// end is the end of the segment. A record may have been written up to the end of a page.
func (w *walker) end() {
	if len(w.open) > 0 {
		w.found.cut = w.open[0].at
	}
}
