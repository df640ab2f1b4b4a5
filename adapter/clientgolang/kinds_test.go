package clientgolang_test

import (
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/adapter/clientgolang"
)

// convert returns what a gatherer becomes at t0.
func convert(t *testing.T, g prometheus.Gatherer, opts ...clientgolang.Option) *promwire.WriteRequest {
	t.Helper()
	c := &clock{t0}
	req := &promwire.WriteRequest{}
	if err := clientgolang.AppendRequest(req, g, append(opts, clientgolang.WithClock(c.Now))...); err != nil {
		t.Fatal(err)
	}
	return req
}

var created = timestamppb.New(t0.Add(-time.Minute))

func exemplar(trace string, v float64, at time.Time) *dto.Exemplar {
	e := &dto.Exemplar{Label: []*dto.LabelPair{label("trace_id", trace)}, Value: &v}
	if !at.IsZero() {
		e.Timestamp = timestamppb.New(at)
	}
	return e
}

func bucket(bound float64, count uint64, e *dto.Exemplar) *dto.Bucket {
	return &dto.Bucket{UpperBound: &bound, CumulativeCount: &count, Exemplar: e}
}

func spans(offset int32, length uint32) []*dto.BucketSpan {
	return []*dto.BucketSpan{{Offset: &offset, Length: &length}}
}

// classicAndNative holds both forms of the same four observations.
func classicAndNative() *dto.Histogram {
	return &dto.Histogram{
		SampleCount: ptr[uint64](4), SampleSum: ptr(18.5), CreatedTimestamp: created,
		Bucket: []*dto.Bucket{bucket(1, 0, nil), bucket(2.5, 2, exemplar("b", 2, t0.Add(-2*time.Second)))},
		Schema: ptr[int32](0), ZeroThreshold: ptr(1e-128), ZeroCount: ptr[uint64](1),
		PositiveSpan: spans(1, 2), PositiveDelta: []int64{2, -1},
		Exemplars: []*dto.Exemplar{
			exemplar("late", 3, t0.Add(-time.Second)), exemplar("none", 1, time.Time{}), exemplar("early", 2, t0.Add(-2*time.Second)),
		},
	}
}

func TestKinds(t *testing.T) {
	for _, c := range []struct {
		name string
		kind dto.MetricType
		m    *dto.Metric
		opts []clientgolang.Option
		want string
	}{
		{"counter", dto.MetricType_COUNTER, &dto.Metric{Counter: &dto.Counter{
			Value: ptr(7.0), Exemplar: exemplar("a", 0.5, t0), CreatedTimestamp: created,
		}}, nil, "# TYPE x counter\nx 7 # {trace_id=\"a\"} 0.5\n"},
		{
			"gauge", dto.MetricType_GAUGE, gauge(-1.5, label("b", "2"), label("a", "1"), label("empty", "")), nil,
			"# TYPE x gauge\nx{a=\"1\",b=\"2\"} -1.5\n",
		},
		{"untyped", dto.MetricType_UNTYPED, &dto.Metric{Untyped: &dto.Untyped{Value: ptr(3.0)}}, nil, "x 3\n"},
		{"summary", dto.MetricType_SUMMARY, &dto.Metric{Summary: &dto.Summary{
			SampleCount: ptr[uint64](2), SampleSum: ptr(5.0), Quantile: []*dto.Quantile{{Quantile: ptr(0.5), Value: ptr(2.0)}},
		}}, nil, "# TYPE x summary\nx{quantile=\"0.5\"} 2\nx_count 2\nx_sum 5\n"},
		{"classic histogram", dto.MetricType_HISTOGRAM, &dto.Metric{Histogram: &dto.Histogram{
			SampleCount: ptr[uint64](3), SampleSum: ptr(5.0), Bucket: []*dto.Bucket{bucket(1, 2, exemplar("a", 0.5, time.Time{}))},
		}}, nil, "# TYPE x histogram\nx_bucket{le=\"1\"} 2 # {trace_id=\"a\"} 0.5\nx_bucket{le=\"+Inf\"} 3\nx_count 3\nx_sum 5\n"},
		{
			"histogram without buckets", dto.MetricType_HISTOGRAM, &dto.Metric{Histogram: &dto.Histogram{}}, nil,
			"# TYPE x histogram\nx_bucket{le=\"+Inf\"} 0\nx_count 0\nx_sum 0\n",
		},
		{"float counts", dto.MetricType_HISTOGRAM, &dto.Metric{Histogram: &dto.Histogram{
			SampleCount: ptr[uint64](9), SampleCountFloat: ptr(2.5), Bucket: []*dto.Bucket{{UpperBound: ptr(1.0), CumulativeCountFloat: ptr(1.5)}},
		}}, nil, "# TYPE x histogram\nx_bucket{le=\"1\"} 1.5\nx_bucket{le=\"+Inf\"} 2.5\nx_count 2.5\nx_sum 0\n"},
		{
			"both", dto.MetricType_HISTOGRAM, &dto.Metric{Histogram: classicAndNative()}, nil,
			"# TYPE x histogram\nx_bucket{le=\"1\"} 0\nx_bucket{le=\"2.5\"} 2 # {trace_id=\"b\"} 2\nx_bucket{le=\"+Inf\"} 4\nx_count 4\nx_sum 18.5\n" +
				"x {count:4, sum:18.5, [-1e-128,1e-128]:1, (1,2]:2, (2,4]:1} # {trace_id=\"late\"} 3\n",
		},
		{
			"native only", dto.MetricType_HISTOGRAM, &dto.Metric{Histogram: classicAndNative()},
			[]clientgolang.Option{clientgolang.WithoutClassicBuckets()},
			"# TYPE x histogram\nx {count:4, sum:18.5, [-1e-128,1e-128]:1, (1,2]:2, (2,4]:1} # {trace_id=\"late\"} 3\n",
		},
		{
			"classic only", dto.MetricType_HISTOGRAM, &dto.Metric{Histogram: classicAndNative()},
			[]clientgolang.Option{clientgolang.WithoutNativeHistograms()},
			"# TYPE x histogram\nx_bucket{le=\"1\"} 0\nx_bucket{le=\"2.5\"} 2 # {trace_id=\"b\"} 2\nx_bucket{le=\"+Inf\"} 4\nx_count 4\nx_sum 18.5\n",
		},
		{"native float gauge", dto.MetricType_GAUGE_HISTOGRAM, &dto.Metric{Histogram: &dto.Histogram{
			SampleCountFloat: ptr(1.5), Schema: ptr[int32](0), NegativeSpan: spans(1, 1), NegativeCount: []float64{1.5},
		}}, nil, "# TYPE x gaugehistogram\nx {count:1.5, sum:0, [-2,-1):1.5}\n"},
		{
			"native without observations", dto.MetricType_HISTOGRAM, &dto.Metric{Histogram: &dto.Histogram{PositiveSpan: spans(0, 0)}}, nil,
			"# TYPE x histogram\nx {count:0, sum:0}\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := convert(t, families{family("x", c.kind, c.m)}, c.opts...)
			if got := text(req); got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}

func TestTimesMetadataAndSpelling(t *testing.T) {
	own := &dto.Metric{Summary: &dto.Summary{CreatedTimestamp: created, Quantile: []*dto.Quantile{{Quantile: ptr(1.0)}}}, TimestampMs: ptr(t0.UnixMilli() - 5)}
	f := family("x", dto.MetricType_SUMMARY, own)
	f.Help, f.Unit = ptr("What it is."), ptr("seconds")
	for _, ts := range convert(t, families{f}).Timeseries {
		s := ts.Samples[0]
		if s.Timestamp != t0.UnixMilli()-5 || s.StartTimestamp != t0.UnixMilli()-60_000 {
			t.Errorf("%v: time %d, start %d", ts.Labels, s.Timestamp, s.StartTimestamp)
		}
		if want := (promwire.Metadata{Type: promwire.TypeSummary, Help: "What it is.", Unit: "seconds"}); ts.Metadata != want {
			t.Errorf("%v: metadata %+v", ts.Labels, ts.Metadata)
		}
		if q := ts.Labels.Get("quantile"); ts.Labels.Get("__name__") == "x" && q != "1.0" {
			t.Errorf("quantile is %q, want 1.0", q)
		}
	}
}

func TestStartAfterTheSampleIsLeftOut(t *testing.T) {
	m := &dto.Metric{Counter: &dto.Counter{Value: ptr(1.0), CreatedTimestamp: timestamppb.New(t0.Add(time.Second))}}
	if s := convert(t, families{family("x", dto.MetricType_COUNTER, m)}).Timeseries[0].Samples[0]; s.StartTimestamp != 0 {
		t.Errorf("start %d is after %d", s.StartTimestamp, s.Timestamp)
	}
}

func TestNativeExemplars(t *testing.T) {
	h := classicAndNative()
	traces := func() (all []string) {
		req := convert(t, families{family("x", dto.MetricType_HISTOGRAM, &dto.Metric{Histogram: h})}, clientgolang.WithoutClassicBuckets())
		for _, e := range req.Timeseries[0].Exemplars {
			all = append(all, e.Labels.Get("trace_id"))
		}
		return all
	}
	if got := traces(); !slices.Equal(got, []string{"early", "late"}) {
		t.Errorf("own exemplars: %v, want them in order of time and without the one that has none", got)
	}
	h.Exemplars = nil
	if got := traces(); !slices.Equal(got, []string{"b"}) {
		t.Errorf("without own exemplars: %v, want those of the buckets", got)
	}
}

func TestFinerSchemaIsReduced(t *testing.T) {
	h := &dto.Histogram{SampleCount: ptr[uint64](3), Schema: ptr[int32](9), PositiveSpan: spans(1, 2), PositiveDelta: []int64{1, 1}}
	req := convert(t, families{family("x", dto.MetricType_HISTOGRAM, &dto.Metric{Histogram: h})})
	if got := req.Timeseries[0].Histograms[0]; got.Schema != 8 || !slices.Equal(got.PositiveDeltas, []int64{3}) {
		t.Errorf("got schema %d, buckets %v", got.Schema, got.PositiveDeltas)
	}
	if h.GetSchema() != 9 || !slices.Equal(h.PositiveDelta, []int64{1, 1}) {
		t.Error("what the registry gave was changed")
	}
}

func TestExtraLabels(t *testing.T) {
	req := convert(t, families{family("x", dto.MetricType_GAUGE, gauge(1), gauge(2, label("job", "own")))},
		clientgolang.WithLabel("job", "first"), clientgolang.WithLabel("job", "batch"), clientgolang.WithLabel("Zone", "eu"))
	want := "# TYPE x gauge\nx{Zone=\"eu\",job=\"batch\"} 1\nx{Zone=\"eu\",job=\"own\"} 2\n"
	if got := text(req); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
