package promwire

import (
	"errors"
	"fmt"

	"github.com/promwire/promwire/internal/pb"
)

// Body is a remote-write request as it came: encoded bytes, their encoding, and the message in them. It is not safe
// for concurrent use.
type Body struct {
	Encoded  []byte
	Encoding string // "snappy", "" or "identity" for none, or that of one of Compressions
	Type     MessageType
	// MaxDecoded bounds the decompressed size, in bytes; judged from the announced size before memory is taken.
	MaxDecoded int
	// Rules are what the receiver demands. Whoever decodes the body judges it by them: each series by [Rules.Apply],
	// or by [Rules.Refuse] what the [Decoder] finds wrong with it, and the message by [Rules.CheckMessage].
	Rules Rules
	// Compressions are the encodings that can be decoded besides snappy and none; one for these two takes the place of the
	// usual one. Whoever passes the body on undecoded needs none of them.
	Compressions []Compression

	decoded []byte
	done    bool
	err     error
	stats   WriteStats
	counted bool // stats is what the message carries
}

// Reset prepares b for another request and keeps the memory of the decompressed bytes. The rules are those of the
// message type, without limits; there are no further compressions.
func (b *Body) Reset(encoded []byte, encoding string, t MessageType, maxDecoded int) {
	*b = Body{
		Encoded: encoded, Encoding: encoding, Type: t, MaxDecoded: maxDecoded,
		Rules: Rules{Type: t}, decoded: b.decoded[:0],
	}
}

// Memory returns how many bytes b keeps for decompressed messages, for pools that bound what they hold.
func (b *Body) Memory() int { return cap(b.decoded) }

// Decoded returns the message, decompressed on the first call. The bytes are valid until Reset, and no longer than b
// itself. Errors wrap [*DecodeError], [ErrTooLarge] if the announced size or the memory for the decoded message is over
// the limit, or [ErrUnavailable] if a compression has no memory for it now.
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
	c := b.compression()
	if c == nil {
		return dst, fmt.Errorf("%w: content encoding %.100q", ErrUnsupported, b.Encoding)
	}
	out, err := c.AppendDecoded(dst, b.Encoded, b.MaxDecoded)
	if err == nil || errors.Is(err, ErrTooLarge) || errors.Is(err, ErrUnavailable) {
		return out, err
	}
	return out, &DecodeError{Message: string(b.Type), Err: err}
}

// compression returns what decodes b, or nil.
func (b *Body) compression() Compression {
	for _, c := range b.Compressions {
		if c.ContentEncoding() == b.Encoding {
			return c
		}
	}
	switch b.Encoding {
	case EncodingSnappy:
		return Snappy
	case "", EncodingIdentity:
		return Identity
	}
	return nil
}
