package difftest

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/prometheus/prometheus/prompb"

	"github.com/promwire/promwire"
)

// readRequest generates a read request. Durations and times are whole milliseconds that Go's types can hold, matchers
// and hints any.
func (s *source) readRequest() *promwire.ReadRequest {
	r := &promwire.ReadRequest{}
	for len(r.Queries) < 4 && !s.done() {
		q := promwire.Query{Start: time.UnixMilli(s.int64()).UTC(), End: time.UnixMilli(s.int64()).UTC()}
		for range s.intn(4) {
			m := promwire.Matcher{Type: promwire.MatchType(s.intn(4)), Name: s.text(9), Value: s.text(20)}
			if s.one(8) {
				m.Type = promwire.MatchType(int32(s.int64()))
			}
			q.Matchers = append(q.Matchers, m)
		}
		if s.one(2) {
			q.Hints = s.hints()
		}
		r.Queries = append(r.Queries, q)
	}
	for range s.intn(3) {
		// No negative ones, which the library writes wrongly.
		r.AcceptedResponseTypes = append(r.AcceptedResponseTypes, promwire.ResponseType(s.int64()&0x7fffffff))
	}
	return r
}

func (s *source) hints() promwire.ReadHints {
	h := promwire.ReadHints{
		Step: time.Duration(s.int64()>>24) * time.Millisecond, Func: s.text(5), By: s.one(2),
		Range: time.Duration(s.int64()>>24) * time.Millisecond,
	}
	for range s.intn(3) {
		h.Grouping = append(h.Grouping, s.text(5))
	}
	if s.one(2) {
		h.Start, h.End = time.UnixMilli(1+int64(s.byte())).UTC(), time.UnixMilli(-1-int64(s.byte())).UTC()
	}
	return h
}

func toReadRequest(r *promwire.ReadRequest) *prompb.ReadRequest {
	out := &prompb.ReadRequest{}
	for _, q := range r.Queries {
		p := &prompb.Query{StartTimestampMs: q.Start.UnixMilli(), EndTimestampMs: q.End.UnixMilli()}
		for _, m := range q.Matchers {
			p.Matchers = append(p.Matchers, &prompb.LabelMatcher{
				Type: prompb.LabelMatcher_Type(m.Type), Name: m.Name, Value: m.Value,
			})
		}
		if h := q.Hints; !reflect.ValueOf(h).IsZero() {
			p.Hints = &prompb.ReadHints{
				StepMs: h.Step.Milliseconds(), Func: h.Func, Grouping: h.Grouping, By: h.By, RangeMs: h.Range.Milliseconds(),
			}
			if !h.Start.IsZero() {
				p.Hints.StartMs, p.Hints.EndMs = h.Start.UnixMilli(), h.End.UnixMilli()
			}
		}
		out.Queries = append(out.Queries, p)
	}
	for _, t := range r.AcceptedResponseTypes {
		out.AcceptedResponseTypes = append(out.AcceptedResponseTypes, prompb.ReadRequest_ResponseType(t))
	}
	return out
}

// diffReadRequest compares a decoded request with the library's, or returns "".
func diffReadRequest(got *promwire.ReadRequest, want *prompb.ReadRequest) string {
	if len(got.Queries) != len(want.Queries) || len(got.AcceptedResponseTypes) != len(want.AcceptedResponseTypes) {
		return fmt.Sprintf("got %+v, want %+v", got, want)
	}
	for i, w := range want.AcceptedResponseTypes {
		if got.AcceptedResponseTypes[i] != promwire.ResponseType(w) {
			return fmt.Sprintf("response type %d: got %d, want %d", i, got.AcceptedResponseTypes[i], w)
		}
	}
	for i, w := range want.Queries {
		if diff := diffQuery(&got.Queries[i], w); diff != "" {
			return fmt.Sprintf("query %d: %s", i, diff)
		}
	}
	return ""
}

func diffQuery(got *promwire.Query, want *prompb.Query) string {
	if start, end := got.Range(); start != want.StartTimestampMs || end != want.EndTimestampMs {
		return fmt.Sprintf("got %d to %d, want %d to %d", start, end, want.StartTimestampMs, want.EndTimestampMs)
	}
	if len(got.Matchers) != len(want.Matchers) {
		return fmt.Sprintf("got matchers %v, want %v", got.Matchers, want.Matchers)
	}
	for i, w := range want.Matchers {
		g := got.Matchers[i]
		if g.Type != promwire.MatchType(w.Type) || g.Name != w.Name || g.Value != w.Value {
			return fmt.Sprintf("matcher %d: got %v, want %v", i, g, w)
		}
	}
	hints := prompb.ReadHints{}
	if want.Hints != nil {
		hints = *want.Hints
	}
	return diffHints(&got.Hints, &hints)
}

func diffHints(got *promwire.ReadHints, want *prompb.ReadHints) string {
	grouping := fmt.Sprintf("%q", got.Grouping) == fmt.Sprintf("%q", want.Grouping)
	if !sameDuration(got.Step, want.StepMs) || !sameDuration(got.Range, want.RangeMs) || got.Func != want.Func ||
		!sameTime(got.Start, want.StartMs) || !sameTime(got.End, want.EndMs) || !grouping || got.By != want.By {
		return fmt.Sprintf("got hints %+v, want %+v", got, want)
	}
	return ""
}

// sameDuration allows for what time.Duration cannot hold: it ends at 292 years.
func sameDuration(got time.Duration, ms int64) bool {
	if want := time.Duration(ms) * time.Millisecond; want.Milliseconds() == ms {
		return got == want
	}
	return got == 1<<63-1 && ms > 0 || got == -1<<63 && ms < 0
}

func sameTime(got time.Time, ms int64) bool {
	if ms == 0 {
		return got.IsZero()
	}
	return got.Equal(time.UnixMilli(ms))
}

func checkReadRequest(t *testing.T, s *source) {
	t.Helper()
	r := s.readRequest()
	message := toReadRequest(r)
	want, err := message.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got := r.AppendProto(nil)
	if !bytes.Equal(got, want) {
		t.Fatalf("got  %x\nwant %x\nfrom %+v", got, want, r)
	}
	eachDamage(s, got, func(msg []byte) { compareReadRequest(t, msg) })
}

func compareReadRequest(t *testing.T, msg []byte) {
	t.Helper()
	var got promwire.ReadRequest
	var want prompb.ReadRequest
	if !sameVerdict(t, got.UnmarshalProto(msg), want.Unmarshal(msg)) {
		return
	}
	if diff := diffReadRequest(&got, &want); diff != "" {
		t.Fatal(diff)
	}
}

func (s *source) readResponse() *promwire.ReadResponse {
	r := &promwire.ReadResponse{}
	for len(r.Results) < 3 && !s.done() {
		var result promwire.QueryResult
		for range s.intn(4) {
			result.Timeseries = append(result.Timeseries, s.timeSeries(promwire.WriteV1))
		}
		r.Results = append(r.Results, result)
	}
	return r
}

func checkReadResponse(t *testing.T, s *source) {
	t.Helper()
	r := s.readResponse()
	message := &prompb.ReadResponse{}
	plain := &promwire.ReadResponse{}
	for i := range r.Results {
		series := positiveZeros(&promwire.WriteRequest{Timeseries: r.Results[i].Timeseries})
		plain.Results = append(plain.Results, promwire.QueryResult{Timeseries: series.Timeseries})
		result := &prompb.QueryResult{}
		for j := range series.Timeseries {
			ts := toSeriesV1(&series.Timeseries[j])
			result.Timeseries = append(result.Timeseries, &ts)
		}
		message.Results = append(message.Results, result)
	}
	want, err := message.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if got := plain.AppendProto(nil); !bytes.Equal(got, want) {
		t.Fatalf("got  %x\nwant %x\nfrom %+v", got, want, plain)
	}
	eachDamage(s, r.AppendProto(nil), func(msg []byte) { compareReadResponse(t, &promwire.ReadResponse{}, msg) })
}

// compareReadResponse decodes a message with both, as a whole and by scanning.
func compareReadResponse(t *testing.T, got *promwire.ReadResponse, msg []byte) {
	t.Helper()
	var want prompb.ReadResponse
	err := got.UnmarshalProto(msg)
	if !sameVerdict(t, err, want.Unmarshal(msg)) {
		return
	}
	if len(got.Results) != len(want.Results) {
		t.Fatalf("got %d results, want %d", len(got.Results), len(want.Results))
	}
	var scanner promwire.ResultScanner
	scanner.Reset(msg)
	for i, w := range want.Results {
		var series []prompb.TimeSeries
		for _, ts := range w.Timeseries {
			series = append(series, *ts)
		}
		if diff := diffAllSeries(got.Results[i].Timeseries, fromSeriesV1(series)); diff != "" {
			t.Fatalf("result %d: %s", i, diff)
		}
		var r promwire.WriteRequest
		if !scanner.Next() {
			t.Fatalf("result %d: scanner ends, %v", i, scanner.Err())
		}
		if err := r.UnmarshalProto(scanner.Result(), promwire.WriteV1); err != nil {
			t.Fatalf("result %d: scanned, %v", i, err)
		}
		if diff := diffAllSeries(r.Timeseries, got.Results[i].Timeseries); diff != "" {
			t.Fatalf("result %d: scanned, %s", i, diff)
		}
	}
}

func TestReadRequest(t *testing.T)  { eachSource(t, 1000, checkReadRequest) }
func TestReadResponse(t *testing.T) { eachSource(t, 500, checkReadResponse) }

func FuzzReadRequestBytes(f *testing.F) {
	seedMessages(f, func(s *source) ([]byte, error) { return toReadRequest(s.readRequest()).Marshal() })
	f.Fuzz(compareReadRequest)
}

func FuzzReadResponseBytes(f *testing.F) {
	seedMessages(f, func(s *source) ([]byte, error) { return s.readResponse().AppendProto(nil), nil })
	f.Fuzz(func(t *testing.T, msg []byte) { compareReadResponse(t, &promwire.ReadResponse{}, msg) })
}
