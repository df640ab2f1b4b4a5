package promwire

import (
	"errors"
	"strings"

	"github.com/promwire/promwire/internal/pb"
)

// QueryResult holds the series that one query selected.
type QueryResult struct {
	Timeseries []TimeSeries
}

// ReadResponse is the body of a remote-read answer of type [ResponseSamples] (message prometheus.ReadResponse). Its
// results are as many as the queries, in their order. The protocol promises no order of series.
type ReadResponse struct {
	Results []QueryResult
}

// AppendProto appends r to dst and returns the extended slice. Nothing is retained; with enough room in dst it
// allocates nothing.
func (r *ReadResponse) AppendProto(dst []byte) []byte {
	for i := range r.Results {
		dst = appendQueryResult(dst, r.Results[i].Timeseries)
	}
	return dst
}

func appendQueryResult(dst []byte, series []TimeSeries) []byte {
	size := estimate{most: maxHeader}
	for i := range series {
		size.add(estimateSeriesV1(&series[i]))
	}
	open := len(dst)
	dst = grow(dst, size.most)
	begin := pb.OpenMessage(dst[:cap(dst)], open, 0x0a, size.likely)
	dst = dst[:begin]
	for i := range series {
		dst = appendSeriesV1(dst, &series[i], estimateSeriesV1(&series[i]).likely)
	}
	return dst[:pb.CloseMessage(dst[:cap(dst)], open, begin, len(dst))]
}

// UnmarshalProto replaces what r holds by the uncompressed message src. It copies src once; the strings of r share
// that copy. The slices of r are reused, those behind its length included. An error is a [*DecodeError] and leaves r
// empty. Memory is never taken for an announced count, but an empty series has two bytes encoded and over a hundred
// in r: to see series without keeping them, use a [ResultScanner] and a [Decoder].
func (r *ReadResponse) UnmarshalProto(src []byte) error {
	scanner, d := ResultScanner{msg: strings.Clone(pb.AsString(src))}, Decoder{}
	results := r.Results[:0]
	r.Results = results
	for scanner.Next() {
		results = extend(results)
		d.Reset(scanner.Result(), WriteV1)
		if !d.appendAll(&results[len(results)-1]) {
			return scanner.Locate(d.Err())
		}
	}
	if scanner.err != nil {
		return scanner.err
	}
	r.Results = results
	return nil
}

// appendAll decodes all series into r.
func (d *Decoder) appendAll(r *QueryResult) bool {
	series := r.Timeseries[:0]
	for {
		series = extend(series)
		if !d.NextInto(&series[len(series)-1]) {
			r.Timeseries = series[:len(series)-1]
			return d.Err() == nil
		}
	}
}

// extend returns s with one more element: one that was there before, with its memory, or a new one.
func extend[T any](s []T) []T {
	if len(s) < cap(s) {
		return s[:len(s)+1]
	}
	var empty T
	return append(s, empty)
}

// ResultScanner walks the results of an encoded remote-read answer (message prometheus.ReadResponse) without decoding
// the series:
//
//	s.Reset(message)
//	for s.Next() {
//		d.Reset(s.Result(), promwire.WriteV1)
//		for d.Next() {
//			use(d.Series())
//		}
//		if d.Err() != nil {
//			return s.Locate(d.Err())
//		}
//	}
//	return s.Err()
//
// The zero value is ready for Reset. It allocates nothing and is not safe for concurrent use.
type ResultScanner struct {
	msg        string
	start, pos int // of the current result, and behind it
	err        error
}

// Reset begins a walk over src, which must stay as it is until the walk is done.
func (s *ResultScanner) Reset(src []byte) { *s = ResultScanner{msg: pb.AsString(src)} }

// Next goes to the next result, that of the next query. It returns false at the end and once [ResultScanner.Err] is
// not nil.
func (s *ResultScanner) Next() bool {
	for s.err == nil && s.pos < len(s.msg) {
		tag, body, next := pb.Field(s.msg, s.pos)
		if next >= 0 && tag == 0x0a {
			s.start, s.pos = next-len(body), next
			return true
		}
		if next >= 0 {
			next = skipUnknown(s.msg, next, tag, 1<<1)
		}
		if next >= 0 {
			s.pos = next
			continue
		}
		s.err = explainMessage(s.msg, "prometheus.ReadResponse", readResponseFields)
	}
	return false
}

// Result returns the current result, encoded (message prometheus.QueryResult). It has the form of a 1.0 write message,
// so that a [Decoder] walks its series. It aliases the message and must not be modified.
func (s *ResultScanner) Result() []byte { return pb.AsBytes(s.msg[s.start:s.pos]) }

// Err returns nil or the [*DecodeError] that ended the walk.
func (s *ResultScanner) Err() error { return s.err }

// Locate returns the error of decoding the current result with the place in the whole message; nil if err is nil.
func (s *ResultScanner) Locate(err error) error {
	var d *DecodeError
	if !errors.As(err, &d) {
		return err
	}
	field := "results"
	if d.Field != "" {
		field += "." + d.Field
	}
	return &DecodeError{"prometheus.ReadResponse", field, d.Offset + s.start, d.Err}
}

var (
	seriesV1Fields     = requestFieldsV1[0]
	readResponseFields = []fieldInfo{{1, "results", kindMessage, []fieldInfo{seriesV1Fields}}}
)

// explainMessage returns what is wrong with a malformed message.
func explainMessage(msg, name string, fields []fieldInfo) error {
	err := explainFields(pb.AsBytes(msg), 0, "", fields)
	if err == nil {
		err = &DecodeError{Err: errMalformed}
	}
	err.Message = name
	return err
}
