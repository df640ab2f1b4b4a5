package server

import (
	"encoding/binary"
	"errors"

	"github.com/promwire/promwire"
)

// meter is the compression of one request. It claims what a body announces to decompress to before it is decompressed,
// and lets nothing take more than was claimed.
type meter struct {
	codec  promwire.Compression
	claims *claims
	size   int // of what was decoded
}

// sizer is what a compression may have besides: the size that a body announces, which may be wrong; false if it
// announces none.
type sizer interface {
	DecodedSize(src []byte) (size int, ok bool)
}

// ContentEncoding implements [promwire.Compression].
func (m *meter) ContentEncoding() string { return m.codec.ContentEncoding() }

// AppendEncoded implements [promwire.Compression].
func (m *meter) AppendEncoded(dst, src []byte) ([]byte, error) {
	return m.codec.AppendEncoded(dst, src)
}

// AppendDecoded implements [promwire.Compression].
func (m *meter) AppendDecoded(dst, src []byte, maxDecoded int) ([]byte, error) {
	first := min(m.announced(src, maxDecoded), maxDecoded)
	out, err := m.decode(dst, src, first)
	if first < maxDecoded && errors.Is(err, promwire.ErrTooLarge) {
		// It announced too little, as a gzip body of several members does.
		out, err = m.decode(dst, src, maxDecoded)
	}
	m.size = len(out) - len(dst)
	return out, err
}

func (m *meter) decode(dst, src []byte, bound int) ([]byte, error) {
	if err := m.claims.add(int64(bound)); err != nil {
		return dst, err
	}
	out, err := m.codec.AppendDecoded(dst, src, bound)
	m.claims.release(int64(bound - (len(out) - len(dst))))
	return out, err
}

// announced is what src says that it decompresses to, or as much as is allowed.
func (m *meter) announced(src []byte, maxDecoded int) int {
	switch codec := m.codec.(type) {
	case sizer:
		if size, ok := codec.DecodedSize(src); ok {
			return size
		}
	default:
		switch codec.ContentEncoding() {
		case promwire.EncodingIdentity:
			return len(src)
		case promwire.EncodingSnappy:
			if size, n := binary.Uvarint(src); n > 0 && size < uint64(maxDecoded) {
				return int(size)
			}
		}
	}
	return maxDecoded
}

// codecFor returns what decodes an encoding that [checkEncoding] has let through.
func codecFor(encoding string, more []promwire.Compression) promwire.Compression {
	for _, c := range more {
		if c.ContentEncoding() == encoding {
			return c
		}
	}
	return promwire.Snappy
}
