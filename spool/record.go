package spool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"time"

	"github.com/promwire/promwire"
)

// A record is a header of fixed size, then encoding, tenant and body. All numbers are little-endian.
//
//	 0  marker         uint32   to find the next record behind damage
//	 4  length         uint32   of what follows the header
//	 8  number         uint64   counts up by one from record to record
//	16  time           int64    of arrival, in milliseconds since the Unix epoch
//	24  samples        uint32
//	28  histograms     uint32
//	32  exemplars      uint32
//	36  message        uint8    1 for 1.0, 2 for 2.0
//	37  encoding       uint8    length of its name
//	38  tenant         uint16   length
//	40  decoded        uint32   length of the decompressed message
//	44  checksum       uint32   CRC-32C of what follows the header
//	48  header sum     uint32   CRC-32C of the 48 bytes before
//
// Checksums start from the salt of the segment, so that no sender can put into a body what passes for a record.
const (
	headerSize = 52
	marker     = 0xd1b570a5
	// maxBody bounds a record; offsets within segments stay far from overflow.
	maxBody = 1 << 30
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	errRecord  = errors.New("damaged record")
)

// record describes a request in the log.
type record struct {
	number   uint64
	time     int64
	items    promwire.WriteStats
	message  promwire.MessageType
	encoding string
	tenant   string
	decoded  int
	length   int // of encoding, tenant and body
	encLen   int
	tenLen   int
	sum      uint32
}

// size is what the record takes in the log.
func (r *record) size() int64 { return headerSize + int64(r.length) }

func (r *record) arrival() time.Time { return time.UnixMilli(r.time) }

// clamp32 is for counts of messages that can't have so many.
func clamp32(n int) uint32 { return uint32(min(uint64(n), math.MaxUint32)) }

// appendRecord appends the record of body without its checksums. length, encLen, tenLen and sum of r don't matter.
func appendRecord(dst []byte, r *record, body []byte) []byte {
	var h [headerSize]byte
	le := binary.LittleEndian
	le.PutUint32(h[0:], marker)
	le.PutUint32(h[4:], uint32(len(r.encoding)+len(r.tenant)+len(body)))
	le.PutUint64(h[8:], r.number)
	le.PutUint64(h[16:], uint64(r.time))
	le.PutUint32(h[24:], clamp32(r.items.Samples))
	le.PutUint32(h[28:], clamp32(r.items.Histograms))
	le.PutUint32(h[32:], clamp32(r.items.Exemplars))
	h[36] = 1
	if r.message == promwire.WriteV2 {
		h[36] = 2
	}
	h[37] = byte(len(r.encoding))
	le.PutUint16(h[38:], uint16(len(r.tenant)))
	le.PutUint32(h[40:], clamp32(r.decoded))
	dst = append(dst, h[:]...)
	dst = append(dst, r.encoding...)
	dst = append(dst, r.tenant...)
	return append(dst, body...)
}

// sealRecord computes the checksums of an encoded record.
func sealRecord(b []byte, salt uint32) {
	binary.LittleEndian.PutUint32(b[44:], crc32.Update(salt, castagnoli, b[headerSize:]))
	binary.LittleEndian.PutUint32(b[48:], crc32.Update(salt, castagnoli, b[:48]))
}

// decodeHeader reads a header. It is false if b is none, or damaged.
func decodeHeader(b []byte, salt uint32) (r record, ok bool) {
	le := binary.LittleEndian
	if len(b) < headerSize || le.Uint32(b) != marker || le.Uint32(b[48:]) != crc32.Update(salt, castagnoli, b[:48]) {
		return record{}, false
	}
	length := le.Uint32(b[4:])
	r = record{
		number: le.Uint64(b[8:]), time: int64(le.Uint64(b[16:])), length: int(length), sum: le.Uint32(b[44:]),
		encLen: int(b[37]), tenLen: int(le.Uint16(b[38:])), decoded: int(le.Uint32(b[40:])), message: promwire.WriteV1,
		items: promwire.WriteStats{
			Samples: int(le.Uint32(b[24:])), Histograms: int(le.Uint32(b[28:])), Exemplars: int(le.Uint32(b[32:])),
		},
	}
	if b[36] == 2 {
		r.message = promwire.WriteV2
	}
	return r, length <= maxBody && r.encLen+r.tenLen <= r.length && (b[36] == 1 || b[36] == 2)
}

// decodeRest checks what follows the header, completes r, and returns the body, a part of b.
func (r *record) decodeRest(b []byte, salt uint32) (body []byte, err error) {
	if len(b) != r.length || crc32.Update(salt, castagnoli, b) != r.sum {
		return nil, errRecord
	}
	r.encoding = knownEncoding(b[:r.encLen])
	r.tenant = string(b[r.encLen : r.encLen+r.tenLen])
	return b[r.encLen+r.tenLen:], nil
}

// knownEncoding spares the usual ones an allocation.
func knownEncoding(b []byte) string {
	if string(b) == promwire.EncodingSnappy {
		return promwire.EncodingSnappy
	}
	return string(b)
}

var markerBytes = binary.LittleEndian.AppendUint32(nil, marker)

// nextMarker returns the index of the first marker in b at from or behind it; -1 if there is none.
func nextMarker(b []byte, from int) int {
	if from >= len(b) {
		return -1
	}
	i := bytes.Index(b[from:], markerBytes)
	if i < 0 {
		return -1
	}
	return from + i
}
