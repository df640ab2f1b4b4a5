package promwire

import (
	"fmt"

	"github.com/promwire/promwire/internal/pb"
)

// maxFrameItems bounds what a frame decodes to: series, labels and chunks together. Frames of 1 MiB hold some
// thousands; without a bound, a frame of the largest size full of empty items would take a gigabyte.
const maxFrameItems = 1 << 20

// UnmarshalProtoAlias replaces what c holds by the message src. The strings and chunk data of c alias src, which must
// stay as it is as long as they are used. It reuses the slices of c, those behind its length included; in steady
// state it allocates nothing.
//
// An error is a [*DecodeError] and leaves c empty; it wraps [ErrTooLarge] if the message holds more than a million
// series, labels and chunks.
func (c *ChunkedReadResponse) UnmarshalProtoAlias(src []byte) error {
	c.Reset()
	msg, left := pb.AsString(src), maxFrameItems
	if c.read(msg, &left) {
		return nil
	}
	c.Reset()
	if left < 0 {
		err := fmt.Errorf("%w: more than %d series, labels and chunks", ErrTooLarge, maxFrameItems)
		return &DecodeError{Message: "prometheus.ChunkedReadResponse", Err: err}
	}
	return explainMessage(msg, "prometheus.ChunkedReadResponse", chunkedFields)
}

var chunkedFields = []fieldInfo{
	{1, "chunked_series", kindMessage, []fieldInfo{
		{1, "labels", kindMessage, labelFields},
		{2, "chunks", kindMessage, []fieldInfo{
			{1, "min_time_ms", kindVarint, nil},
			{2, "max_time_ms", kindVarint, nil},
			{3, "type", kindVarint, nil},
			{4, "data", kindString, nil},
		}},
	}},
	{2, "query_index", kindVarint, nil},
}

// read returns false for malformed input, and if there are more items than left.
func (c *ChunkedReadResponse) read(s string, left *int) bool {
	for i := 0; i < len(s); {
		tag, body, next := pb.Field(s, i)
		if next < 0 {
			return false
		}
		ok := true
		switch tag {
		case 0x0a:
			c.ChunkedSeries = extend(c.ChunkedSeries)
			ok = c.ChunkedSeries[len(c.ChunkedSeries)-1].read(body, left)
		case 0x10:
			c.QueryIndex, next = readInt64(s, next)
		default:
			next = skipUnknown(s, next, tag, 1<<1|1<<2)
		}
		if i = next; i < 0 || !ok {
			return false
		}
	}
	return true
}

// read returns false for malformed input, and if there are more items than left.
func (cs *ChunkedSeries) read(s string, left *int) bool {
	cs.Labels, cs.Chunks = cs.Labels[:0], cs.Chunks[:0]
	*left--
	for i := 0; i < len(s); {
		tag, body, next := pb.Field(s, i)
		if *left--; next < 0 || *left < 0 {
			return false
		}
		ok := true
		switch tag {
		case 0x0a:
			cs.Labels, ok = appendAnyLabel(cs.Labels, body)
		case 0x12:
			cs.Chunks = append(cs.Chunks, Chunk{})
			ok = cs.Chunks[len(cs.Chunks)-1].read(body)
		default:
			next = skipUnknown(s, next, tag, 1<<1|1<<2)
		}
		if i = next; i < 0 || !ok {
			return false
		}
	}
	return *left >= 0
}

func (c *Chunk) read(s string) bool {
	for i := 0; i < len(s); {
		tag, body, next := pb.Field(s, i)
		if next < 0 {
			return false
		}
		switch tag {
		case 0x08:
			c.MinTime, next = readInt64(s, next)
		case 0x10:
			c.MaxTime, next = readInt64(s, next)
		case 0x18:
			var v int64
			v, next = readInt64(s, next)
			c.Encoding = ChunkEncoding(v)
		case 0x22:
			c.Data = pb.AsBytes(body)
		default:
			next = skipUnknown(s, next, tag, 1<<1|1<<2|1<<3|1<<4)
		}
		if i = next; i < 0 {
			return false
		}
	}
	return true
}
