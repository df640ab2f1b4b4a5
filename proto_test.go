package promwire_test

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"strings"
	"testing"
)

// A small encoder of its own, so that tests of the codec do not lean on the codec. Fields are written as they are
// asked for: nothing is left out, ordered or packed unless the test says so.

type msg []byte

func (m msg) tag(field, wire int) msg {
	return binary.AppendUvarint(m, uint64(field)<<3|uint64(wire))
}

func (m msg) append(more msg) msg { return append(m, more...) }

func (m msg) uint(field int, v uint64) msg {
	return binary.AppendUvarint(m.tag(field, 0), v)
}

func (m msg) int(field int, v int64) msg { return m.uint(field, uint64(v)) }

func (m msg) sint(field int, v int64) msg { return m.uint(field, zigzag(v)) }

func zigzag(v int64) uint64 { return uint64(v<<1) ^ uint64(v>>63) }

func (m msg) double(field int, v float64) msg {
	return binary.LittleEndian.AppendUint64(m.tag(field, 1), math.Float64bits(v))
}

func (m msg) str(field int, s string) msg {
	return append(binary.AppendUvarint(m.tag(field, 2), uint64(len(s))), s...)
}

func (m msg) sub(field int, parts ...msg) msg {
	var all msg
	for _, p := range parts {
		all = append(all, p...)
	}
	return m.str(field, string(all))
}

func (m msg) uints(field int, vs ...uint64) msg {
	var all []byte
	for _, v := range vs {
		all = binary.AppendUvarint(all, v)
	}
	return m.str(field, string(all))
}

func (m msg) sints(field int, vs ...int64) msg {
	var all []byte
	for _, v := range vs {
		all = binary.AppendUvarint(all, zigzag(v))
	}
	return m.str(field, string(all))
}

func (m msg) doubles(field int, vs ...float64) msg {
	var all []byte
	for _, v := range vs {
		all = binary.LittleEndian.AppendUint64(all, math.Float64bits(v))
	}
	return m.str(field, string(all))
}

func labelMsg(name, value string) msg { return msg{}.str(1, name).str(2, value) }

func sampleMsg(v float64, t int64) msg { return msg{}.double(1, v).int(2, t) }

func spanMsg(offset int64, length uint64) msg { return msg{}.sint(1, offset).uint(2, length) }

// unhex decodes hex with blanks and line breaks between groups.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
