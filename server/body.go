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
	// firstSize is the memory for a body before anything of it has come, and growth how much more there is at most when
	// that is full: what a sender who stops can keep of what is not sent.
	firstSize = 4 << 10
	growth    = 8
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

// readAll reads the body of r into dst, and at most limit bytes of it. On failure too it returns the memory, which is
// claimed, and taken, as the body comes, not on the word of a Content-Length. In the end the claims hold its length.
func readAll(dst []byte, r *http.Request, limit int, held *claims) ([]byte, error) {
	dst = dst[:0]
	if r.ContentLength > int64(limit) {
		return dst, fmt.Errorf("%w: body has %d bytes, limit %d", promwire.ErrTooLarge, r.ContentLength, limit)
	}
	if r.Body == nil {
		return dst, nil
	}
	for size := 0; ; {
		if len(dst) == size {
			next := nextSize(size, r.ContentLength)
			if err := held.add(int64(next - size)); err != nil {
				return dst, err
			}
			dst, size = slices.Grow(dst, next-size), next
		}
		n, err := r.Body.Read(dst[len(dst):size])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst) > limit:
			return dst, fmt.Errorf("%w: body has more than %d bytes", promwire.ErrTooLarge, limit)
		case err == io.EOF:
			held.release(int64(size - len(dst)))
			return dst, nil
		case err != nil:
			return dst, bodyError(err)
		}
	}
}

// nextSize is how much memory a body gets that has filled size bytes: little before anything has come, and as much as
// was announced soon after, so that large bodies are seldom copied.
func nextSize(size int, announced int64) int {
	if announced < 0 {
		return max(2*size, firstSize)
	}
	// One byte more than announced, so that the end shows without growing.
	if next := max(growth*size, firstSize); next < int(announced)+1 {
		return next
	}
	return max(int(announced)+1, size+firstSize)
}

// bodyError wraps what went wrong while a body was read, so that it passes for the sender's failure.
func bodyError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: body ended before its Content-Length: %w", errBadRequest, err)
	}
	return fmt.Errorf("%w: reading the body: %w", errBadRequest, err)
}
