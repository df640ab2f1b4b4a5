package promwire

import (
	"math"
	"testing"
)

func series(name string, t MetricType, values ...float64) TimeSeries {
	ts := TimeSeries{Labels: LabelsFromStrings(MetricName, name), Metadata: Metadata{Type: t}}
	for i, v := range values {
		ts.Samples = append(ts.Samples, Sample{Timestamp: int64(i+1) * 1000, Value: v})
	}
	return ts
}

func TestRequestAppendText(t *testing.T) {
	tests := []struct {
		name string
		req  WriteRequest
		opts TextOptions
		want string
	}{
		{name: "empty request"},
		{
			name: "newest sample, with its time",
			req:  WriteRequest{Timeseries: []TimeSeries{series("a_total", TypeCounter, 1, 2)}},
			opts: TextOptions{Timestamps: true},
			want: "# TYPE a_total counter\na_total 2 2000\n",
		},
		{
			name: "a TYPE line per run of a family",
			req: WriteRequest{Timeseries: []TimeSeries{
				series("a", TypeGauge, 1), series("a", TypeGauge, 2), series("b", TypeUnknown, 3), series("a", TypeGauge, 4),
				series("h_bucket", TypeHistogram, 5), series("h_sum", TypeHistogram, 6), series("s_sum", TypeSummary, 7),
				series("s", TypeSummary, 8), series("x", 99, 9),
			}},
			want: "# TYPE a gauge\na 1\na 2\nb 3\n# TYPE a gauge\na 4\n# TYPE h histogram\nh_bucket 5\nh_sum 6\n" +
				"# TYPE s summary\ns_sum 7\ns 8\nx 9\n",
		},
		{
			name: "type from family metadata",
			req: WriteRequest{
				Timeseries: []TimeSeries{
					series("h_count", TypeUnknown, 1), series("c_total", TypeUnknown, 2), series("n", TypeUnknown, 3),
					series("om_total", TypeUnknown, 4), series("v_info", TypeUnknown, 1),
				},
				Metadata: []MetricMetadata{
					{Metadata{Type: TypeHistogram}, "h"},
					{Metadata{Type: TypeCounter}, "c_total"},
					{Metadata{Type: TypeGauge}, "alone"},
					{Metadata{}, "n"},
					{Metadata{Type: TypeCounter}, "om"},
					{Metadata{Type: TypeInfo}, "v"},
				},
			},
			want: "# TYPE h histogram\nh_count 1\n# TYPE c_total counter\nc_total 2\nn 3\n# TYPE om counter\nom_total 4\n" +
				"# TYPE v info\nv_info 1\n# TYPE alone gauge\n",
		},
		{
			name: "labels in order, bounds last and short",
			req: WriteRequest{Timeseries: []TimeSeries{
				{Labels: Labels{{"z", "1"}, {"le", "1.0"}, {MetricName, "h_bucket"}, {"a", "2"}}, Samples: []Sample{{Value: 1}}},
				{Labels: LabelsFromStrings(MetricName, "s", "quantile", "0.99", "zone", "z"), Samples: []Sample{{Value: 1}}},
			}},
			want: "h_bucket{a=\"2\",z=\"1\",le=\"1\"} 1\ns{zone=\"z\",quantile=\"0.99\"} 1\n",
		},
		{
			name: "names to be quoted, no name, escapes",
			req: WriteRequest{Timeseries: []TimeSeries{
				{Labels: LabelsFromStrings(MetricName, "my.metric", "a.b", "x\"\\\ny"), Metadata: Metadata{Type: TypeGauge}},
				{Labels: LabelsFromStrings("a", "b")},
				{},
			}},
			want: "# TYPE \"my.metric\" gauge\n" + `{"my.metric","a.b"="x\"\\\ny"}` + "\n{a=\"b\"}\n{}\n",
		},
		{
			name: "stale marker and exemplar",
			req: WriteRequest{Timeseries: []TimeSeries{series("gone", TypeUnknown, 1, StaleNaN()), {
				Labels: LabelsFromStrings(MetricName, "c_total"), Samples: []Sample{{Timestamp: 5, Value: 3}},
				Exemplars: []Exemplar{{}, {Labels: LabelsFromStrings("trace_id", "t"), Value: 0.5, Timestamp: 4}},
			}}},
			opts: TextOptions{Timestamps: true},
			want: "gone stale 2000\nc_total 3 5 # {trace_id=\"t\"} 0.5 4\n",
		},
		{
			name: "exemplar alone, histogram beside a sample",
			req: WriteRequest{Timeseries: []TimeSeries{
				{Labels: LabelsFromStrings(MetricName, "e"), Exemplars: []Exemplar{{Value: 1}}},
				{
					Labels: LabelsFromStrings(MetricName, "m"), Samples: []Sample{{Timestamp: 1, Value: 2}},
					Histograms: []Histogram{{Timestamp: 2, Count: 3, Sum: 4}},
				},
			}},
			opts: TextOptions{Timestamps: true},
			want: "e # {} 1 0\nm 2 1\nm {count:3, sum:4} 2\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(tt.req.AppendText([]byte("x "), tt.opts)); got != "x "+tt.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, "x "+tt.want)
			}
		})
	}
}

func TestAppendHistogramText(t *testing.T) {
	tests := []struct {
		name string
		h    Histogram
		want string
	}{
		{"integer", Histogram{
			Count: 9, Sum: 18.5, ZeroThreshold: 0.001, ZeroCount: 2,
			PositiveSpans: []BucketSpan{{1, 2}, {1, 1}}, PositiveDeltas: []int64{1, 0, -1},
			NegativeSpans: []BucketSpan{{0, 2}}, NegativeDeltas: []int64{2, 1},
		}, "{count:9, sum:18.5, [-2,-1):3, [-1,-0.5):2, [-0.001,0.001]:2, (1,2]:1, (2,4]:1}"},
		{"fine float", Histogram{
			IsFloat: true, CountFloat: 1.5, Sum: math.Inf(1), Schema: 1,
			PositiveSpans: []BucketSpan{{-1, 1}}, PositiveCounts: []float64{1.5},
		}, "{count:1.5, sum:+Inf, (0.5,0.7071067811865475]:1.5}"},
		{"coarse", Histogram{
			Count: 1, Sum: 1, Schema: -4, PositiveSpans: []BucketSpan{{1, 1}}, PositiveDeltas: []int64{1},
		}, "{count:1, sum:1, (1,65536]:1}"},
		{"custom bounds", Histogram{
			Count: 6, Sum: 5.5, Schema: CustomBucketsSchema, CustomValues: []float64{0.1, 1},
			PositiveSpans: []BucketSpan{{0, 4}}, PositiveDeltas: []int64{1, 1, -1, 1},
		}, "{count:6, sum:5.5, (-Inf,0.1]:1, (0.1,1]:2, (1,+Inf]:1, #3:2}"},
		{"unknown schema", Histogram{
			Count: 2, Schema: 99, PositiveSpans: []BucketSpan{{7, 1}}, PositiveDeltas: []int64{1},
			NegativeSpans: []BucketSpan{{8, 1}}, NegativeDeltas: []int64{1},
		}, "{count:2, sum:0, -#8:1, #7:1}"},
		{"spans beyond the counts", Histogram{
			Count: 1, PositiveSpans: []BucketSpan{{0, math.MaxUint32}, {math.MaxInt32, math.MaxUint32}}, PositiveDeltas: []int64{1},
		}, "{count:1, sum:0, (0.5,1]:1}"},
		{"stale", Histogram{Sum: StaleNaN()}, "stale"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(appendHistogramText(nil, &tt.h)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestAppendTextFloat(t *testing.T) {
	for _, tt := range []struct {
		v    float64
		want string
	}{
		{0, "0"},
		{math.Copysign(0, -1), "-0"},
		{1, "1"},
		{-85, "-85"},
		{1e6, "1000000"},
		{1234567.5, "1234567.5"},
		{1 << 60, "1152921504606847000"},
		{1e20, "100000000000000000000"},
		{1e21, "1e+21"},
		{math.MaxFloat64, "1.7976931348623157e+308"},
		{12.8, "12.8"},
		{0.30000000000000004, "0.30000000000000004"},
		{0.0001, "0.0001"},
		{0.00001, "1e-05"},
		{math.SmallestNonzeroFloat64, "5e-324"},
		{math.NaN(), "NaN"},
		{math.Inf(1), "+Inf"},
		{math.Inf(-1), "-Inf"},
		{StaleNaN(), "stale"},
	} {
		if got := string(appendTextFloat(nil, tt.v)); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.v, got, tt.want)
		}
	}
}

func TestShortBound(t *testing.T) {
	for spelled, want := range map[string]string{
		"1.0": "1", "0.5": "0.5", "1e+06": "1000000", "1e-05": "1e-05", "+Inf": "+Inf", "1e+21": "1e+21", "NaN": "NaN",
		// Other spellings make other series.
		"1": "1", "1000000": "1000000", "1.00": "1.00", "Inf": "Inf", "0x1p-2": "0x1p-2", "": "", "high": "high",
	} {
		if got := shortBound(spelled); got != want {
			t.Errorf("%q: got %q, want %q", spelled, got, want)
		}
	}
}

func TestFormatLe(t *testing.T) {
	for _, tt := range []struct {
		v    float64
		want string
	}{
		{0, "0.0"},
		{math.Copysign(0, -1), "0.0"},
		{1, "1.0"},
		{-2.5, "-2.5"},
		{0.005, "0.005"},
		{100000, "100000.0"},
		{1000000, "1e+06"},
		{0.00001, "1e-05"},
		{math.Inf(1), "+Inf"},
		{math.Inf(-1), "-Inf"},
		{math.NaN(), "NaN"},
	} {
		if got := FormatLe(tt.v); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.v, got, tt.want)
		}
	}
}

func TestMetricTypeString(t *testing.T) {
	for mt, want := range map[MetricType]string{
		TypeUnknown: "unknown", TypeCounter: "counter", TypeGaugeHistogram: "gaugehistogram", TypeStateSet: "stateset",
		8: "MetricType(8)", -1: "MetricType(-1)",
	} {
		if got := mt.String(); got != want {
			t.Errorf("%d: got %q, want %q", int(mt), got, want)
		}
	}
}
