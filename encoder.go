package promwire

import (
	"fmt"
	"strings"
)

// Encoder makes write requests of series that are sent again and again, such as those of an agent or a push SDK.
// Prepare encodes labels and metadata once; a request then costs little more than a copy of them and its samples.
//
// An Encoder is used in rounds: Reset, any number of AppendSample and AppendSeries, AppendTo. The message is the one
// that [WriteRequest.AppendProto] makes of the same series, with one difference: in 1.0 equal family metadata are
// written once per request. In steady state nothing is allocated.
//
// Prepared series stay until the Encoder is dropped, with all their strings: it is not for series seen once. It is
// not safe for concurrent use.
type Encoder struct {
	kind    MessageType
	err     error // kind is not supported
	symbols symbols
	series  []preparedSeries
	encoded []byte   // 1.0: label fields of the series, one after the other
	refs    []uint32 // 2.0: ids of label names and values in symbols
	// families are the family metadata of 1.0, by familyIDs.
	families  []preparedFamily
	familyIDs map[MetricMetadata]uint32

	request encoderRequest
}

// preparedSeries holds where the labels of a series are, in Encoder.encoded or Encoder.refs, and its metadata.
type preparedSeries struct {
	from, to uint32
	family   uint32       // 1.0: 1 + index in Encoder.families; 0 if none
	metadata metadataRefs // 2.0: help and unit are ids in symbols
}

type preparedFamily struct {
	field []byte // metadata field of a 1.0 message
	round uint32 // the last request that has it
}

// Handle is a prepared series of one [Encoder]. The zero Handle belongs to none.
type Handle struct{ n uint32 } // 1 + index in Encoder.series

// NewEncoder returns an Encoder for messages of type t, [WriteV1] or [WriteV2].
func NewEncoder(t MessageType) *Encoder {
	e := &Encoder{kind: t}
	if t != WriteV1 && t != WriteV2 {
		e.err = unsupportedMessage(t)
	}
	e.symbols.reset()
	e.Reset()
	return e
}

// Prepare encodes labels and metadata of a series for use in any number of requests. The labels go out as they are;
// nothing of the arguments is retained. Preparing the same labels again gives another Handle, and costs memory again.
//
// The error wraps [ErrUnsupported] if the message type of e is not supported, and [ErrTooLarge] if all labels
// prepared would take 2 GiB.
func (e *Encoder) Prepare(ls Labels, m Metadata) (Handle, error) {
	if e.err != nil {
		return Handle{}, e.err
	}
	var s preparedSeries
	var err error
	if e.kind == WriteV1 {
		s, err = e.prepareV1(ls, m)
	} else {
		s, err = e.prepareV2(ls, m)
	}
	if err != nil {
		return Handle{}, err
	}
	if len(e.series) >= maxMessage {
		return Handle{}, errPreparedTooLarge
	}
	e.series = append(e.series, s)
	return Handle{uint32(len(e.series))}, nil
}

var errPreparedTooLarge = fmt.Errorf("%w: prepared series would exceed %d bytes", ErrTooLarge, maxMessage)

func (e *Encoder) prepareV1(ls Labels, m Metadata) (preparedSeries, error) {
	from, size := len(e.encoded), sizeLabels(ls)
	if uint64(from)+size > maxMessage {
		return preparedSeries{}, errPreparedTooLarge
	}
	buf, err := room(e.encoded, 0, size)
	if err != nil {
		return preparedSeries{}, err
	}
	e.encoded = buf[:putLabels(buf[:cap(buf)], from, ls)]
	s := preparedSeries{from: uint32(from), to: uint32(len(e.encoded))}
	if family, ok := familyMetadata(ls, &m); ok {
		s.family, err = e.prepareFamily(family)
	}
	return s, err
}

// prepareFamily returns 1 + the index of the family metadata.
func (e *Encoder) prepareFamily(m MetricMetadata) (uint32, error) {
	if id, known := e.familyIDs[m]; known {
		return id, nil
	}
	field, err := appendMetadataV1(nil, 0, &m)
	if err != nil {
		return 0, err
	}
	if e.familyIDs == nil {
		e.familyIDs = make(map[MetricMetadata]uint32)
	}
	e.families = append(e.families, preparedFamily{field: field})
	id := uint32(len(e.families))
	e.familyIDs[MetricMetadata{m.clone(), strings.Clone(m.Family)}] = id
	return id, nil
}

func (e *Encoder) prepareV2(ls Labels, m Metadata) (preparedSeries, error) {
	from := len(e.refs)
	e.refs = e.symbols.appendRefs(e.refs, ls)
	s := preparedSeries{
		from:     uint32(from),
		to:       uint32(len(e.refs)),
		metadata: metadataRefs{m.Type, e.symbols.ref(m.Help), e.symbols.ref(m.Unit)},
	}
	if e.symbols.full || uint64(len(e.refs)) > maxMessage/4 {
		e.symbols.full = false
		e.refs = e.refs[:from]
		return preparedSeries{}, errPreparedTooLarge
	}
	return s, nil
}
