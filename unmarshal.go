package promwire

import (
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/promwire/promwire/internal/pb"
)

var decoders = sync.Pool{New: func() any { return new(Decoder) }}

// UnmarshalProto replaces what r holds by the uncompressed message src of type t (anything but [WriteV2] is read as
// [WriteV1]). It copies src once; the strings of r share that copy, so that keeping one of them keeps it all
// ([Labels.Clone] frees from that).
//
// It takes what [Decoder] takes. An error is a [*DecodeError], and leaves r empty; in 2.0, it wraps
// [ErrInvalidSymbolRef] if a series refers to no symbol (a Decoder refuses only that series).
//
// In 2.0 the strings that references stand for (labels, help, unit) may take 64 times the size of the message together,
// or 64 MiB if that is more; beyond it the error wraps [ErrTooLarge]. A Decoder has the limit that its user sets.
//
// The slices of r are reused, those of series and histograms that are behind its length included; so no two series
// in r's memory may share slices: whoever removes series from r swaps them to the end. Memory is never taken for an
// announced count, but an empty series has two bytes encoded and over a hundred in r: take messages of strangers through a
// [Body] with [Rules.MaxMemory], or build the request with [Decoder.NextInto] under a limit.
func (r *WriteRequest) UnmarshalProto(src []byte, t MessageType) error {
	return r.unmarshal(strings.Clone(pb.AsString(src)), t)
}

// The bound on what the references of a 2.0 message stand for, in UnmarshalProto. Sensible messages stay below 20 times
// their size, since a series has some bytes for each of its labels besides the references.
const (
	resolvedRatio = 64
	resolvedFloor = 64 << 20
)

func maxResolved(size int) int {
	return int(min(max(uint64(size)*resolvedRatio, resolvedFloor), math.MaxInt))
}

// UnmarshalProtoAlias is [WriteRequest.UnmarshalProto] without the copy: the strings of r alias src, which must stay
// as it is as long as they are used. In steady state it allocates nothing.
func (r *WriteRequest) UnmarshalProtoAlias(src []byte, t MessageType) error {
	return r.unmarshal(pb.AsString(src), t)
}

func (r *WriteRequest) unmarshal(msg string, t MessageType) error {
	d := decoders.Get().(*Decoder)
	d.Reset(pb.AsBytes(msg), t)
	d.MaxLabelBytes = maxResolved(len(msg))
	d.metadata = r.Metadata[:0]
	err := r.fill(d)
	r.Metadata = d.metadata
	d.metadata = nil
	d.release()
	decoders.Put(d)
	if err != nil {
		r.Reset()
	}
	return err
}

// fill decodes all series of d.
func (r *WriteRequest) fill(d *Decoder) error {
	r.Timeseries = r.Timeseries[:0]
	for {
		n := len(r.Timeseries)
		if n == cap(r.Timeseries) {
			r.Timeseries = slices.Grow(r.Timeseries, 1+d.countSeries())
		}
		next := r.Timeseries[:n+1]
		if !d.NextInto(&next[n]) {
			return d.Err()
		}
		r.Timeseries = next
		if d.seriesErr != nil {
			return &DecodeError{Message: string(d.t), Field: "timeseries", Offset: d.start, Err: d.seriesErr}
		}
	}
}

// countSeries counts the series that are still to come, up to what is malformed.
func (d *Decoder) countSeries() (n int) {
	want := uint64(0x0a)
	if d.t == WriteV2 {
		want = 0x2a
	}
	for i := d.pos; i < len(d.msg); {
		tag, _, next := pb.Field(d.msg, i)
		if tag == want {
			n++
		} else if tag&7 != pb.Bytes && next >= 0 {
			next = pb.Skip(d.msg, next, tag)
		}
		if i = next; i < 0 {
			break
		}
	}
	return n
}

// release lets go of the message.
func (d *Decoder) release() {
	clear(d.symbols)
	d.Reset(nil, WriteV1)
}
