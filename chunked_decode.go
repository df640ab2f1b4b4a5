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
		tag, j := readTag(s, i)
		if j < 0 {
			return false
		}
		switch tag {
		case 0x0a:
			c.ChunkedSeries = extend(c.ChunkedSeries)
			i = c.ChunkedSeries[len(c.ChunkedSeries)-1].read(s, j, left)
		case 0x10:
			c.QueryIndex, i = readInt64(s, j)
		default:
			i = skipUnknown(s, j, tag, 1<<1|1<<2)
		}
		if i < 0 {
			return false
		}
	}
	return true
}

// read reads the message whose length is at s[i:] and returns the index behind it, or -1.
func (cs *ChunkedSeries) read(s string, i int, left *int) int {
	s, end := readString(s, i)
	cs.Labels, cs.Chunks = cs.Labels[:0], cs.Chunks[:0]
	*left--
	for i := 0; i < len(s); {
		tag, j := readTag(s, i)
		if *left--; j < 0 || *left < 0 {
			return -1
		}
		switch tag {
		case 0x0a:
			cs.Labels = append(cs.Labels, Label{})
			i = cs.Labels[len(cs.Labels)-1].read(s, j)
		case 0x12:
			cs.Chunks = append(cs.Chunks, Chunk{})
			i = cs.Chunks[len(cs.Chunks)-1].read(s, j)
		default:
			i = skipUnknown(s, j, tag, 1<<1|1<<2)
		}
		if i < 0 {
			return -1
		}
	}
	if *left < 0 {
		return -1
	}
	return end
}

// read reads the message whose length is at s[i:] and returns the index behind it, or -1.
func (l *Label) read(s string, i int) int {
	s, end := readString(s, i)
	if end < 0 {
		return -1
	}
	var ok bool
	if *l, ok = readLabel(s); !ok {
		return -1
	}
	return end
}

// read reads the message whose length is at s[i:] and returns the index behind it, or -1.
func (c *Chunk) read(s string, i int) int {
	s, end := readString(s, i)
	for i := 0; i < len(s); {
		tag, j := readTag(s, i)
		if j < 0 {
			return -1
		}
		switch tag {
		case 0x08:
			c.MinTime, i = readInt64(s, j)
		case 0x10:
			c.MaxTime, i = readInt64(s, j)
		case 0x18:
			var v int64
			v, i = readInt64(s, j)
			c.Encoding = ChunkEncoding(v)
		case 0x22:
			var data string
			data, i = readString(s, j)
			c.Data = pb.AsBytes(data)
		default:
			i = skipUnknown(s, j, tag, 1<<1|1<<2|1<<3|1<<4)
		}
		if i < 0 {
			return -1
		}
	}
	return end
}
