package server

import (
	"slices"

	"github.com/promwire/promwire/internal/pb"
)

// nested writes a message inside another one whose length is not known before its end.
type nested struct {
	start int // of the content
	room  int // bytes left for the length
}

// begin appends the tag and room for the length: as much as the length before took.
func (n *nested) begin(buf []byte, tag byte) []byte {
	buf = append(buf, tag)
	buf = append(buf, make([]byte, n.room)...)
	n.start = len(buf)
	return buf
}

// end writes the length of what was appended since begin, and moves that if the room does not fit.
func (n *nested) end(buf []byte) []byte {
	length := uint64(len(buf) - n.start)
	at := n.start - n.room
	if size := pb.SizeVarint(length); size != n.room {
		if size > n.room {
			buf = slices.Grow(buf, size-n.room)
		}
		moved := buf[at+size : at+size+int(length)]
		copy(moved, buf[n.start:])
		buf, n.room = buf[:at+size+int(length)], size
	}
	pb.PutVarint(buf, at, length)
	return buf
}
