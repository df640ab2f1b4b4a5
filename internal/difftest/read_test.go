package difftest

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/prompb"

	"github.com/promwire/promwire"
)

// readRequest generates the same request in both forms.
func (s *source) readRequest() (promwire.ReadRequest, prompb.ReadRequest) {
	var ours promwire.ReadRequest
	var theirs prompb.ReadRequest
	for range s.intn(4) {
		start, end := s.int64(), s.int64()
		q := promwire.Query{Start: time.UnixMilli(start).UTC(), End: time.UnixMilli(end).UTC()}
		p := &prompb.Query{StartTimestampMs: start, EndTimestampMs: end}
		for range s.intn(4) {
			m := promwire.Matcher{Type: promwire.MatchType(s.intn(6)), Name: s.text(9), Value: s.text(200)}
			q.Matchers = append(q.Matchers, m)
			p.Matchers = append(p.Matchers, &prompb.LabelMatcher{Type: prompb.LabelMatcher_Type(m.Type), Name: m.Name, Value: m.Value})
		}
		if s.one(2) {
			q.Hints, p.Hints = s.hints()
		}
		ours.Queries, theirs.Queries = append(ours.Queries, q), append(theirs.Queries, p)
	}
	for range s.intn(4) {
		t := int32(s.intn(6)) // the library miscounts the size of negative ones
		ours.AcceptedResponseTypes = append(ours.AcceptedResponseTypes, promwire.ResponseType(t))
		theirs.AcceptedResponseTypes = append(theirs.AcceptedResponseTypes, prompb.ReadRequest_ResponseType(t))
	}
	return ours, theirs
}

func (s *source) hints() (promwire.ReadHints, *prompb.ReadHints) {
	const most = math.MaxInt64 / int64(time.Millisecond)
	p := &prompb.ReadHints{
		StepMs: s.int64() % most, Func: s.text(9), StartMs: s.int64(), EndMs: s.int64(), By: s.one(2), RangeMs: s.int64() % most,
	}
	for range s.intn(4) {
		p.Grouping = append(p.Grouping, s.text(9))
	}
	h := promwire.ReadHints{
		Step: time.Duration(p.StepMs) * time.Millisecond, Func: p.Func, Grouping: p.Grouping, By: p.By,
		Range: time.Duration(p.RangeMs) * time.Millisecond,
	}
	if p.StartMs != 0 {
		h.Start = time.UnixMilli(p.StartMs).UTC()
	}
	if p.EndMs != 0 {
		h.End = time.UnixMilli(p.EndMs).UTC()
	}
	if reflect.DeepEqual(*p, prompb.ReadHints{}) {
		p = nil // promwire leaves out hints that say nothing
	}
	return h, p
}

func checkReadRequest(t *testing.T, s *source) {
	t.Helper()
	ours, theirs := s.readRequest()
	want, err := theirs.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if got := ours.AppendProto(nil); !bytes.Equal(got, want) {
		t.Fatalf("%+v\nis %x\nwant %x", ours, got, want)
	}
	var got promwire.ReadRequest
	if err := got.UnmarshalProto(want); err != nil || !reflect.DeepEqual(got, ours) {
		t.Fatalf("%x\nis %+v, %v\nwant %+v", want, got, err, ours)
	}
}

func TestReadRequest(t *testing.T) { eachSource(t, 3000, checkReadRequest) }

// chunkedResponse generates the same frame in both forms.
func (s *source) chunkedResponse() (promwire.ChunkedReadResponse, prompb.ChunkedReadResponse) {
	ours := promwire.ChunkedReadResponse{QueryIndex: s.int64()}
	theirs := prompb.ChunkedReadResponse{QueryIndex: ours.QueryIndex}
	for range s.intn(3) {
		var o promwire.ChunkedSeries
		p := &prompb.ChunkedSeries{}
		for range s.intn(5) {
			l := promwire.Label{Name: s.text(9), Value: s.text(200)}
			o.Labels, p.Labels = append(o.Labels, l), append(p.Labels, prompb.Label{Name: l.Name, Value: l.Value})
		}
		for range s.intn(5) {
			c := promwire.Chunk{MinTime: s.int64(), MaxTime: s.int64(), Encoding: promwire.ChunkEncoding(s.intn(9))}
			if data := s.text(255); data != "" {
				c.Data = []byte(data)
			}
			o.Chunks = append(o.Chunks, c)
			p.Chunks = append(p.Chunks, prompb.Chunk{
				MinTimeMs: c.MinTime, MaxTimeMs: c.MaxTime, Type: prompb.Chunk_Encoding(c.Encoding), Data: c.Data,
			})
		}
		ours.ChunkedSeries, theirs.ChunkedSeries = append(ours.ChunkedSeries, o), append(theirs.ChunkedSeries, p)
	}
	return ours, theirs
}

func TestChunkedResponse(t *testing.T) {
	var got promwire.ChunkedReadResponse // reused
	eachSource(t, 3000, func(t *testing.T, s *source) {
		ours, theirs := s.chunkedResponse()
		want, err := theirs.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if bytes := ours.AppendProto(nil); string(bytes) != string(want) {
			t.Fatalf("%+v\nis %x\nwant %x", ours, bytes, want)
		}
		if err := got.UnmarshalProtoAlias(want); err != nil || string(got.AppendProto(nil)) != string(want) {
			t.Fatalf("%x\nis %+v, %v", want, got, err)
		}
	})
}

// What one side takes the other one takes, and both read the same in it.
func checkReadBytes(t *testing.T, data []byte) {
	t.Helper()
	var ours promwire.ReadRequest
	var theirs prompb.ReadRequest
	if want, err := theirs.Unmarshal(data), ours.UnmarshalProto(data); want == nil && err != nil && !group(err) {
		t.Fatalf("request %x: %v", data, err)
	} else if err == nil && want == nil {
		var again prompb.ReadRequest
		if err := again.Unmarshal(ours.AppendProto(nil)); err != nil || len(again.Queries) != len(theirs.Queries) {
			t.Fatalf("request %x: the library reads %v in ours, %v", data, again, err)
		}
		for i, q := range theirs.Queries {
			p := again.Queries[i]
			for _, m := range q.Matchers {
				m.XXX_unrecognized = nil
			}
			if p.StartTimestampMs != q.StartTimestampMs || p.EndTimestampMs != q.EndTimestampMs || !reflect.DeepEqual(p.Matchers, q.Matchers) {
				t.Fatalf("request %x: query %d is %v, want %v", data, i, p, q)
			}
		}
	}
	var frame promwire.ChunkedReadResponse
	var theirFrame prompb.ChunkedReadResponse
	if want, err := theirFrame.Unmarshal(data), frame.UnmarshalProtoAlias(data); want == nil && err != nil && !group(err) {
		t.Fatalf("frame %x: %v", data, err)
	} else if err == nil && want == nil {
		dropUnknown(&theirFrame)
		if b, err := theirFrame.Marshal(); err != nil || !bytes.Equal(frame.AppendProto(nil), b) {
			t.Fatalf("frame %x: %+v, want %v", data, frame, theirFrame)
		}
	}
}

// group says that an error is about groups: promwire refuses them, the library skips them.
func group(err error) bool { return strings.Contains(err.Error(), "groups") }

// dropUnknown drops the fields that the library does not know, but keeps.
func dropUnknown(frame *prompb.ChunkedReadResponse) {
	frame.XXX_unrecognized = nil
	for _, s := range frame.ChunkedSeries {
		s.XXX_unrecognized = nil
		for i := range s.Labels {
			s.Labels[i].XXX_unrecognized = nil
		}
		for i := range s.Chunks {
			s.Chunks[i].XXX_unrecognized = nil
		}
	}
}

func FuzzReadBytes(f *testing.F) {
	eachSource(&testing.T{}, 20, func(_ *testing.T, s *source) {
		_, request := s.readRequest()
		b, _ := request.Marshal()
		f.Add(b)
		_, frame := s.chunkedResponse()
		b, _ = frame.Marshal()
		f.Add(b)
	})
	f.Fuzz(checkReadBytes)
}
