package promwire

import (
	"bytes"
	"errors"
	"testing"
)

const readResponseHex = `0a2e0a2c0a0e0a085f5f6e616d655f5f12027570 120c09000000000000f03f10e807 120c09000000000000f03f10d00f`

func upTwice() TimeSeries {
	return TimeSeries{
		Labels:  LabelsFromStrings(MetricName, "up"),
		Samples: []Sample{{Timestamp: 1000, Value: 1}, {Timestamp: 2000, Value: 1}},
	}
}

func readResponses() map[string]ReadResponse {
	full := upTwice()
	full.Histograms = []Histogram{validHistogram(7)}
	full.Exemplars = []Exemplar{{Labels: LabelsFromStrings("trace_id", "x"), Value: 1, Timestamp: 2}}
	return map[string]ReadResponse{
		"nothing":      {},
		"empty result": {Results: []QueryResult{{}}},
		"one series":   {Results: []QueryResult{{[]TimeSeries{upTwice()}}}},
		"several results": {Results: []QueryResult{
			{[]TimeSeries{upTwice(), {}, full}}, {}, {[]TimeSeries{full}},
		}},
	}
}

func TestReadResponseVector(t *testing.T) {
	want := readResponses()["one series"]
	if got := want.AppendProto([]byte("head")); !bytes.Equal(got, append([]byte("head"), unhex(t, readResponseHex)...)) {
		t.Errorf("encoded as %x", got)
	}
	var got ReadResponse
	src := unhex(t, readResponseHex)
	err := got.UnmarshalProto(src)
	clear(src)
	if err != nil || len(got.Results) != 1 || !sameSeries(got.Results[0].Timeseries, want.Results[0].Timeseries) {
		t.Errorf("decoded as %+v, %v", got, err)
	}
}

func sameSeries(a, b []TimeSeries) bool {
	var all [2]WriteRequest
	all[0].Timeseries, all[1].Timeseries = a, b
	x, _ := all[0].AppendProto(nil, WriteV1)
	y, _ := all[1].AppendProto(nil, WriteV1)
	return bytes.Equal(x, y)
}

// Each response is decoded into the memory of the one before, twice.
func TestReadResponseRoundTrip(t *testing.T) {
	var got ReadResponse
	for range 2 {
		for name, want := range readResponses() {
			encoded := want.AppendProto(nil)
			if err := got.UnmarshalProto(encoded); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if len(got.Results) != len(want.Results) || !bytes.Equal(got.AppendProto(nil), encoded) {
				t.Errorf("%s: got %+v", name, got)
			}
		}
	}
}

func TestResultScanner(t *testing.T) {
	want := readResponses()["several results"]
	// Fields that the message does not know, of any type, stand between the results.
	var src []byte
	for _, r := range want.Results {
		src = append(src, unhex(t, "1005 1a0161 2501020304 29 0102030405060708")...)
		src = (&ReadResponse{Results: []QueryResult{r}}).AppendProto(src)
	}
	var s ResultScanner
	var d Decoder
	for range 2 {
		s.Reset(src)
		var got ReadResponse
		for s.Next() {
			d.Reset(s.Result(), WriteV1)
			var r QueryResult
			for d.Next() {
				r.Timeseries = append(r.Timeseries, d.Series().Clone())
			}
			if d.Err() != nil {
				t.Fatal(d.Err())
			}
			got.Results = append(got.Results, r)
		}
		if s.Err() != nil || !bytes.Equal(got.AppendProto(nil), want.AppendProto(nil)) {
			t.Errorf("got %+v, %v", got, s.Err())
		}
		if s.Next() {
			t.Error("goes on behind the end")
		}
	}
	if n := testing.AllocsPerRun(20, func() {
		for s.Reset(src); s.Next(); {
			d.Reset(s.Result(), WriteV1)
			for d.Next() {
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestReadResponseMalformed(t *testing.T) {
	tests := []struct {
		name, hex, field string
		offset           int
	}{
		{"result past the end", "0a05 0a00", "results", 0},
		{"second result past the end", "0a00 0a05", "results", 2},
		{"result as a varint", "0801", "results", 0},
		{"tag cut off", "80", "", 0},
		{"series past the end", "0a00 0a02 0a05", "results.timeseries", 4},
		{"label past the end", "0a00 0a04 0a02 0a05", "results.timeseries.labels", 6},
		{"value cut off", "0a05 0a03 1201 09", "results.timeseries.samples.value", 6},
		{"field number 0", "0a02 0001", "results", 2},
		{"group", "0b0c", "results", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := readResponses()["several results"]
			err := got.UnmarshalProto(unhex(t, tt.hex))
			var d *DecodeError
			if !errors.As(err, &d) || d.Message != "prometheus.ReadResponse" || d.Field != tt.field || d.Offset != tt.offset {
				t.Errorf("error %+v, want field %q at %d", err, tt.field, tt.offset)
			}
			if len(got.Results) != 0 {
				t.Errorf("left %+v", got)
			}
		})
	}
}

func TestLocateLeavesOthers(t *testing.T) {
	var s ResultScanner
	if err := s.Locate(ErrTooOld); err != ErrTooOld {
		t.Errorf("got %v", err)
	}
	if err := s.Locate(nil); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestReadResponseAllocations(t *testing.T) {
	r := readResponses()["several results"]
	dst := make([]byte, 0, 10_000)
	if n := testing.AllocsPerRun(20, func() { dst = r.AppendProto(dst[:0]) }); n != 0 {
		t.Errorf("%v allocations to encode, want 0", n)
	}
}

func FuzzReadResponse(f *testing.F) {
	for _, r := range readResponses() {
		f.Add(r.AppendProto(nil))
	}
	f.Add([]byte("\x0a\x02\x00\x01"))
	f.Fuzz(func(t *testing.T, src []byte) {
		var r, again ReadResponse
		if err := r.UnmarshalProto(src); err != nil {
			var d *DecodeError
			if !errors.As(err, &d) || d.Err == errMalformed || d.Offset > len(src) {
				t.Fatalf("%x: %v", src, err)
			}
			return
		}
		encoded := r.AppendProto(nil)
		if err := again.UnmarshalProto(encoded); err != nil || !bytes.Equal(again.AppendProto(nil), encoded) {
			t.Fatalf("%x encoded as %x: %v", src, encoded, err)
		}
	})
}
