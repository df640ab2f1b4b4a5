package promwire

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/promwire/promwire/internal/pb"
)

// Encoder makes write requests of series that are sent again and again, such as those of an agent or a push SDK.
// Prepare encodes labels and metadata once; a request then costs little more than a copy of them and its samples.
//
// An Encoder is used in rounds: Reset, any number of AppendSample and AppendSeries, AppendTo or AppendSnappy. The message says the
// same as the one that [WriteRequest.AppendProto] makes of these series. Two things may differ: in 1.0 equal family
// metadata are written once per request, and in 2.0 the order of symbols is that of the first request with the same
// series. In steady state nothing is allocated.
//
// Prepared series stay until the Encoder is dropped, with all their strings: it is not for series seen once. It is
// not safe for concurrent use.
type Encoder struct {
	kind   MessageType
	v1     encoderV1
	v2     encoderV2
	items  []encoderItem
	points []byte // encoded fields of the items: all but labels, metadata and, in 2.0, exemplars
	stats  WriteStats

	timestamp      int64   // of a sample before, 0 if there is none
	timestampField [8]byte // it with its tag
	timestampSize  int     // of these

	message []byte // of AppendSnappy, where it has to be compressed
}

// encoderItem is one series of a request: its number, and how many bytes of Encoder.points belong to it.
type encoderItem struct{ series, points uint32 }

// Handle is a prepared series of one [Encoder]. The zero Handle belongs to none.
type Handle struct{ n uint32 } // 1 + number of the series

// NewEncoder returns an Encoder for messages of type t, [WriteV1] or [WriteV2].
func NewEncoder(t MessageType) *Encoder {
	e := &Encoder{kind: t}
	e.v2.symbols.reset()
	e.v2.newLayout()
	e.Reset()
	return e
}

// Prepare encodes labels and metadata of a series for use in any number of requests, the present one included. The
// labels go out as they are; nothing of the arguments is retained. Preparing the same labels again gives another
// Handle, and costs memory again.
//
// The error wraps [ErrUnsupported] if the message type of e is neither [WriteV1] nor [WriteV2], and [ErrTooLarge] if
// all that is prepared would take more than about 2 GiB.
func (e *Encoder) Prepare(ls Labels, m Metadata) (Handle, error) {
	var n int
	var err error
	switch e.kind {
	case WriteV1:
		n, err = e.v1.prepare(ls, m)
	case WriteV2:
		n, err = e.v2.prepare(ls, m)
	default:
		err = unsupportedMessage(e.kind)
	}
	if err != nil {
		return Handle{}, err
	}
	return Handle{uint32(n)}, nil
}

var errPreparedTooLarge = fmt.Errorf("%w: prepared series would exceed %d bytes", ErrTooLarge, maxMessage)

// Reset begins a request, and forgets the one before.
func (e *Encoder) Reset() {
	e.items, e.points, e.stats = e.items[:0], e.points[:0], WriteStats{}
	e.v1.reset()
	e.v2.reset()
}

// Stats counts what the request has so far.
func (e *Encoder) Stats() WriteStats { return e.stats }

// Len returns the number of series in the request so far.
func (e *Encoder) Len() int { return len(e.items) }

// AppendSample adds a series with one sample to the request. It panics if h is the zero Handle or belongs to another
// Encoder that has more series.
func (e *Encoder) AppendSample(h Handle, s Sample) {
	e.points = grow(e.points, maxSample)
	b, begin := e.points[:cap(e.points)], len(e.points)
	if e.kind == WriteV1 {
		s.StartTimestamp = 0
	}
	e.points = b[:e.putSample(b, begin, &s)]
	e.stats.Samples++
	e.add(h, begin)
}

// putSample writes a samples field. Samples of a request have the same timestamp as a rule; its varint is kept.
func (e *Encoder) putSample(b []byte, i int, s *Sample) int {
	value := math.Float64bits(s.Value)
	if s.Timestamp != e.timestamp || value == 0 || s.StartTimestamp != 0 {
		end := putSample(b, i, value, s.Timestamp, s.StartTimestamp)
		if n := end - i - sampleTimestamp; value != 0 && s.StartTimestamp == 0 && 0 < n && n <= 8 {
			e.timestamp, e.timestampSize = s.Timestamp, n
			copy(e.timestampField[:], b[i+sampleTimestamp:end])
		}
		return end
	}
	d := b[i : i+maxSample]
	binary.LittleEndian.PutUint32(d, 0x09_00_12|uint32(sampleTimestamp-2+e.timestampSize)<<8)
	binary.LittleEndian.PutUint64(d[sampleValue:], value)
	*(*[8]byte)(d[sampleTimestamp:]) = e.timestampField
	return i + sampleTimestamp + e.timestampSize
}

// AppendSeries adds a series to the request, with samples, histograms and exemplars; each may be nil. Nothing of the
// arguments is retained, but strings of exemplars in 2.0 until Reset. It panics as AppendSample does.
func (e *Encoder) AppendSeries(h Handle, samples []Sample, histograms []Histogram, exemplars []Exemplar) {
	begin := len(e.points)
	if e.kind == WriteV1 {
		ts := TimeSeries{Samples: samples, Histograms: histograms, Exemplars: exemplars}
		e.points = ts.AppendProto(e.points)
	} else {
		e.points = grow(e.points, estimatePoints(samples, histograms).most)
		b := e.points[:cap(e.points)]
		e.points = b[:putPointsV2(b, begin, samples, histograms)]
		e.v2.keepExemplars(len(e.items), exemplars)
	}
	e.stats = e.stats.Add(WriteStats{len(samples), len(histograms), len(exemplars)})
	e.add(h, begin)
}

// add adds the series whose points begin at begin.
func (e *Encoder) add(h Handle, begin int) {
	n := h.n - 1
	if e.kind == WriteV1 {
		e.v1.use(n, len(e.points)-begin)
	} else {
		e.v2.use(n)
	}
	e.items = append(e.items, encoderItem{n, uint32(len(e.points) - begin)})
}

// AppendTo appends the message to dst and returns the extended slice. The request stays as it is: more series may be
// added, and AppendTo called again. The size is not limited here; receivers refuse more than 32 MiB as a rule.
func (e *Encoder) AppendTo(dst []byte) []byte {
	switch e.kind {
	case WriteV1:
		return e.v1.appendTo(dst, e.items, e.points)
	case WriteV2:
		return e.v2.appendTo(dst, e.items, e.points)
	default:
		return dst // nothing could be prepared
	}
}

// putParts writes a timeseries field of three parts that are encoded already.
func putParts(b []byte, i int, tag byte, labels, points, rest []byte) int {
	i = pb.PutHeader(b, i, tag, uint64(len(labels)+len(points)+len(rest)))
	i += copy(b[i:], labels)
	i += copy(b[i:], points)
	return i + copy(b[i:], rest)
}
