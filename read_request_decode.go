package promwire

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/promwire/promwire/internal/pb"
)

// maxReadItems bounds what a ReadRequest decodes to: queries, matchers, grouping labels and response types together.
// Prometheus asks one query with a few matchers; without a bound, a message of 32 MiB could take gigabytes.
const maxReadItems = 100_000

// UnmarshalProto replaces what r holds by the uncompressed message src. It copies src once; the strings of r share
// that copy. Matchers come as they are, not compiled ([CompileMatchers]), and unknown match types and response types
// are kept. Times are in UTC; a hint of 0 is taken as not given, and durations that time.Duration cannot hold become
// its extreme values.
//
// An error is a [*DecodeError] and leaves r empty; it wraps [ErrTooLarge] if the message holds more than 100,000
// queries, matchers and other items.
func (r *ReadRequest) UnmarshalProto(src []byte) error {
	*r = ReadRequest{}
	d := readRequestDecoder{left: maxReadItems}
	msg := strings.Clone(pb.AsString(src))
	if d.request(r, msg) {
		return nil
	}
	*r = ReadRequest{}
	if d.left < 0 {
		err := fmt.Errorf("%w: more than %d queries, matchers and other items", ErrTooLarge, maxReadItems)
		return &DecodeError{Message: "prometheus.ReadRequest", Err: err}
	}
	return explainMessage(msg, "prometheus.ReadRequest", readRequestFields)
}

var readRequestFields = []fieldInfo{
	{1, "queries", kindMessage, []fieldInfo{
		{1, "start_timestamp_ms", kindVarint, nil},
		{2, "end_timestamp_ms", kindVarint, nil},
		{3, "matchers", kindMessage, []fieldInfo{
			{1, "type", kindVarint, nil},
			{2, "name", kindString, nil},
			{3, "value", kindString, nil},
		}},
		{4, "hints", kindMessage, []fieldInfo{
			{1, "step_ms", kindVarint, nil},
			{2, "func", kindString, nil},
			{3, "start_ms", kindVarint, nil},
			{4, "end_ms", kindVarint, nil},
			{5, "grouping", kindString, nil},
			{6, "by", kindVarint, nil},
			{7, "range_ms", kindVarint, nil},
		}},
	}},
	{2, "accepted_response_types", kindVarints, nil},
}

// readRequestDecoder counts down the items that are left. Its methods return false for malformed input and for too
// many items.
type readRequestDecoder struct{ left int }

func (d *readRequestDecoder) count() bool {
	d.left--
	return d.left >= 0
}

func (d *readRequestDecoder) request(r *ReadRequest, s string) bool {
	f := pb.NewReader(pb.AsBytes(s))
	for f.Next() {
		var ok bool
		switch {
		case is(&f, 1, pb.Bytes):
			r.Queries = append(r.Queries, Query{Start: time.UnixMilli(0).UTC(), End: time.UnixMilli(0).UTC()})
			ok = d.count() && d.query(&r.Queries[len(r.Queries)-1], f.Data)
		case is(&f, 2, pb.Varint):
			r.AcceptedResponseTypes = append(r.AcceptedResponseTypes, ResponseType(f.Value))
			ok = d.count()
		case is(&f, 2, pb.Bytes):
			ok = d.responseTypes(r, pb.AsString(f.Data))
		default:
			ok = f.Field > 2
		}
		if !ok {
			return false
		}
	}
	return f.Err == nil
}

// is reports whether the current field has this number and wire type.
func is(f *pb.Reader, number uint64, wire int) bool { return f.Field == number && f.Wire == wire }

func (d *readRequestDecoder) responseTypes(r *ReadRequest, s string) bool {
	for i := 0; i < len(s); {
		v, next := pb.Uvarint(s, i)
		if next < 0 || !d.count() {
			return false
		}
		r.AcceptedResponseTypes = append(r.AcceptedResponseTypes, ResponseType(v))
		i = next
	}
	return true
}

func (d *readRequestDecoder) query(q *Query, msg []byte) bool {
	f := pb.NewReader(msg)
	for f.Next() {
		ok := true
		switch {
		case is(&f, 1, pb.Varint):
			q.Start = time.UnixMilli(int64(f.Value)).UTC()
		case is(&f, 2, pb.Varint):
			q.End = time.UnixMilli(int64(f.Value)).UTC()
		case is(&f, 3, pb.Bytes):
			q.Matchers = append(q.Matchers, Matcher{})
			ok = d.count() && readMatcher(&q.Matchers[len(q.Matchers)-1], f.Data)
		case is(&f, 4, pb.Bytes):
			ok = d.hints(&q.Hints, f.Data)
		default:
			ok = f.Field > 4
		}
		if !ok {
			return false
		}
	}
	return f.Err == nil
}

func readMatcher(m *Matcher, msg []byte) bool {
	f := pb.NewReader(msg)
	for f.Next() {
		switch {
		case is(&f, 1, pb.Varint):
			m.Type = MatchType(f.Value)
		case is(&f, 2, pb.Bytes):
			m.Name = pb.AsString(f.Data)
		case is(&f, 3, pb.Bytes):
			m.Value = pb.AsString(f.Data)
		case f.Field <= 3:
			return false
		}
	}
	return f.Err == nil
}

func (d *readRequestDecoder) hints(h *ReadHints, msg []byte) bool {
	f := pb.NewReader(msg)
	for f.Next() {
		switch {
		case is(&f, 1, pb.Varint):
			h.Step = hintDuration(f.Value)
		case is(&f, 2, pb.Bytes):
			h.Func = pb.AsString(f.Data)
		case is(&f, 3, pb.Varint):
			h.Start = hintTime(f.Value)
		case is(&f, 4, pb.Varint):
			h.End = hintTime(f.Value)
		case is(&f, 5, pb.Bytes):
			h.Grouping = append(h.Grouping, pb.AsString(f.Data))
			if !d.count() {
				return false
			}
		case is(&f, 6, pb.Varint):
			h.By = f.Value != 0
		case is(&f, 7, pb.Varint):
			h.Range = hintDuration(f.Value)
		case f.Field <= 7:
			return false
		}
	}
	return f.Err == nil
}

func hintTime(v uint64) time.Time {
	if v == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(v)).UTC()
}

func hintDuration(v uint64) time.Duration {
	const most = math.MaxInt64 / int64(time.Millisecond)
	ms := int64(v)
	switch {
	case ms > most:
		return math.MaxInt64
	case ms < -most:
		return math.MinInt64
	default:
		return time.Duration(ms) * time.Millisecond
	}
}
