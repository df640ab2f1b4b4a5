package promwire

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// upChunk is an XOR chunk with the samples 1, 1 and 2 at 1000, 2000 and 3000.
const upChunk = "0003 d00f 3ff0000000000000 e807 3097ffc0"

func upFrame(t testing.TB, query int64) ChunkedReadResponse {
	return ChunkedReadResponse{
		ChunkedSeries: []ChunkedSeries{{
			Labels: LabelsFromStrings(MetricName, "up"),
			Chunks: []Chunk{{MinTime: 1000, MaxTime: 3000, Encoding: ChunkXOR, Data: unhex(t, upChunk)}},
		}},
		QueryIndex: query,
	}
}

const (
	upMessageHex = "0a2e 0a0e0a085f5f6e616d655f5f12027570 121c 08e807 10b817 1801 2212 0003d00f3ff0000000000000e8073097ffc0"
	frame1Hex    = "30 36249f12" + upMessageHex
	frame2Hex    = "32 e8f43228" + upMessageHex + "1001"
)

func TestChunkedVectors(t *testing.T) {
	for query, hex := range []string{frame1Hex, frame2Hex} {
		c := upFrame(t, int64(query))
		frame := unhex(t, hex)
		if got := AppendFrame([]byte("head"), &c); !bytes.Equal(got, append([]byte("head"), frame...)) {
			t.Errorf("query %d: frame %x", query, got)
		}
		if got := c.AppendProto(nil); !bytes.Equal(got, frame[5:]) {
			t.Errorf("query %d: message %x", query, got)
		}
		var got ChunkedReadResponse
		if err := got.UnmarshalProtoAlias(frame[5:]); err != nil || !reflect.DeepEqual(got, c) {
			t.Errorf("query %d: decoded as %+v, %v", query, got, err)
		}
	}
	if got := AppendFrame(nil, &ChunkedReadResponse{}); len(got) != 0 {
		t.Errorf("nothing became the frame %x", got)
	}
}

func TestChunkedForms(t *testing.T) {
	tests := []struct {
		name, hex string
		want      ChunkedReadResponse
	}{
		{"nothing", "", ChunkedReadResponse{}},
		{"no series", "1003", ChunkedReadResponse{QueryIndex: 3}},
		{"negative and repeated index", "1003 10ffffffffffffffffff01", ChunkedReadResponse{QueryIndex: -1}},
		{"empty items", "0a04 0a00 1200", ChunkedReadResponse{ChunkedSeries: []ChunkedSeries{{Labels{{}}, []Chunk{{}}}}}},
		{
			"two series, interleaved, with unknown fields", "0a0d 1204 0807 1802 0a03 120161 1805 0a09 0a00 2d01020304 1200",
			ChunkedReadResponse{ChunkedSeries: []ChunkedSeries{
				{Labels{{"", "a"}}, []Chunk{{MinTime: 7, Encoding: 2}}}, {Labels{{}}, []Chunk{{}}},
			}},
		},
		{"unknown encoding", "0a04 1202 1863", ChunkedReadResponse{ChunkedSeries: []ChunkedSeries{{Chunks: []Chunk{{Encoding: 99}}}}}},
		{
			"fields in any order", "0a0e 1205 2201ff 0801 0a05 120161 0a00",
			ChunkedReadResponse{ChunkedSeries: []ChunkedSeries{{Labels{{"", "a"}}, []Chunk{{MinTime: 1, Data: []byte{0xff}}}}}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ChunkedReadResponse{}
			if err := got.UnmarshalProtoAlias(unhex(t, tt.hex)); err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, tt.want)
			}
		})
	}
}

func TestChunkedMalformed(t *testing.T) {
	tests := []struct {
		name, hex, field string
		offset           int
	}{
		{"series past the end", "0a05", "chunked_series", 0},
		{"label past the end", "0a02 0a05", "chunked_series.labels", 2},
		{"data past the end", "0a04 1202 2205", "chunked_series.chunks.data", 4},
		{"time cut off", "0a04 1202 0880", "chunked_series.chunks.min_time_ms", 4},
		{"type as a string", "0a05 1203 1a0161", "chunked_series.chunks.type", 4},
		{"index as a string", "12 01 61", "query_index", 0},
		{"bad tag", "0a01 80", "chunked_series", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := upFrame(t, 1)
			err := got.UnmarshalProtoAlias(unhex(t, tt.hex))
			var d *DecodeError
			if !errors.As(err, &d) || d.Message != "prometheus.ChunkedReadResponse" || d.Field != tt.field || d.Offset != tt.offset {
				t.Errorf("error %+v, want field %q at %d", err, tt.field, tt.offset)
			}
			if len(got.ChunkedSeries) != 0 || got.QueryIndex != 0 {
				t.Errorf("left %+v", got)
			}
		})
	}
}

func TestChunkedItemLimit(t *testing.T) {
	empty := strings.Repeat("\x0a\x00", maxFrameItems)
	series := AppendFrame(nil, &ChunkedReadResponse{ChunkedSeries: []ChunkedSeries{{Labels: make(Labels, maxFrameItems)}}})
	for name, msg := range map[string]string{"series": empty + "\x0a\x00", "labels": string(series[8:])} {
		var c ChunkedReadResponse
		if err := c.UnmarshalProtoAlias([]byte(msg)); !errors.Is(err, ErrTooLarge) || len(c.ChunkedSeries) != 0 {
			t.Errorf("%s: %v, %d series left", name, err, len(c.ChunkedSeries))
		}
	}
	var c ChunkedReadResponse
	if err := c.UnmarshalProtoAlias([]byte(empty)); err != nil || len(c.ChunkedSeries) != maxFrameItems {
		t.Errorf("at the limit: %v, %d series", err, len(c.ChunkedSeries))
	}
}

// Each message is decoded into the memory of the one before: nothing of it may shine through.
func TestChunkedReuse(t *testing.T) {
	large := ChunkedReadResponse{QueryIndex: 9}
	for range 3 {
		large.ChunkedSeries = append(large.ChunkedSeries, ChunkedSeries{
			LabelsFromStrings("a", "b", "c", "d", "e", "f"), []Chunk{{1, 2, 3, []byte("xyz")}, {4, 5, 6, []byte("xyz")}},
		})
	}
	small := ChunkedReadResponse{ChunkedSeries: []ChunkedSeries{{Labels{{}}, []Chunk{{}}}, {}}}
	var got ChunkedReadResponse
	for range 2 {
		for _, want := range []ChunkedReadResponse{large, small, {}} {
			if err := got.UnmarshalProtoAlias(want.AppendProto(nil)); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.AppendProto(nil), want.AppendProto(nil)) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
	}
}

func TestAppendFrameAllocations(t *testing.T) {
	c, dst := upFrame(t, 1), make([]byte, 0, 1000)
	if n := testing.AllocsPerRun(20, func() { dst = AppendFrame(dst[:0], &c) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
