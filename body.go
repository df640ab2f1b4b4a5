package promwire

import (
	"errors"
	"fmt"

	"github.com/promwire/promwire/internal/pb"
	"github.com/promwire/promwire/internal/xcompress"
)

// Body is a remote-write request as it came: encoded bytes, their encoding, and the message in them. It is not safe
// for concurrent use.
type Body struct {
	Encoded  []byte
	Encoding string // "snappy" or "" for none
	Type     MessageType
	// MaxDecoded bounds the decompressed size, in bytes; judged from the announced size before memory is taken.
	MaxDecoded int
	// Rules are what the receiver demands. Whoever decodes the body judges it by them: each series by [Rules.Apply],
	// or by [Rules.Refuse] what the [Decoder] finds wrong with it, and the message by [Rules.CheckMessage].
	Rules Rules

	decoded []byte
	done    bool
	err     error
}

// Reset prepares b for another request and keeps the memory of the decompressed bytes. The rules are those of the
// message type, without limits.
func (b *Body) Reset(encoded []byte, encoding string, t MessageType, maxDecoded int) {
	*b = Body{
		Encoded: encoded, Encoding: encoding, Type: t, MaxDecoded: maxDecoded,
		Rules: Rules{Type: t}, decoded: b.decoded[:0],
	}
}

// Memory returns how many bytes b keeps for decompressed messages, for pools that bound what they hold.
func (b *Body) Memory() int { return cap(b.decoded) }

// Decoded returns the message, decompressed on the first call. The bytes are valid until Reset, and no longer than b
// itself. Errors wrap [*DecodeError], and [ErrTooLarge] if the announced size or the memory for the decoded message is
// over the limit.
func (b *Body) Decoded() ([]byte, error) {
	if b.done {
		return b.decoded, b.err
	}
	b.done = true
	b.decoded, b.err = b.decompress(b.decoded[:0])
	if b.err == nil && b.Rules.MaxMemory > 0 {
		b.err = checkMemory(pb.AsString(b.decoded), b.Type, uint64(b.Rules.MaxMemory))
	}
	return b.decoded, b.err
}

func (b *Body) decompress(dst []byte) ([]byte, error) {
	switch b.Encoding {
	case "":
		if len(b.Encoded) > b.MaxDecoded {
			return dst, fmt.Errorf("%w: body has %d bytes, limit %d", ErrTooLarge, len(b.Encoded), b.MaxDecoded)
		}
		return append(dst, b.Encoded...), nil
	case EncodingSnappy:
		out, err := xcompress.AppendDecoded(dst, b.Encoded, b.MaxDecoded)
		if err == nil {
			return out, nil
		}
		// Declared here, as it takes an allocation.
		var size *xcompress.SizeError
		if errors.As(err, &size) {
			return out, fmt.Errorf("%w: body %w", ErrTooLarge, err)
		}
		return out, &DecodeError{Message: string(b.Type), Err: err}
	default:
		return dst, fmt.Errorf("%w: content encoding %.100q", ErrUnsupported, b.Encoding)
	}
}
