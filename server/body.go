package server

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/promwire/promwire"
)

const (
	// maxPresize bounds the memory taken on the word of a Content-Length; beyond it, memory follows what arrives.
	maxPresize = 1 << 20
	minPresize = 512
)

// checkEncoding judges the Content-Encoding header and returns the encoding. A missing one means snappy, as Prometheus
// takes it; more are those accepted besides.
func checkEncoding(h http.Header, more []promwire.Compression) (string, error) {
	values := h["Content-Encoding"]
	if len(values) == 0 || len(values) == 1 && (values[0] == promwire.EncodingSnappy || values[0] == "") {
		return promwire.EncodingSnappy, nil
	}
	given := strings.Join(values, ", ")
	name := strings.TrimSpace(given)
	if strings.EqualFold(name, promwire.EncodingSnappy) {
		return promwire.EncodingSnappy, nil
	}
	want := fmt.Sprintf("%q (block format)", promwire.EncodingSnappy)
	for _, c := range more {
		if strings.EqualFold(name, c.ContentEncoding()) {
			return c.ContentEncoding(), nil
		}
		want += fmt.Sprintf(" or %q", c.ContentEncoding())
	}
	return "", fmt.Errorf("%w: content encoding %.100q, want %s", promwire.ErrUnsupported, given, want)
}

// readBody reads the body of r into dst, and at most limit bytes of it. On failure too it returns the memory.
func readBody(dst []byte, r *http.Request, limit int) ([]byte, error) {
	dst = dst[:0]
	if r.ContentLength > int64(limit) {
		return dst, fmt.Errorf("%w: body has %d bytes, limit %d", promwire.ErrTooLarge, r.ContentLength, limit)
	}
	if r.Body == nil {
		return dst, nil
	}
	// One byte more than announced, so that the end shows without growing.
	dst = slices.Grow(dst, max(int(min(r.ContentLength, maxPresize))+1, minPresize))
	for {
		if len(dst) == cap(dst) {
			dst = slices.Grow(dst, 1)
		}
		n, err := r.Body.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst) > limit:
			return dst, fmt.Errorf("%w: body has more than %d bytes", promwire.ErrTooLarge, limit)
		case err == io.EOF:
			return dst, nil
		case err != nil:
			return dst, bodyError(err)
		}
	}
}

// bodyError wraps what went wrong while a body was read, so that it passes for the sender's failure.
func bodyError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: body ended before its Content-Length: %w", errBadRequest, err)
	}
	return fmt.Errorf("%w: reading the body: %w", errBadRequest, err)
}
