// Package gzip is the gzip content encoding for remote-write bodies, which some gateways ask for.
//
//	client, err := remote.NewWriteClient(url, remote.WithCompression(gzip.Codec{}))
//	handler := server.NewWriteHandler(w, server.WithCompressions(gzip.Codec{}))
//
// Only programs that import it pay for it.
package gzip

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/klauspost/compress/gzip"

	"github.com/promwire/promwire"
)

// Codec compresses at the fastest level and decompresses any gzip members. It is safe for concurrent use.
type Codec struct{}

var _ promwire.Compression = Codec{}

// ContentEncoding implements [promwire.Compression].
func (Codec) ContentEncoding() string { return "gzip" }

// writer is an encoder and where it writes to.
type writer struct {
	gzip *gzip.Writer
	dst  []byte
}

func (w *writer) Write(p []byte) (int, error) {
	w.dst = append(w.dst, p...)
	return len(p), nil
}

var writers = sync.Pool{New: func() any {
	w := &writer{}
	w.gzip, _ = gzip.NewWriterLevel(w, gzip.BestSpeed) // the level is valid
	return w
}}

// AppendEncoded implements [promwire.Compression].
func (Codec) AppendEncoded(dst, src []byte) ([]byte, error) {
	w := writers.Get().(*writer)
	defer writers.Put(w)
	w.dst = dst
	defer func() { w.dst = nil }()
	w.gzip.Reset(w)
	if _, err := w.gzip.Write(src); err != nil {
		return dst, err
	}
	err := w.gzip.Close()
	return w.dst, err
}

// DecodedSize returns the size that the last member of src announces, which may be wrong. Handlers reserve it.
func (Codec) DecodedSize(src []byte) (size int, ok bool) {
	if len(src) < minSize {
		return 0, false
	}
	announced := uint64(binary.LittleEndian.Uint32(src[len(src)-4:]))
	return int(min(announced, uint64(len(src))*maxRatio)), true
}

// reader is a decoder and where it reads from.
type reader struct {
	gzip gzip.Reader
	src  bytes.Reader
}

var readers = sync.Pool{New: func() any { return new(reader) }}

const (
	// maxRatio is the most that a byte of gzip decodes to.
	maxRatio = 1032
	// minSize is that of an empty member; its last four bytes are the size that it announces.
	minSize = 18
	minRoom = 512
)

// AppendDecoded implements [promwire.Compression]. The size at the end of the body is taken as a hint; memory beyond it
// follows what is decoded.
func (Codec) AppendDecoded(dst, src []byte, maxDecoded int) ([]byte, error) {
	limit := max(maxDecoded, 0)
	if len(src) < minSize {
		return dst, fmt.Errorf("corrupt gzip body: %d bytes", len(src))
	}
	size := int(min(uint64(binary.LittleEndian.Uint32(src[len(src)-4:])), uint64(limit), uint64(len(src))*maxRatio))
	r := readers.Get().(*reader)
	defer readers.Put(r)
	r.src.Reset(src)
	defer r.src.Reset(nil)
	if err := r.gzip.Reset(&r.src); err != nil {
		return dst, fmt.Errorf("corrupt gzip body: %w", err)
	}
	out, err := readAll(slices.Grow(dst, size+1), &r.gzip, len(dst), limit)
	if err != nil {
		return dst, err
	}
	return out, nil
}

// readAll appends what r has to dst, which has start bytes already, up to limit.
func readAll(dst []byte, r io.Reader, start, limit int) ([]byte, error) {
	for {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, min(max(len(dst)-start, minRoom), limit+1))
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst)-start > limit:
			return nil, fmt.Errorf("%w: body has more than %d bytes decompressed", promwire.ErrTooLarge, limit)
		case errors.Is(err, io.EOF):
			return dst, nil
		case err != nil:
			return nil, fmt.Errorf("corrupt gzip body: %w", err)
		}
	}
}
