package promwire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
)

// encodeCase is a request and its bytes, as the Prometheus library writes them.
type encodeCase struct {
	name string
	kind MessageType
	req  WriteRequest
	hex  string // blanks only group
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func oneSeries(ts TimeSeries) WriteRequest { return WriteRequest{Timeseries: []TimeSeries{ts}} }

func named(name string, samples ...Sample) TimeSeries {
	return TimeSeries{Labels: LabelsFromStrings("__name__", name), Samples: samples}
}

var counterWithExemplar = TimeSeries{
	Labels:    LabelsFromStrings("__name__", "c_total"),
	Samples:   []Sample{{Timestamp: 1000, Value: 2}},
	Exemplars: []Exemplar{{Labels: LabelsFromStrings("trace_id", "t"), Value: 0.5, Timestamp: 999}},
}

var integerHistogram = Histogram{
	Timestamp: 1000, Count: 4, Sum: 18.5, ZeroThreshold: 0x1p-128,
	PositiveSpans:  []BucketSpan{{Offset: 1, Length: 2}, {Offset: 1, Length: 1}},
	PositiveDeltas: []int64{1, 1, -1},
}

var customBuckets = Histogram{
	IsFloat: true, Timestamp: 1000, StartTimestamp: 1, CountFloat: 3, Sum: 5.5, Schema: CustomBucketsSchema,
	CustomValues:   []float64{0.1, 1},
	PositiveSpans:  []BucketSpan{{Length: 1}, {Offset: 1, Length: 1}},
	PositiveCounts: []float64{2, 1},
}

func encodeCases() []encodeCase {
	withMetadata := oneSeries(counterWithExemplar)
	withMetadata.Metadata = []MetricMetadata{{Metadata{TypeCounter, "h", "s"}, "c_total"}}
	onSeries := oneSeries(counterWithExemplar)
	onSeries.Timeseries[0].Metadata = Metadata{TypeCounter, "h", "s"}
	const counterHex = `0a400a130a085f5f6e616d655f5f1207635f746f74616c120c09000000000000004010e807
		1a1b0a0d0a0874726163655f696412017411000000000000e03f18e707 1a11 0801 1207635f746f74616c 2201 68 2a01 73`
	return []encodeCase{
		{"1.0 empty", WriteV1, WriteRequest{}, ""},
		{"1.0 one sample", WriteV1, oneSeries(TimeSeries{
			Labels: LabelsFromStrings("__name__", "up", "job", "a"), Samples: []Sample{{Timestamp: 1000, StartTimestamp: 5, Value: 1}},
		}), `0a28 0a0e 0a08 5f5f6e616d655f5f 1202 7570 0a08 0a03 6a6f62 1201 61 120c 09 000000000000f03f 10 e807`},
		{"1.0 zero and stale", WriteV1, oneSeries(named("m", Sample{Timestamp: 1}, Sample{Timestamp: 2, Value: StaleNaN()})),
			`0a200a0d0a085f5f6e616d655f5f12016d 1202 1001 120b 09 020000000000f07f 1002`},
		{"1.0 negative", WriteV1, oneSeries(named("m", Sample{Timestamp: -1, Value: -1})),
			`0a250a0d0a085f5f6e616d655f5f12016d1214 09 000000000000f0bf 10 ffffffffffffffffff01`},
		{"1.0 exemplar and metadata", WriteV1, withMetadata, counterHex},
		{"1.0 metadata of the series", WriteV1, onSeries, counterHex},
		{"1.0 integer histogram", WriteV1, oneSeries(TimeSeries{
			Labels: LabelsFromStrings("__name__", "h"), Histograms: []Histogram{integerHistogram},
		}), `0a3b0a0d0a085f5f6e616d655f5f12016822 2a 0804 19 0000000000803240 29 000000000000f037 3000
			5a04 0802 1002 5a04 0802 1001 62 03 02 02 01 78 e807`},
		{"1.0 minus zero", WriteV1, oneSeries(named("m", Sample{Value: math.Copysign(0, -1)})),
			`0a1a0a0d0a085f5f6e616d655f5f12016d 1209 09 0000000000000080`},
		{"1.0 least int64", WriteV1, oneSeries(named("m", Sample{Timestamp: math.MinInt64})),
			`0a1c0a0d0a085f5f6e616d655f5f12016d 120b 10 80808080808080808001`},
		{"1.0 nothing in it", WriteV1, WriteRequest{
			Timeseries: []TimeSeries{{Labels: Labels{{}}, Samples: make([]Sample, 1), Exemplars: make([]Exemplar, 1), Histograms: make([]Histogram, 1)}},
			Metadata:   make([]MetricMetadata, 1),
		}, `0a0c 0a00 1200 1a00 2204 0800 3000 1a00`},
		{"2.0 empty", WriteV2, WriteRequest{}, "2200"},
		{"2.0 all parts", WriteV2, oneSeries(TimeSeries{
			Labels:    LabelsFromStrings("__name__", "c_total", "job", "a"),
			Samples:   []Sample{{Timestamp: 2000, StartTimestamp: 1000, Value: 2}},
			Exemplars: []Exemplar{{Labels: LabelsFromStrings("trace_id", "t"), Value: 0.5, Timestamp: 1999}},
			Metadata:  Metadata{TypeCounter, "help", "s"},
		}), `2200 2208 5f5f6e616d655f5f 2207 635f746f74616c 2203 6a6f62 2201 61 2208 74726163655f6964 2201 74 2204 68656c70 2201 73
			2a31 0a04 01020304 120f 09 0000000000000040 10 d00f 18 e807
			2210 0a02 0506 11 000000000000e03f 18 cf0f 2a06 0801 1807 2008`},
		{"2.0 empty metadata", WriteV2, oneSeries(named("up", Sample{Timestamp: 1000, Value: 1})),
			`220022085f5f6e616d655f5f220275702a140a020102120c09000000000000f03f10e8072a00`},
		{"2.0 custom buckets", WriteV2, oneSeries(TimeSeries{
			Labels: LabelsFromStrings("__name__", "n"), Histograms: []Histogram{customBuckets}, Metadata: Metadata{Type: TypeHistogram},
		}), `220022085f5f6e616d655f5f22016e2a5c0a020102
			1a52 11 0000000000000840 19 0000000000001640 20 69 39 0000000000000000
			5a02 1001 5a04 0802 1001 6a10 0000000000000040 000000000000f03f 78 e807
			820110 9a9999999999b93f 000000000000f03f 880101 2a02 0803`},
		{"2.0 exemplar alone", WriteV2, oneSeries(TimeSeries{
			Labels: LabelsFromStrings("__name__", "a"), Exemplars: []Exemplar{{Labels: LabelsFromStrings("a", "b")}},
		}), `220022085f5f6e616d655f5f2201612201622a0c 0a020102 22040a020203 2a00`},
		{"2.0 repeated strings", WriteV2, WriteRequest{Timeseries: []TimeSeries{
			{Labels: LabelsFromStrings("a", "x", "b", "y")},
			{Labels: LabelsFromStrings("a", "x", "b", "x", "c", "c")},
			{Labels: LabelsFromStrings("b", "y")},
			{},
			{Labels: LabelsFromStrings("a", "y")},
		}}, `2200 220161 220178 220162 220179 220163 2a08 0a0401020304 2a00 2a0a 0a06010203020505 2a00
			2a06 0a020304 2a00 2a02 2a00 2a06 0a020104 2a00`},
	}
}

func TestAppendProto(t *testing.T) {
	for _, tt := range encodeCases() {
		t.Run(tt.name, func(t *testing.T) {
			want := append([]byte("before"), unhex(t, tt.hex)...)
			got, err := tt.req.AppendProto([]byte("before"), tt.kind)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("got %x, %v\nwant %x", got, err, want)
			}
		})
	}
}

// TestAppendProtoAfterLarger encodes with pooled memory that held a larger request before.
func TestAppendProtoAfterLarger(t *testing.T) {
	large := workload(300, 8, 3)
	for _, tt := range encodeCases() {
		if _, err := large.AppendProto(nil, tt.kind); err != nil {
			t.Fatal(err)
		}
		got, err := tt.req.AppendProto(nil, tt.kind)
		if want := unhex(t, tt.hex); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got %x, %v\nwant %x", tt.name, got, err, want)
		}
	}
}

func TestAppendProtoConcurrently(t *testing.T) {
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			large := workload(20+10*n, 5, 1)
			for range 20 {
				for _, tt := range encodeCases() {
					got, err := tt.req.AppendProto(nil, tt.kind)
					if err != nil || hex.EncodeToString(got) != strings.Join(strings.Fields(tt.hex), "") {
						t.Errorf("%s: got %x, %v", tt.name, got, err)
					}
					if _, err = large.AppendProto(nil, tt.kind); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestAppendProtoErrors(t *testing.T) {
	huge := Label{Name: "n", Value: strings.Repeat("x", 1<<20)}
	bomb := oneSeries(TimeSeries{Labels: make(Labels, 2048)})
	for i := range bomb.Timeseries[0].Labels {
		bomb.Timeseries[0].Labels[i] = huge
	}
	loose := WriteRequest{Metadata: make([]MetricMetadata, 3)}
	tests := []struct {
		name string
		req  WriteRequest
		kind MessageType
		want error
		text string
	}{
		{"unknown message", WriteRequest{}, "x", ErrUnsupported, `message "x"`},
		{"2.0 with metadata of families", loose, WriteV2, ErrUnsupported, "got 3 entries"},
		{"1.0 beyond 2 GiB", bomb, WriteV1, ErrTooLarge, "2147483647"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.req.AppendProto([]byte("before"), tt.kind)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v, want %v with %q", err, tt.want, tt.text)
			}
			if string(got) != "before" {
				t.Errorf("dst is %d bytes %.20q", len(got), got)
			}
		})
	}
}

func TestTimeSeriesAppendProto(t *testing.T) {
	ts := counterWithExemplar
	ts.Metadata = Metadata{TypeCounter, "help", ""}
	want := unhex(t, `0a130a085f5f6e616d655f5f1207635f746f74616c120c09000000000000004010e807
		1a1b0a0d0a0874726163655f696412017411000000000000e03f18e707`)
	if got := ts.AppendProto([]byte{1, 2}); !bytes.Equal(got, append([]byte{1, 2}, want...)) {
		t.Errorf("got %x, want 0102%x", got, want)
	}
}

func TestFamilyName(t *testing.T) {
	tests := []struct {
		name string
		kind MetricType
		want string
	}{
		{"x_bucket", TypeHistogram, "x"},
		{"x_sum", TypeHistogram, "x"},
		{"x_count", TypeHistogram, "x"},
		{"x", TypeHistogram, "x"},
		{"x_count_sum", TypeHistogram, "x_count"},
		{"_count", TypeHistogram, "_count"},
		{"x_gsum", TypeHistogram, "x_gsum"},
		{"x_sum", TypeSummary, "x"},
		{"x_count", TypeSummary, "x"},
		{"x_bucket", TypeSummary, "x_bucket"},
		{"x_gsum", TypeGaugeHistogram, "x"},
		{"x_gcount", TypeGaugeHistogram, "x"},
		{"x_bucket", TypeGaugeHistogram, "x"},
		{"x_count", TypeGaugeHistogram, "x_count"},
		{"x_total", TypeCounter, "x_total"},
		{"x_count", TypeGauge, "x_count"},
		{"x_sum", TypeUnknown, "x_sum"},
		{"", TypeSummary, ""},
	}
	for _, tt := range tests {
		if got := FamilyName(tt.name, tt.kind); got != tt.want {
			t.Errorf("FamilyName(%q, %d) = %q, want %q", tt.name, tt.kind, got, tt.want)
		}
	}
}

// TestSeriesMetadataV1 counts the family metadata behind the series.
func TestSeriesMetadataV1(t *testing.T) {
	series := func(name string, m Metadata) TimeSeries {
		return TimeSeries{Labels: LabelsFromStrings("__name__", name), Metadata: m}
	}
	hist, other := Metadata{Type: TypeHistogram, Help: "h"}, Metadata{Type: TypeHistogram, Help: "i"}
	req := WriteRequest{
		Timeseries: []TimeSeries{
			series("a_bucket", hist), series("a_sum", hist), series("a_count", Metadata{}), series("a_count", hist),
			series("b", hist), series("b_sum", other),
			{Labels: LabelsFromStrings("job", "x"), Metadata: hist},
		},
		Metadata: []MetricMetadata{{hist, "b"}},
	}
	got, err := req.AppendProto(nil, WriteV1)
	if err != nil {
		t.Fatal(err)
	}
	want := unhex(t, "1a08 0803 120161 220168 1a08 0803 120162 220168 1a08 0803 120162 220169 1a08 0803 120162 220168")
	if at := bytes.IndexByte(got, 0x1a); at < 0 || !bytes.Equal(got[at:], want) {
		t.Errorf("got %x, want to end in %x", got, want)
	}
}

func TestAppendProtoAllocates(t *testing.T) {
	req := workload(50, 8, 2)
	req.Timeseries[0].Histograms = []Histogram{integerHistogram, customBuckets}
	for _, kind := range []MessageType{WriteV1, WriteV2} {
		var buf []byte
		n := testing.AllocsPerRun(100, func() {
			buf, _ = req.AppendProto(buf[:0], kind)
		})
		if n != 0 {
			t.Errorf("%s: %v allocations per request", kind, n)
		}
	}
}
