package server

import (
	"slices"

	"github.com/promwire/promwire/internal/pb"
)

// nested writes a message inside another one whose length is not known before its end.
type nested struct {
	at   int // where the length stands
	room int // bytes left for it
}

// begin appends the tag and room for the length: as much as the length before took.
func (n *nested) begin(buf []byte, tag byte) []byte {
	buf = append(buf, tag)
	n.at = len(buf)
	return append(buf, make([]byte, n.room)...)
}

// end writes the length and moves what was appended since begin if the room does not fit.
func (n *nested) end(buf []byte, length uint64) []byte {
	if size := pb.SizeVarint(length); size != n.room {
		content := n.at + n.room
		if size > n.room {
			buf = slices.Grow(buf, size-n.room)
		}
		moved := copy(buf[n.at+size:cap(buf)], buf[content:])
		buf, n.room = buf[:n.at+size+moved], size
	}
	pb.PutVarint(buf, n.at, length)
	return buf
}
