package promwire

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// readRequest is the request of the vectors below.
func readRequest() ReadRequest {
	return ReadRequest{
		Queries: []Query{{
			Start: at(1000), End: at(5000),
			Matchers: []Matcher{eq(MetricName, "up"), re("job", "a|b")},
			Hints: ReadHints{
				Step: 15 * time.Millisecond, Func: "rate", Start: at(1000), End: at(5000),
				Grouping: []string{"job"}, By: true, Range: 300 * time.Millisecond,
			},
		}},
		AcceptedResponseTypes: []ResponseType{ResponseStreamedXORChunks, ResponseSamples},
	}
}

const (
	readRequestQuery = `0a3e 08 e807 10 8827 1a0e 1208 5f5f6e616d655f5f 1a02 7570 1a0c 0802 1203 6a6f62 1a03 617c62
		2218 080f 1204 72617465 18 e807 20 8827 2a03 6a6f62 3001 38 ac02`
	readRequestHex         = readRequestQuery + `1202 0100`
	readRequestUnpackedHex = readRequestQuery + `1001 1000`
)

func TestReadRequestVectors(t *testing.T) {
	want := readRequest()
	if got := want.AppendProto(nil); !bytes.Equal(got, unhex(t, readRequestHex)) {
		t.Errorf("encoded as %x", got)
	}
	for _, hex := range []string{readRequestHex, readRequestUnpackedHex} {
		var got ReadRequest
		if err := got.UnmarshalProto(unhex(t, hex)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s decoded as %+v, %v", hex, got, err)
		}
	}
}

func TestReadRequestRoundTrip(t *testing.T) {
	zero, utc := time.Time{}, time.UTC
	tests := []struct {
		name string
		in   ReadRequest
		want ReadRequest
	}{
		{"empty", ReadRequest{}, ReadRequest{}},
		{"epoch", ReadRequest{Queries: []Query{{Start: at(0), End: at(0)}}}, ReadRequest{Queries: []Query{{Start: at(0), End: at(0)}}}},
		{
			"extreme wire times",
			ReadRequest{Queries: []Query{{Start: at(math.MinInt64), End: at(math.MaxInt64)}}},
			ReadRequest{Queries: []Query{{Start: at(math.MinInt64), End: at(math.MaxInt64)}}},
		},
		{
			"times beyond the wire",
			ReadRequest{Queries: []Query{{Start: time.Unix(math.MinInt64, 0), End: time.Unix(math.MaxInt64, 0)}}},
			ReadRequest{Queries: []Query{{Start: at(math.MinInt64), End: at(math.MaxInt64)}}},
		},
		{
			"zero time and parts of a millisecond",
			ReadRequest{Queries: []Query{{Start: zero, End: time.Date(2020, 1, 2, 3, 4, 5, 6_999_999, time.FixedZone("x", 3600))}}},
			ReadRequest{Queries: []Query{{Start: zero, End: time.Date(2020, 1, 2, 2, 4, 5, 6_000_000, utc)}}},
		},
		{
			"two queries, unknown numbers",
			ReadRequest{
				Queries:               []Query{{Start: at(1), End: at(2), Matchers: []Matcher{{Type: 77, Name: "a"}, {Type: -1}, {}}}, {Start: at(-3), End: at(4)}},
				AcceptedResponseTypes: []ResponseType{99, -5, 0},
			},
			ReadRequest{
				Queries:               []Query{{Start: at(1), End: at(2), Matchers: []Matcher{{Type: 77, Name: "a"}, {Type: -1}, {}}}, {Start: at(-3), End: at(4)}},
				AcceptedResponseTypes: []ResponseType{99, -5, 0},
			},
		},
		{
			"hints: what is smaller than a millisecond is cut off, an empty grouping label kept",
			ReadRequest{Queries: []Query{{Start: at(0), End: at(0), Hints: ReadHints{Step: 1500 * time.Microsecond, Grouping: []string{"", "a"}, Range: -time.Second}}}},
			ReadRequest{Queries: []Query{{Start: at(0), End: at(0), Hints: ReadHints{Step: time.Millisecond, Grouping: []string{"", "a"}, Range: -time.Second}}}},
		},
		{
			"hints: one time only",
			ReadRequest{Queries: []Query{{Start: at(0), End: at(0), Hints: ReadHints{End: at(7)}}}},
			ReadRequest{Queries: []Query{{Start: at(0), End: at(0), Hints: ReadHints{End: at(7)}}}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			encoded := tt.in.AppendProto([]byte("head"))
			var got ReadRequest
			if err := got.UnmarshalProto(encoded[4:]); err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestReadRequestForms(t *testing.T) {
	tests := []struct {
		name, hex string
		want      ReadRequest
	}{
		{"nothing", "", ReadRequest{}},
		{"types packed, unpacked and mixed", "1001 1202 0001 1000", ReadRequest{AcceptedResponseTypes: []ResponseType{1, 0, 1, 0}}},
		{"unknown fields", "1a0101 2005 0a07 2d01020304 2801", ReadRequest{Queries: []Query{{Start: at(0), End: at(0)}}}},
		{"fields in reverse", "0a06 1002 0801 1a00", ReadRequest{Queries: []Query{{Start: at(1), End: at(2), Matchers: []Matcher{{}}}}}},
		{
			"hints merge", "0a0f 2205 0805 2a0161 2206 2a0162 120178",
			ReadRequest{Queries: []Query{{Start: at(0), End: at(0), Hints: ReadHints{Step: 5 * time.Millisecond, Func: "x", Grouping: []string{"a", "b"}}}}},
		},
		{"hints with written zeros", "0a0a 2208 0800 1800 2000 3000", ReadRequest{Queries: []Query{{Start: at(0), End: at(0)}}}},
		{"empty hints", "0a02 2200", ReadRequest{Queries: []Query{{Start: at(0), End: at(0)}}}},
		{
			"durations beyond time.Duration", "0a17 2215 08ffffffffffffffff7f 3880808080808080808001",
			ReadRequest{Queries: []Query{{Start: at(0), End: at(0), Hints: ReadHints{Step: math.MaxInt64, Range: math.MinInt64}}}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got ReadRequest
			err := got.UnmarshalProto(unhex(t, tt.hex))
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, tt.want)
			}
		})
	}
}

func TestReadRequestMalformed(t *testing.T) {
	tests := []struct {
		name, hex, field string
		offset           int
	}{
		{"length past the end", "0a05 0801", "queries", 0},
		{"varint cut off", "0a01 08", "queries.start_timestamp_ms", 2},
		{"matcher cut off", "0801", "queries", 0},
		{"name past the end", "0a04 1a02 1205", "queries.matchers.name", 4},
		{"wrong wire type", "0a03 0a0161", "queries.start_timestamp_ms", 2},
		{"matcher type as a string", "0a05 1a03 0a0161", "queries.matchers.type", 4},
		{"hint as a varint", "0a04 2202 1001", "queries.hints.func", 4},
		{"response type cut off", "1202 0180", "accepted_response_types", 0},
		{"response type as a double", "11 0000000000000000", "accepted_response_types", 0},
		{"field number 0", "0001", "", 0},
		{"group", "0a02 1b1c", "queries.matchers", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := readRequest()
			err := got.UnmarshalProto(unhex(t, tt.hex))
			var d *DecodeError
			if !errors.As(err, &d) || d.Message != "prometheus.ReadRequest" || d.Field != tt.field || d.Offset != tt.offset {
				t.Errorf("error %+v, want field %q at %d", err, tt.field, tt.offset)
			}
			if len(got.Queries)+len(got.AcceptedResponseTypes) != 0 {
				t.Errorf("left %+v", got)
			}
		})
	}
}

func TestReadRequestItemLimit(t *testing.T) {
	for _, tt := range []struct{ name, one string }{
		{"queries", "\x0a\x00"},
		{"matchers", "\x0a\x02\x1a\x00"},
		{"grouping", "\x0a\x04\x22\x02\x2a\x00"},
		{"unpacked types", "\x10\x01"},
		{"packed types", "\x12\x01\x01"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r ReadRequest
			if err := r.UnmarshalProto([]byte(strings.Repeat(tt.one, maxReadItems/2))); err != nil {
				t.Errorf("%d: %v", maxReadItems/2, err)
			}
			err := r.UnmarshalProto([]byte(strings.Repeat(tt.one, maxReadItems+1)))
			if !errors.Is(err, ErrTooLarge) || len(r.Queries) != 0 {
				t.Errorf("%d: %v, %d queries", maxReadItems+1, err, len(r.Queries))
			}
		})
	}
}

func TestReadRequestKeepsNothingOfItsInput(t *testing.T) {
	src := unhex(t, readRequestHex)
	var got ReadRequest
	if err := got.UnmarshalProto(src); err != nil {
		t.Fatal(err)
	}
	clear(src)
	if want := readRequest(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestReadRequestAppendAllocations(t *testing.T) {
	r, dst := readRequest(), make([]byte, 0, 1000)
	if n := testing.AllocsPerRun(20, func() { dst = r.AppendProto(dst[:0]) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func FuzzReadRequest(f *testing.F) {
	for _, hex := range []string{"", readRequestHex, readRequestUnpackedHex, "0a05 0801", "0a17 2215 08ffffffffffffffff7f 3880808080808080808001"} {
		f.Add(unhex(f, hex))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		var r, again ReadRequest
		if err := r.UnmarshalProto(src); err != nil {
			var d *DecodeError
			if !errors.As(err, &d) || d.Err == errMalformed {
				t.Fatalf("%x: %v", src, err)
			}
			return
		}
		encoded := r.AppendProto(nil)
		if err := again.UnmarshalProto(encoded); err != nil {
			t.Fatalf("%x encoded as %x: %v", src, encoded, err)
		}
		if !bytes.Equal(again.AppendProto(nil), encoded) {
			t.Fatalf("%x: %+v became %+v", src, r, again)
		}
	})
}
