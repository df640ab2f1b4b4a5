package promwire

import (
	"fmt"
	"math"
	"slices"

	"github.com/promwire/promwire/internal/pb"
)

// maxMessage is the largest protobuf message, in bytes.
const maxMessage = math.MaxInt32

var errMessageTooLarge = fmt.Errorf("%w: message would exceed %d bytes", ErrTooLarge, maxMessage)

// AppendProto appends r to dst as a message of type t, and returns the extended slice. It does not sort, check or
// leave out anything: what is in r goes out, in the byte order that the Prometheus library writes. Scalars that are
// zero bit by bit are left out, so that -0 and NaN payloads survive.
//
// In a 1.0 message start timestamps have no place and are not sent. Metadata of a series becomes family metadata
// behind the series, named by [FamilyName], once per run of series with the same; a series without a metric name
// gives none. Metadata of r itself follow.
//
// In a 2.0 message symbols are unique, in the order of their first use. Metadata of r itself have no place there: if
// there are any, the error wraps [ErrUnsupported] and the caller decides.
//
// The error wraps [ErrUnsupported] too if t is neither [WriteV1] nor [WriteV2], and [ErrTooLarge] if the message
// would exceed 2 GiB, the limit of protobuf; dst is returned as it was.
//
// Nothing is retained. With enough room in dst it allocates nothing, apart from pooled memory when that has to grow.
// It is safe for concurrent use as long as nobody modifies r.
func (r *WriteRequest) AppendProto(dst []byte, t MessageType) ([]byte, error) {
	switch t {
	case WriteV1:
		return appendRequestV1(dst, r)
	case WriteV2:
		return appendRequestV2(dst, r)
	default:
		return dst, unsupportedMessage(t)
	}
}

func unsupportedMessage(t MessageType) error {
	return fmt.Errorf("%w: message %.100q, want %q or %q", ErrUnsupported, string(t), WriteV1, WriteV2)
}

// room returns dst with capacity for n more bytes, or an error if the message that began at start would grow too
// large by them.
func room(dst []byte, start int, n uint64) ([]byte, error) {
	if uint64(len(dst)-start)+n > maxMessage {
		return dst[:start], errMessageTooLarge
	}
	return grow(dst, n), nil
}

// grow returns dst with capacity for n more bytes.
func grow(dst []byte, n uint64) []byte {
	if uint64(cap(dst)-len(dst)) < n {
		dst = slices.Grow(dst, int(n))
	}
	return dst
}

// estimate is what a message will take, in bytes. Messages are written forwards, without a pass that computes exact
// sizes: memory is taken for most, and likely decides how many bytes are left free for the length in front.
type estimate struct {
	likely int
	most   uint64
}

func (e *estimate) add(o estimate) {
	e.likely += o.likely
	e.most += o.most
}

// The largest sizes of parts, with tags and lengths, but without the text and lists in them.
const (
	maxHeader       = 1 + 5
	maxSample       = 2 + 9 + 11 + 11
	maxExemplar     = maxHeader + 9 + 11
	maxLabelHeaders = 3 * maxHeader
)

func estimatePoints(samples []Sample, histograms []Histogram) estimate {
	e := estimate{18 * len(samples), maxHeader + maxSample*uint64(len(samples))}
	if len(histograms) > 0 {
		e.add(estimateHistograms(histograms))
	}
	return e
}

func estimateHistograms(histograms []Histogram) (e estimate) {
	for i := range histograms {
		e.add(estimateHistogram(&histograms[i]))
	}
	return e
}

// putSample writes a samples field; the message is smaller than 128 bytes. Both versions have the fields value and
// timestamp alike; the start timestamp is passed as 0 for 1.0.
func putSample(b []byte, i int, valueBits uint64, timestamp, start int64) int {
	open := i
	b[open] = 0x12
	i = pb.PutDouble(b, i+2, 0x09, valueBits)
	i = pb.PutUint(b, i, 0x10, uint64(timestamp))
	i = pb.PutUint(b, i, 0x18, uint64(start))
	b[open+1] = byte(i - open - 2)
	return i
}
