package promwire

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/promwire/promwire/internal/pb"
)

// ChunkedReadResponse is the content of one frame of a streamed remote-read answer (message
// prometheus.ChunkedReadResponse).
type ChunkedReadResponse struct {
	// ChunkedSeries has one element in every frame of the Prometheus server; its client reads no other. A series may
	// go on in the frames that follow.
	ChunkedSeries []ChunkedSeries
	// QueryIndex is the index of the query that the series answer.
	QueryIndex int64
}

// Reset empties c and keeps its memory, that of nested slices included.
func (c *ChunkedReadResponse) Reset() {
	c.ChunkedSeries, c.QueryIndex = c.ChunkedSeries[:0], 0
}

// AppendProto appends c to dst and returns the extended slice. Nothing is retained; with enough room in dst it
// allocates nothing.
func (c *ChunkedReadResponse) AppendProto(dst []byte) []byte { return c.appendSized(dst, c.size()) }

func (c *ChunkedReadResponse) appendSized(dst []byte, size uint64) []byte {
	dst = grow(dst, size)
	b, i := dst[:cap(dst)], len(dst)
	for k := range c.ChunkedSeries {
		s := &c.ChunkedSeries[k]
		i = pb.PutHeader(b, i, 0x0a, sizeChunkedSeries(s))
		i = putLabels(b, i, s.Labels)
		i = putChunks(b, i, s.Chunks)
	}
	return b[:pb.PutUint(b, i, 0x10, uint64(c.QueryIndex))]
}

func (c *ChunkedReadResponse) size() uint64 {
	n := pb.SizeUint(uint64(c.QueryIndex))
	for k := range c.ChunkedSeries {
		n += pb.SizeMessage(sizeChunkedSeries(&c.ChunkedSeries[k]))
	}
	return n
}

func sizeChunkedSeries(s *ChunkedSeries) uint64 {
	n := sizeLabels(s.Labels)
	for k := range s.Chunks {
		n += pb.SizeMessage(sizeChunk(&s.Chunks[k]))
	}
	return n
}

func sizeLabels(ls Labels) uint64 {
	n := uint64(0)
	for i := range ls {
		n += pb.SizeMessage(pb.SizeBytes(len(ls[i].Name)) + pb.SizeBytes(len(ls[i].Value)))
	}
	return n
}

func sizeChunk(c *Chunk) uint64 {
	return pb.SizeUint(uint64(c.MinTime)) + pb.SizeUint(uint64(c.MaxTime)) + pb.SizeUint(uint64(c.Encoding)) +
		pb.SizeBytes(len(c.Data))
}

func putChunks(b []byte, i int, chunks []Chunk) int {
	for k := range chunks {
		c := &chunks[k]
		i = pb.PutHeader(b, i, 0x12, sizeChunk(c))
		i = pb.PutUint(b, i, 0x08, uint64(c.MinTime))
		i = pb.PutUint(b, i, 0x10, uint64(c.MaxTime))
		i = pb.PutUint(b, i, 0x18, uint64(c.Encoding))
		i = pb.PutString(b, i, 0x22, c.Data)
	}
	return i
}

// castagnoli is the polynomial of the frames' checksums.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// AppendFrame appends c to dst as one frame of a streamed remote-read answer, and returns the extended slice: the
// message's length as a varint, its CRC-32C in four bytes, most significant first, and the message. A message with
// nothing in it gives no frame. Nothing is retained; with enough room in dst it allocates nothing.
func AppendFrame(dst []byte, c *ChunkedReadResponse) []byte {
	size := c.size()
	if size == 0 {
		return dst
	}
	dst = grow(dst, uint64(pb.SizeVarint(size))+crc32.Size+size)
	dst = pb.AppendVarint(dst, size)
	head := len(dst)
	dst = c.appendSized(append(dst, 0, 0, 0, 0), size)
	binary.BigEndian.PutUint32(dst[head:], crc32.Checksum(dst[head+crc32.Size:], castagnoli))
	return dst
}
