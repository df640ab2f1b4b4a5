package pb

import "unsafe"

// Reader walks the fields of one message, one by one: the plain reader for messages that are small or rare. The zero
// value reads the empty message.
type Reader struct {
	// Field and Wire are number and wire type of the current field.
	Field uint64
	Wire  int
	// Value is that of a varint, fixed64 or fixed32 field.
	Value uint64
	// Data is that of a length-delimited field; it aliases the message.
	Data []byte
	// Start and DataStart are the offsets in the message of the field's tag and of Data.
	Start, DataStart int
	// Err is the first error. Start is the offset of the field that has it.
	Err error

	msg  string
	next int
}

// NewReader returns a Reader of msg.
func NewReader(msg []byte) Reader { return Reader{msg: AsString(msg)} }

// AsString returns b as a string that shares its memory.
func AsString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// AsBytes returns the bytes of s, from AsString; they must not be written.
func AsBytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// Next goes to the next field; false at the end of the message or on an error.
func (r *Reader) Next() bool {
	if r.Err != nil || r.next >= len(r.msg) {
		return false
	}
	r.Start = r.next
	tag, i := r.varint(r.next)
	r.Field, r.Wire, r.Data = tag>>3, int(tag&7), nil
	switch {
	case r.Err != nil:
	case r.Field == 0 || r.Field > maxField:
		r.Err = ErrFieldNumber
	case r.Wire == Varint:
		r.Value, r.next = r.varint(i)
	case r.Wire == Fixed64:
		r.fixed(i, 8)
	case r.Wire == Fixed32:
		r.fixed(i, 4)
	case r.Wire == Bytes:
		r.bytes(i)
	case r.Wire == 3 || r.Wire == 4:
		r.Err = ErrGroup
	default:
		r.Err = ErrWireType
	}
	return r.Err == nil
}

func (r *Reader) varint(i int) (uint64, int) {
	v, next := Uvarint(r.msg, i)
	if next >= 0 {
		return v, next
	}
	r.Err = ErrTruncated
	if len(r.msg)-i >= 10 {
		r.Err = ErrVarint
	}
	return 0, i
}

func (r *Reader) fixed(i, size int) {
	if size > len(r.msg)-i {
		r.Err = ErrTruncated
		return
	}
	r.Value, r.next = 0, i+size
	for k := size - 1; k >= 0; k-- {
		r.Value = r.Value<<8 | uint64(r.msg[i+k])
	}
}

func (r *Reader) bytes(i int) {
	n, start := r.varint(i)
	if r.Err != nil {
		return
	}
	if n > uint64(len(r.msg)-start) {
		r.Err = ErrTruncated
		return
	}
	r.DataStart, r.next = start, start+int(n)
	r.Data = AsBytes(r.msg[start:r.next])
}
