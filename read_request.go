package promwire

import (
	"math"
	"time"

	"github.com/promwire/promwire/internal/pb"
)

// ResponseType is a form of remote-read answers; the numbers are those of Remote Read. Unknown ones are kept.
type ResponseType int32

// The response types.
const (
	// ResponseSamples is one snappy-compressed [ReadResponse].
	ResponseSamples ResponseType = iota
	// ResponseStreamedXORChunks is a stream of frames with a [ChunkedReadResponse] each. Despite its name it carries
	// all chunk encodings.
	ResponseStreamedXORChunks
)

// ReadRequest is the body of a remote-read request (message prometheus.ReadRequest).
type ReadRequest struct {
	Queries []Query
	// AcceptedResponseTypes are in order of preference; none means [ResponseSamples].
	AcceptedResponseTypes []ResponseType
}

// AppendProto appends r to dst and returns the extended slice. Times and durations are cut to milliseconds (see
// [Query.Range]); zero [ReadHints] are not sent. Nothing is retained; with enough room in dst it allocates nothing.
func (r *ReadRequest) AppendProto(dst []byte) []byte {
	for i := range r.Queries {
		q := &r.Queries[i]
		size := sizeQuery(q)
		dst = grow(dst, pb.SizeMessage(size))
		b := dst[:cap(dst)]
		dst = b[:putQuery(b, pb.PutHeader(b, len(dst), 0x0a, size), q)]
	}
	if len(r.AcceptedResponseTypes) == 0 {
		return dst
	}
	size := 0
	for _, t := range r.AcceptedResponseTypes {
		size += pb.SizeVarint(uint64(t))
	}
	dst = pb.AppendHeader(dst, 0x12, uint64(size))
	for _, t := range r.AcceptedResponseTypes {
		dst = pb.AppendVarint(dst, uint64(t))
	}
	return dst
}

func sizeQuery(q *Query) uint64 {
	start, end := q.Range()
	n := pb.SizeUint(uint64(start)) + pb.SizeUint(uint64(end))
	for i := range q.Matchers {
		n += pb.SizeMessage(sizeMatcher(&q.Matchers[i]))
	}
	if !q.Hints.isZero() {
		n += pb.SizeMessage(sizeHints(&q.Hints))
	}
	return n
}

func putQuery(b []byte, i int, q *Query) int {
	start, end := q.Range()
	i = pb.PutUint(b, i, 0x08, uint64(start))
	i = pb.PutUint(b, i, 0x10, uint64(end))
	for k := range q.Matchers {
		m := &q.Matchers[k]
		i = pb.PutHeader(b, i, 0x1a, sizeMatcher(m))
		i = pb.PutUint(b, i, 0x08, uint64(m.Type))
		i = pb.PutString(b, i, 0x12, m.Name)
		i = pb.PutString(b, i, 0x1a, m.Value)
	}
	if q.Hints.isZero() {
		return i
	}
	return putHints(b, pb.PutHeader(b, i, 0x22, sizeHints(&q.Hints)), &q.Hints)
}

func sizeMatcher(m *Matcher) uint64 {
	return pb.SizeUint(uint64(m.Type)) + pb.SizeBytes(len(m.Name)) + pb.SizeBytes(len(m.Value))
}

// isZero compares times as they are sent.
func (h *ReadHints) isZero() bool {
	return h.Step == 0 && h.Func == "" && h.Start.IsZero() && h.End.IsZero() && len(h.Grouping) == 0 && !h.By && h.Range == 0
}

func sizeHints(h *ReadHints) uint64 {
	n := pb.SizeUint(uint64(h.Step.Milliseconds())) + pb.SizeBytes(len(h.Func)) +
		pb.SizeUint(uint64(hintMillis(h.Start))) + pb.SizeUint(uint64(hintMillis(h.End))) +
		pb.SizeUint(uint64(h.Range.Milliseconds()))
	for _, name := range h.Grouping {
		n += pb.SizeMessage(uint64(len(name)))
	}
	if h.By {
		n += 2
	}
	return n
}

func putHints(b []byte, i int, h *ReadHints) int {
	i = pb.PutUint(b, i, 0x08, uint64(h.Step.Milliseconds()))
	i = pb.PutString(b, i, 0x12, h.Func)
	i = pb.PutUint(b, i, 0x18, uint64(hintMillis(h.Start)))
	i = pb.PutUint(b, i, 0x20, uint64(hintMillis(h.End)))
	for _, name := range h.Grouping {
		i = pb.PutHeader(b, i, 0x2a, uint64(len(name)))
		i += copy(b[i:], name)
	}
	if h.By {
		i = pb.PutUint(b, i, 0x30, 1)
	}
	return pb.PutUint(b, i, 0x38, uint64(h.Range.Milliseconds()))
}

// Range returns q.Start and q.End in milliseconds since the Unix epoch, both inclusive, as samples and the wire have
// them. Parts of a millisecond are cut off. Times beyond the range of int64, some 292 million years away, become
// the nearest value in it; every int64 that comes from the wire survives the way into a Query and back.
func (q *Query) Range() (start, end int64) { return millis(q.Start), millis(q.End) }

func millis(t time.Time) int64 {
	const maxSeconds = math.MaxInt64 / 1000
	switch s := t.Unix(); {
	case s > maxSeconds || s == maxSeconds && t.Nanosecond()/1e6 > math.MaxInt64%1000:
		return math.MaxInt64
	case s < -maxSeconds-1 || s == -maxSeconds-1 && t.Nanosecond()/1e6 < 1000+math.MinInt64%1000:
		return math.MinInt64
	default:
		return t.UnixMilli()
	}
}

// hintMillis is millis with 0 for a time that is not given.
func hintMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return millis(t)
}
