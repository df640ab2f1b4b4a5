package promwire

import (
	"errors"
	"fmt"

	"github.com/promwire/promwire/internal/xcompress"
)

// Compression is a content encoding of remote-write bodies. The packages below compress have some; [Snappy] and
// [Identity] are here. Implementations are safe for concurrent use.
//
// The specification knows snappy only. Others have to be agreed on with the receiver: write clients fall back to snappy
// where one is refused, and handlers accept what they are given and nothing else.
//
// One that can tell from a body what it decodes to has a method DecodedSize(src []byte) (size int, ok bool) besides.
// Handlers reserve that before they decode, otherwise as much as is allowed; it may be wrong.
type Compression interface {
	// ContentEncoding is the value of the Content-Encoding header, in lower case, such as "zstd".
	ContentEncoding() string
	// AppendEncoded appends src in this encoding to dst. They must not overlap; nothing is retained.
	AppendEncoded(dst, src []byte) ([]byte, error)
	// AppendDecoded appends what the body src decodes to, and takes no memory for more than about maxDecoded bytes,
	// whatever src announces: beyond it, the error wraps [ErrTooLarge]. On an error dst is returned as it was.
	AppendDecoded(dst, src []byte, maxDecoded int) ([]byte, error)
}

// EncodingIdentity is the Content-Encoding of a body that is not compressed. It is sent, although HTTP does not ask for
// it: receivers take a missing header for snappy.
const EncodingIdentity = "identity"

var (
	// Snappy is the snappy block format, which the protocol asks for and every client and handler speaks.
	Snappy Compression = snappyBlocks{}
	// Identity is no compression.
	Identity Compression = identity{}
)

type snappyBlocks struct{}

func (snappyBlocks) ContentEncoding() string { return EncodingSnappy }

func (snappyBlocks) AppendEncoded(dst, src []byte) ([]byte, error) {
	return xcompress.AppendSnappy(dst, src), nil
}

func (snappyBlocks) AppendDecoded(dst, src []byte, maxDecoded int) ([]byte, error) {
	out, err := xcompress.AppendDecoded(dst, src, maxDecoded)
	if err == nil {
		return out, nil
	}
	// Declared here, as it takes an allocation.
	var size *xcompress.SizeError
	if errors.As(err, &size) {
		return dst, fmt.Errorf("%w: body %w", ErrTooLarge, err)
	}
	return dst, err
}

type identity struct{}

func (identity) ContentEncoding() string { return EncodingIdentity }

func (identity) AppendEncoded(dst, src []byte) ([]byte, error) { return append(dst, src...), nil }

func (identity) AppendDecoded(dst, src []byte, maxDecoded int) ([]byte, error) {
	if len(src) > maxDecoded {
		return dst, fmt.Errorf("%w: body has %d bytes, limit %d", ErrTooLarge, len(src), maxDecoded)
	}
	return append(dst, src...), nil
}
