package promwire_test

import (
	"math"

	"github.com/promwire/promwire"
)

// encodeCase is a request and its message, as the Prometheus library writes it.
type encodeCase struct {
	name string
	kind promwire.MessageType
	req  promwire.WriteRequest
	hex  string // blanks only group
}

func oneSeries(ts promwire.TimeSeries) promwire.WriteRequest {
	return promwire.WriteRequest{Timeseries: []promwire.TimeSeries{ts}}
}

// samples makes a request of the series m.
func samples(ss ...promwire.Sample) promwire.WriteRequest {
	return oneSeries(promwire.TimeSeries{Labels: named("m"), Samples: ss})
}

func counterWithExemplar() promwire.TimeSeries {
	return promwire.TimeSeries{
		Labels:    named("c_total"),
		Samples:   []promwire.Sample{{Timestamp: 1000, Value: 2}},
		Exemplars: []promwire.Exemplar{{Labels: promwire.LabelsFromStrings("trace_id", "t"), Value: 0.5, Timestamp: 999}},
	}
}

func integerHistogram() promwire.Histogram {
	return promwire.Histogram{
		Timestamp: 1000, Count: 4, Sum: 18.5, ZeroThreshold: 0x1p-128,
		PositiveSpans:  []promwire.BucketSpan{{Offset: 1, Length: 2}, {Offset: 1, Length: 1}},
		PositiveDeltas: []int64{1, 1, -1},
	}
}

func customBuckets() promwire.Histogram {
	return promwire.Histogram{
		IsFloat: true, Timestamp: 1000, StartTimestamp: 1, CountFloat: 3, Sum: 5.5,
		Schema: promwire.CustomBucketsSchema, CustomValues: []float64{0.1, 1},
		PositiveSpans:  []promwire.BucketSpan{{Length: 1}, {Offset: 1, Length: 1}},
		PositiveCounts: []float64{2, 1},
	}
}

func encodeCases() []encodeCase { return append(encodeCasesV1(), encodeCasesV2()...) }

func encodeCasesV1() []encodeCase {
	meta := promwire.Metadata{Type: promwire.TypeCounter, Help: "h", Unit: "s"}
	apart, onSeries := oneSeries(counterWithExemplar()), oneSeries(counterWithExemplar())
	apart.Metadata = []promwire.MetricMetadata{{Metadata: meta, Family: "c_total"}}
	onSeries.Timeseries[0].Metadata = meta
	const counterHex = `0a400a130a085f5f6e616d655f5f1207635f746f74616c120c09000000000000004010e807
		1a1b0a0d0a0874726163655f696412017411000000000000e03f18e707 1a11 0801 1207635f746f74616c 2201 68 2a01 73`
	return []encodeCase{
		{"1.0 empty", v1, promwire.WriteRequest{}, ""},
		{"1.0 sample without its start", v1, oneSeries(promwire.TimeSeries{
			Labels:  named("up", "job", "a"),
			Samples: []promwire.Sample{{Timestamp: 1000, StartTimestamp: 5, Value: 1}},
		}), `0a28 0a0e 0a08 5f5f6e616d655f5f 1202 7570 0a08 0a03 6a6f62 1201 61 120c 09 000000000000f03f 10 e807`},
		{
			"1.0 zero and stale", v1, samples(promwire.Sample{Timestamp: 1}, promwire.Sample{Timestamp: 2, Value: promwire.StaleNaN()}),
			`0a200a0d0a085f5f6e616d655f5f12016d 1202 1001 120b 09 020000000000f07f 1002`,
		},
		{
			"1.0 negative", v1, samples(promwire.Sample{Timestamp: -1, Value: -1}),
			`0a250a0d0a085f5f6e616d655f5f12016d1214 09 000000000000f0bf 10 ffffffffffffffffff01`,
		},
		{
			"1.0 minus zero", v1, samples(promwire.Sample{Value: math.Copysign(0, -1)}),
			`0a1a0a0d0a085f5f6e616d655f5f12016d 1209 09 0000000000000080`,
		},
		{
			"1.0 least int64", v1, samples(promwire.Sample{Timestamp: math.MinInt64}),
			`0a1c0a0d0a085f5f6e616d655f5f12016d 120b 10 80808080808080808001`,
		},
		{"1.0 exemplar and metadata", v1, apart, counterHex},
		{"1.0 metadata of the series", v1, onSeries, counterHex},
		{"1.0 integer histogram", v1, oneSeries(promwire.TimeSeries{
			Labels: named("h"), Histograms: []promwire.Histogram{integerHistogram()},
		}), `0a3b0a0d0a085f5f6e616d655f5f12016822 2a 0804 19 0000000000803240 29 000000000000f037 3000
			5a04 0802 1002 5a04 0802 1001 62 03 02 02 01 78 e807`},
		{"1.0 all empty", v1, promwire.WriteRequest{
			Timeseries: []promwire.TimeSeries{{
				Labels: make(promwire.Labels, 1), Samples: make([]promwire.Sample, 1),
				Exemplars: make([]promwire.Exemplar, 1), Histograms: make([]promwire.Histogram, 1),
			}},
			Metadata: make([]promwire.MetricMetadata, 1),
		}, `0a0c 0a00 1200 1a00 2204 0800 3000 1a00`},
	}
}

func encodeCasesV2() []encodeCase {
	return []encodeCase{
		{"2.0 empty", v2, promwire.WriteRequest{}, "2200"},
		{"2.0 all parts", v2, oneSeries(promwire.TimeSeries{
			Labels:    named("c_total", "job", "a"),
			Samples:   []promwire.Sample{{Timestamp: 2000, StartTimestamp: 1000, Value: 2}},
			Exemplars: []promwire.Exemplar{{Labels: promwire.LabelsFromStrings("trace_id", "t"), Value: 0.5, Timestamp: 1999}},
			Metadata:  promwire.Metadata{Type: promwire.TypeCounter, Help: "help", Unit: "s"},
		}), `2200 2208 5f5f6e616d655f5f 2207 635f746f74616c 2203 6a6f62 2201 61 2208 74726163655f6964 2201 74 2204 68656c70 2201 73
			2a31 0a04 01020304 120f 09 0000000000000040 10 d00f 18 e807
			2210 0a02 0506 11 000000000000e03f 18 cf0f 2a06 0801 1807 2008`},
		{"2.0 no metadata", v2, oneSeries(promwire.TimeSeries{
			Labels: named("up"), Samples: []promwire.Sample{{Timestamp: 1000, Value: 1}},
		}), `220022085f5f6e616d655f5f220275702a140a020102120c09000000000000f03f10e8072a00`},
		{"2.0 custom buckets", v2, oneSeries(promwire.TimeSeries{
			Labels: named("n"), Histograms: []promwire.Histogram{customBuckets()},
			Metadata: promwire.Metadata{Type: promwire.TypeHistogram},
		}), `220022085f5f6e616d655f5f22016e2a5c0a020102
			1a52 11 0000000000000840 19 0000000000001640 20 69 39 0000000000000000
			5a02 1001 5a04 0802 1001 6a10 0000000000000040 000000000000f03f 78 e807
			820110 9a9999999999b93f 000000000000f03f 880101 2a02 0803`},
		{"2.0 exemplar alone", v2, oneSeries(promwire.TimeSeries{
			Labels: named("a"), Exemplars: []promwire.Exemplar{{Labels: promwire.LabelsFromStrings("a", "b")}},
		}), `220022085f5f6e616d655f5f2201612201622a0c 0a020102 22040a020203 2a00`},
		{"2.0 repeated strings", v2, promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
			{Labels: promwire.LabelsFromStrings("a", "x", "b", "y")},
			{Labels: promwire.LabelsFromStrings("a", "x", "b", "x", "c", "c")},
			{Labels: promwire.LabelsFromStrings("b", "y")},
			{},
			{Labels: promwire.LabelsFromStrings("a", "y")},
		}}, `2200 220161 220178 220162 220179 220163 2a08 0a0401020304 2a00 2a0a 0a06010203020505 2a00
			2a06 0a020304 2a00 2a02 2a00 2a06 0a020104 2a00`},
	}
}
