package otelexport_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/promwire/promwire"
	otelexport "github.com/promwire/promwire/adapter/otel"
	"github.com/promwire/promwire/snapshot"
)

func sum(t metricdata.Temporality) metricdata.Sum[int64] {
	return metricdata.Sum[int64]{Temporality: t, IsMonotonic: true, DataPoints: []metricdata.DataPoint[int64]{{Time: t0, Value: 5}}}
}

func histogram(p metricdata.HistogramDataPoint[float64]) metricdata.Histogram[float64] {
	p.Time = t0
	return metricdata.Histogram[float64]{Temporality: metricdata.CumulativeTemporality, DataPoints: []metricdata.HistogramDataPoint[float64]{p}}
}

func exponentialOf(p metricdata.ExponentialHistogramDataPoint[float64]) metricdata.ExponentialHistogram[float64] {
	p.Time = t0
	return metricdata.ExponentialHistogram[float64]{
		Temporality: metricdata.CumulativeTemporality, DataPoints: []metricdata.ExponentialHistogramDataPoint[float64]{p},
	}
}

func counts(offset int32, n ...uint64) metricdata.ExponentialBucket {
	return metricdata.ExponentialBucket{Offset: offset, Counts: n}
}

// TestBadDataAreLeftOut puts bad data between good ones, which go out.
func TestBadDataAreLeftOut(t *testing.T) {
	for _, c := range []struct {
		name   string
		bad    metricdata.Metrics
		reason error // nil if the translator's
	}{
		{"no data", named("bad", nil), otelexport.ErrData},
		{"delta sum", named("bad", sum(metricdata.DeltaTemporality)), otelexport.ErrTemporality},
		{"delta histogram", named("bad", metricdata.Histogram[int64]{Temporality: metricdata.DeltaTemporality}), otelexport.ErrTemporality},
		{"delta exponential histogram", named("bad", metricdata.ExponentialHistogram[int64]{Temporality: metricdata.DeltaTemporality}), otelexport.ErrTemporality},
		{"no name", named("", gauge()), nil},
		{"name without a letter", named("..", gauge()), nil},
		{"no attribute key", named("bad", gauge(attribute.String("", "v"))), nil},
		{"le as attribute", named("bad", histogram(metricdata.HistogramDataPoint[float64]{Attributes: attribute.NewSet(attribute.Int("le", 1))})), promwire.ErrDuplicateLabel},
		{"buckets without bounds", named("bad", histogram(metricdata.HistogramDataPoint[float64]{BucketCounts: []uint64{1, 2}})), promwire.ErrInvalidHistogram},
		{"bounds go down", named("bad", histogram(metricdata.HistogramDataPoint[float64]{BucketCounts: []uint64{1, 2, 3}, Bounds: []float64{2, 1}})), promwire.ErrInvalidHistogram},
		{"scale too low", named("bad", exponentialOf(metricdata.ExponentialHistogramDataPoint[float64]{Scale: -5})), promwire.ErrInvalidHistogram},
		{"scale that means custom buckets", named("bad", exponentialOf(metricdata.ExponentialHistogramDataPoint[float64]{Scale: -53})), promwire.ErrInvalidHistogram},
		{"scale too high", named("bad", exponentialOf(metricdata.ExponentialHistogramDataPoint[float64]{Scale: 53})), promwire.ErrInvalidHistogram},
		{"count is wrong", named("bad", exponentialOf(metricdata.ExponentialHistogramDataPoint[float64]{Count: 3, PositiveBucket: counts(0, 1)})), promwire.ErrInvalidHistogram},
		{"offset too large", named("bad", exponentialOf(metricdata.ExponentialHistogramDataPoint[float64]{Count: 1, PositiveBucket: counts(math.MaxInt32, 1)})), promwire.ErrInvalidHistogram},
		{"count too large", named("bad", exponentialOf(metricdata.ExponentialHistogramDataPoint[float64]{NegativeBucket: counts(0, math.MaxUint64)})), promwire.ErrInvalidHistogram},
		{"repeated", named("a", gauge()), snapshot.ErrRepeated},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, s := setup()
			err := e.Export(t.Context(), data(named("a", gauge()), c.bad, named("z", gauge())))
			var incomplete *otelexport.IncompleteError
			if !errors.As(err, &incomplete) || incomplete.Skipped != 1 || len(incomplete.Reasons) != 1 {
				t.Fatalf("got error %v", err)
			}
			if c.reason != nil && !errors.Is(err, c.reason) {
				t.Errorf("error %v is not %v", err, c.reason)
			}
			s.want(t, 1, "# TYPE a gauge\na 1\n# TYPE z gauge\nz 1\n")
		})
	}
}

func TestManyBadDataAreCountedNotNamed(t *testing.T) {
	e, _ := setup()
	err := e.Export(t.Context(), data(make([]metricdata.Metrics, 1000)...))
	if err == nil || !strings.HasPrefix(err.Error(), "otelexport: 1000 left out; ") || !strings.HasSuffix(err.Error(), "; and 990 more") {
		t.Error(err)
	}
}

func TestValuesThatAreMended(t *testing.T) {
	e, s := setup()
	m := named("g", gauge(attribute.String("a", "\xff"), attribute.String("__name__", "other"), attribute.String("empty", "")))
	m.Data.(metricdata.Gauge[float64]).DataPoints[0].Time = time.Time{}
	if err := e.Export(t.Context(), data(m)); err != nil {
		t.Fatal(err)
	}
	s.want(t, 1, "# TYPE g gauge\ng{a=\"\uFFFD\"} 1\n")
	if at := s.reqs[0].Timeseries[0].Samples[0].Timestamp; at != t0.UnixMilli() {
		t.Errorf("time %d", at)
	}
}

func TestSummaryAndEdgesOfHistograms(t *testing.T) {
	for _, c := range []struct {
		name string
		data metricdata.Aggregation
		want string
	}{
		{"summary", metricdata.Summary{DataPoints: []metricdata.SummaryDataPoint{{
			Time: t0, Count: 2, Sum: 5, QuantileValues: []metricdata.QuantileValue{{Quantile: 0.5, Value: 2}},
		}}}, "# TYPE x summary\nx{quantile=\"0.5\"} 2\nx_count 2\nx_sum 5\n"},
		{
			"no buckets", histogram(metricdata.HistogramDataPoint[float64]{Count: 2, Sum: 3}),
			"# TYPE x histogram\nx_bucket{le=\"+Inf\"} 2\nx_count 2\nx_sum 3\n",
		},
		{
			"infinite bound", histogram(metricdata.HistogramDataPoint[float64]{Count: 2, Bounds: []float64{1, math.Inf(1)}, BucketCounts: []uint64{1, 1, 0}}),
			"# TYPE x histogram\nx_bucket{le=\"1\"} 1\nx_bucket{le=\"+Inf\"} 2\nx_count 2\nx_sum 0\n",
		},
		{"gaps", exponentialOf(metricdata.ExponentialHistogramDataPoint[float64]{
			Count: 10, ZeroThreshold: 0.25, PositiveBucket: counts(-1, 0, 1, 0, 0, 2, 0, 0, 0, 3, 0), NegativeBucket: counts(2, 4),
		}), "# TYPE x histogram\nx {count:10, sum:0, [-8,-4):4, (1,2]:1, (8,16]:2, (128,256]:3}\n"},
		{
			"scale is reduced", exponentialOf(metricdata.ExponentialHistogramDataPoint[float64]{Count: 3, Scale: 20, PositiveBucket: counts(0, 1, 2)}),
			"# TYPE x histogram\nx {count:3, sum:0, (1,1.0027112750502025]:3}\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, s := setup()
			if err := e.Export(t.Context(), data(named("x", c.data))); err != nil {
				t.Fatal(err)
			}
			s.want(t, 1, c.want)
		})
	}
}

func TestLayoutOfBuckets(t *testing.T) {
	e, s := setup()
	p := metricdata.ExponentialHistogramDataPoint[float64]{Count: 6, PositiveBucket: counts(-1, 0, 1, 0, 0, 2, 0, 0, 0, 3, 0)}
	if err := e.Export(t.Context(), data(named("x", exponentialOf(p)))); err != nil {
		t.Fatal(err)
	}
	h := s.reqs[0].Timeseries[0].Histograms[0]
	if want := []promwire.BucketSpan{{Offset: 1, Length: 4}, {Offset: 3, Length: 1}}; !slices.Equal(h.PositiveSpans, want) {
		t.Errorf("spans %v, want %v", h.PositiveSpans, want)
	}
	if want := []int64{1, -1, 0, 2, 1}; !slices.Equal(h.PositiveDeltas, want) {
		t.Errorf("deltas %v, want %v", h.PositiveDeltas, want)
	}
}

func TestLongExemplarKeepsItsSpanOnly(t *testing.T) {
	e, s := setup()
	d := sum(metricdata.CumulativeTemporality)
	d.DataPoints[0].Exemplars = []metricdata.Exemplar[int64]{
		{Time: t0, Value: 2, TraceID: []byte{1}, FilteredAttributes: []attribute.KeyValue{attribute.String("trace.id", "x"), attribute.String("long", strings.Repeat("x", 120))}},
		{Time: t0.Add(-time.Second), Value: 1, FilteredAttributes: []attribute.KeyValue{attribute.String("b", "2"), attribute.Int("a", 1)}},
	}
	if err := e.Export(t.Context(), data(named("c", d))); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range s.reqs[0].Timeseries[0].Exemplars {
		got = append(got, x.Labels.String())
	}
	if want := []string{`{a="1",b="2"}`, `{trace_id="01"}`}; !slices.Equal(got, want) {
		t.Errorf("exemplars %v, want %v", got, want)
	}
}
