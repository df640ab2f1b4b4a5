package promwire_test

import (
	"errors"
	"math"
	"reflect"
	"testing"

	"github.com/promwire/promwire"
)

// vector is an encoded message and what it means.
type vector struct {
	name string
	t    promwire.MessageType
	hex  string
	want promwire.WriteRequest
}

const (
	v1 = promwire.WriteV1
	v2 = promwire.WriteV2
)

func named(name string, more ...string) promwire.Labels {
	return promwire.LabelsFromStrings(append([]string{promwire.MetricName, name}, more...)...)
}

func upSeries() []promwire.TimeSeries {
	return []promwire.TimeSeries{{Labels: named("up"), Samples: []promwire.Sample{{Timestamp: 1000, Value: 1}}}}
}

var vectors = []vector{
	{"empty v1", v1, "", promwire.WriteRequest{}},
	{"empty v2", v2, "", promwire.WriteRequest{}},
	{"W1 one sample", v1, `0a28 0a0e 0a08 5f5f6e616d655f5f 1202 7570 0a08 0a03 6a6f62 1201 61
		120c 09 000000000000f03f 10 e807`, promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
		Labels:  named("up", "job", "a"),
		Samples: []promwire.Sample{{Timestamp: 1000, Value: 1}},
	}}}},
	{"W2 absent value, stale marker", v1, `0a200a0d0a085f5f6e616d655f5f12016d 1202 1001
		120b 09 020000000000f07f 1002`, promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
		Labels:  named("m"),
		Samples: []promwire.Sample{{Timestamp: 1}, {Timestamp: 2, Value: promwire.StaleNaN()}},
	}}}},
	{
		"W2n negative time", v1, "0a250a0d0a085f5f6e616d655f5f12016d1214 09 000000000000f0bf 10 ffffffffffffffffff01",
		promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
			Labels:  named("m"),
			Samples: []promwire.Sample{{Timestamp: -1, Value: -1}},
		}}},
	},
	{"W3 exemplar and metadata", v1, `0a400a130a085f5f6e616d655f5f1207635f746f74616c120c09000000000000004010e807
		1a1b0a0d0a0874726163655f696412017411000000000000e03f18e707
		1a11 0801 1207635f746f74616c 2201 68 2a01 73`, promwire.WriteRequest{
		Timeseries: []promwire.TimeSeries{{
			Labels:  named("c_total"),
			Samples: []promwire.Sample{{Timestamp: 1000, Value: 2}},
			Exemplars: []promwire.Exemplar{{
				Labels: promwire.LabelsFromStrings("trace_id", "t"), Value: 0.5, Timestamp: 999,
			}},
		}},
		Metadata: []promwire.MetricMetadata{{
			Family:   "c_total",
			Metadata: promwire.Metadata{Type: promwire.TypeCounter, Help: "h", Unit: "s"},
		}},
	}},
	{
		"W4 integer histogram", v1, `0a3b0a0d0a085f5f6e616d655f5f12016822 2a 0804 19 0000000000803240
		29 000000000000f037 3000 5a04 0802 1002 5a04 0802 1001 62 03 02 02 01 78 e807`,
		promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
			Labels: named("h"),
			Histograms: []promwire.Histogram{{
				Timestamp: 1000, Sum: 18.5, ZeroThreshold: math.Ldexp(1, -128), Count: 4,
				PositiveSpans:  []promwire.BucketSpan{{Offset: 1, Length: 2}, {Offset: 1, Length: 1}},
				PositiveDeltas: []int64{1, 1, -1},
			}},
		}}},
	},
	{"R1 read as 1.0 is empty", v1, vectorR1, promwire.WriteRequest{}},
	{"R1 sample, exemplar, metadata", v2, vectorR1, promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
		Labels:  named("c_total", "job", "a"),
		Samples: []promwire.Sample{{Timestamp: 2000, StartTimestamp: 1000, Value: 2}},
		Exemplars: []promwire.Exemplar{{
			Labels: promwire.LabelsFromStrings("trace_id", "t"), Value: 0.5, Timestamp: 1999,
		}},
		Metadata: promwire.Metadata{Type: promwire.TypeCounter, Help: "help", Unit: "s"},
	}}}},
	{"R2 empty metadata", v2, `220022085f5f6e616d655f5f220275702a14
		0a020102120c09000000000000f03f10e8072a00`, promwire.WriteRequest{Timeseries: upSeries()}},
	{"R2o no metadata", v2, `220022085f5f6e616d655f5f220275702a12
		0a020102120c09000000000000f03f10e807`, promwire.WriteRequest{Timeseries: upSeries()}},
	{
		"R3 float histogram with custom buckets", v2, `220022085f5f6e616d655f5f22016e2a5c0a020102
		1a52 11 0000000000000840 19 0000000000001640 20 69 39 0000000000000000
		5a02 1001 5a04 0802 1001 6a10 0000000000000040 000000000000f03f 78 e807
		820110 9a9999999999b93f 000000000000f03f 880101 2a02 0803`,
		promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
			Labels: named("n"),
			Histograms: []promwire.Histogram{{
				Timestamp: 1000, StartTimestamp: 1, Schema: promwire.CustomBucketsSchema, IsFloat: true,
				CountFloat: 3, Sum: 5.5,
				PositiveSpans:  []promwire.BucketSpan{{Length: 1}, {Offset: 1, Length: 1}},
				PositiveCounts: []float64{2, 1}, CustomValues: []float64{0.1, 1},
			}},
			Metadata: promwire.Metadata{Type: promwire.TypeHistogram},
		}}},
	},
	{
		"E3 symbol 0 is not empty", v2, "22085f5f6e616d655f5f220275702a120a020001120c09000000000000f03f10e807",
		promwire.WriteRequest{Timeseries: upSeries()},
	},
	{
		"E4 no samples", v2, "220022085f5f6e616d655f5f220275702a040a020102",
		promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{Labels: named("up")}}},
	},
	{"E5 old created timestamp is ignored", v2, `220022085f5f6e616d655f5f220275702a15
		0a020102120c09000000000000f03f10e80730f403`, promwire.WriteRequest{Timeseries: upSeries()}},
	{
		"E6 unpacked references", v2, "220022085f5f6e616d655f5f220275702a1208010802120c09000000000000f03f10e807",
		promwire.WriteRequest{Timeseries: upSeries()},
	},
}

const vectorR1 = `2200 2208 5f5f6e616d655f5f 2207 635f746f74616c 2203 6a6f62 2201 61 2208 74726163655f6964 2201 74
	2204 68656c70 2201 73
	2a31 0a04 01020304 120f 09 0000000000000040 10 d00f 18 e807
	2210 0a02 0506 11 000000000000e03f 18 cf0f 2a06 0801 1807 2008`

// badRefs are the vectors whose only series is invalid.
var badRefs = []vector{
	{
		name: "E1 odd number of references", t: v2,
		hex: "220022085f5f6e616d655f5f220275702a130a03010201120c09000000000000f03f10e807",
	},
	{
		name: "E2 reference out of range", t: v2,
		hex: "220022085f5f6e616d655f5f220275702a120a020109120c09000000000000f03f10e807",
	},
	{
		name: "three bytes that two would take for 1", t: v2,
		hex: "220022085f5f6e616d655f5f220275702a140a0401818001120c09000000000000f03f10e807",
	},
	{
		name: "value reference out of range after a good pair", t: v2,
		hex: "220022085f5f6e616d655f5f220275702a140a0401020103120c09000000000000f03f10e807",
	},
	{
		name: "odd number, unpacked", t: v2,
		hex: "220022085f5f6e616d655f5f220275702a140a0201020801120c09000000000000f03f10e807",
	},
	{name: "empty symbol table", t: v2, hex: "2a120a020000120c09000000000000f03f10e807"},
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) { checkDecodes(t, unhex(t, v.hex), v.t, &v.want) })
	}
}

func TestVectorsBadRefs(t *testing.T) {
	for _, v := range badRefs {
		t.Run(v.name, func(t *testing.T) {
			src := unhex(t, v.hex)
			var req promwire.WriteRequest
			err := req.UnmarshalProto(src, v.t)
			var de *promwire.DecodeError
			if !errors.As(err, &de) || !errors.Is(err, promwire.ErrInvalidSymbolRef) {
				t.Fatalf("UnmarshalProto: %v, want a DecodeError for a symbol reference", err)
			}
			if len(req.Timeseries) != 0 {
				t.Errorf("request has %d series after an error", len(req.Timeseries))
			}
			var d promwire.Decoder
			for _, next := range []func() bool{d.Next, d.NextRaw} {
				d.Reset(src, v.t)
				if !next() || !errors.Is(d.SeriesErr(), promwire.ErrInvalidSymbolRef) {
					t.Fatalf("walk: series error %v, error %v", d.SeriesErr(), d.Err())
				}
				if len(d.Series().Samples) != 1 {
					t.Errorf("%d samples, want 1", len(d.Series().Samples))
				}
				if next() || d.Err() != nil {
					t.Errorf("walk goes on after the last series: %v", d.Err())
				}
			}
		})
	}
}

// checkDecodes decodes src in every way that there is and compares with want.
func checkDecodes(t *testing.T, src []byte, mt promwire.MessageType, want *promwire.WriteRequest) {
	t.Helper()
	for _, way := range decodeWays {
		got, err := way.decode(src, mt)
		if err != nil {
			t.Errorf("%s: %v", way.name, err)
			continue
		}
		if !sameRequest(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", way.name, got, want)
		}
	}
}

// decodeWays are all the ways to decode a request.
var decodeWays = []struct {
	name   string
	decode func([]byte, promwire.MessageType) (*promwire.WriteRequest, error)
}{
	{"UnmarshalProto", func(src []byte, t promwire.MessageType) (*promwire.WriteRequest, error) {
		var req promwire.WriteRequest
		err := req.UnmarshalProto(src, t)
		return &req, err
	}},
	{"UnmarshalProtoAlias", func(src []byte, t promwire.MessageType) (*promwire.WriteRequest, error) {
		var req promwire.WriteRequest
		err := req.UnmarshalProtoAlias(src, t)
		return &req, err
	}},
	{"Next", func(src []byte, t promwire.MessageType) (*promwire.WriteRequest, error) {
		var d promwire.Decoder
		return walk(&d, src, t, (*promwire.Decoder).Next)
	}},
	{"NextRaw", func(src []byte, t promwire.MessageType) (*promwire.WriteRequest, error) {
		var d promwire.Decoder
		return walk(&d, src, t, nextRawDecoded)
	}},
}

// nextRawDecoded is Next in two steps.
func nextRawDecoded(d *promwire.Decoder) bool {
	return d.NextRaw() && (d.DecodeLabels() == nil || d.Err() == nil)
}

// walk collects what d yields. A series error ends it like an error of the message.
func walk(d *promwire.Decoder, src []byte, t promwire.MessageType, next func(*promwire.Decoder) bool) (
	*promwire.WriteRequest, error,
) {
	var req promwire.WriteRequest
	d.Reset(src, t)
	for next(d) {
		if d.SeriesErr() != nil {
			return &promwire.WriteRequest{}, d.SeriesErr()
		}
		req.Timeseries = append(req.Timeseries, d.Series().Clone())
	}
	if d.Err() != nil {
		return &promwire.WriteRequest{}, d.Err()
	}
	req.Metadata = append(req.Metadata, d.Metadata()...)
	return &req, nil
}

// sameRequest compares values by their bits, and takes nil and empty slices as equal.
func sameRequest(a, b *promwire.WriteRequest) bool {
	return sameValue(reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem())
}

func sameValue(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Float64:
		return math.Float64bits(a.Float()) == math.Float64bits(b.Float())
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !sameValue(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		for i := range a.NumField() {
			if !sameValue(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	default:
		return a.Equal(b)
	}
}
