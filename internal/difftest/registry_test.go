package difftest

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/adapter/clientgolang"
)

// scraped is a series as Prometheus reads it from a registry.
type scraped struct {
	promwire.TimeSeries
	integer *histogram.Histogram
	float   *histogram.FloatHistogram
}

// scrape reads families as Prometheus does that scrapes over protobuf at now.
func scrape(t *testing.T, families []*dto.MetricFamily, now int64) map[string]*scraped {
	t.Helper()
	format := expfmt.NewFormat(expfmt.TypeProtoDelim).WithEscapingScheme(model.NoEscaping)
	var body bytes.Buffer
	encoder := expfmt.NewEncoder(&body, format)
	for _, f := range families {
		if err := encoder.Encode(f); err != nil {
			t.Fatal(err)
		}
	}
	p, err := textparse.New(body.Bytes(), string(format), labels.NewSymbolTable(),
		textparse.ParserOptions{KeepClassicOnClassicAndNativeHistograms: true})
	if err != nil {
		t.Fatal(err)
	}
	all, meta := map[string]*scraped{}, promwire.Metadata{}
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		switch entry {
		case textparse.EntryHelp:
			_, help := p.Help()
			meta = promwire.Metadata{Help: string(help)}
		case textparse.EntryType:
			_, kind := p.Type()
			meta.Type = metricTypes[string(kind)]
		case textparse.EntryUnit:
			_, unit := p.Unit()
			meta.Unit = string(unit)
		case textparse.EntrySeries, textparse.EntryHistogram:
			s := parsed(p, entry, now)
			s.Metadata = meta
			all[s.Labels.String()] = s
		}
	}
}

var metricTypes = map[string]promwire.MetricType{
	"unknown": promwire.TypeUnknown, "counter": promwire.TypeCounter, "gauge": promwire.TypeGauge, "summary": promwire.TypeSummary,
	"histogram": promwire.TypeHistogram, "gaugehistogram": promwire.TypeGaugeHistogram,
}

// parsed returns the series at which p stands.
func parsed(p textparse.Parser, entry textparse.Entry, now int64) *scraped {
	s := &scraped{}
	var own *int64
	var v float64
	if entry == textparse.EntryHistogram {
		_, own, s.integer, s.float = p.Histogram()
	} else {
		_, own, v = p.Series()
	}
	if own != nil {
		now = *own
	}
	var ls labels.Labels
	p.Labels(&ls)
	ls.Range(func(l labels.Label) { s.Labels = append(s.Labels, promwire.Label(l)) })
	s.Labels = s.Labels.Normalize()
	if entry == textparse.EntryHistogram {
		s.Histograms = []promwire.Histogram{{Timestamp: now, StartTimestamp: p.StartTimestamp()}}
	} else {
		s.Samples = []promwire.Sample{{Timestamp: now, StartTimestamp: p.StartTimestamp(), Value: v}}
	}
	for e := (exemplar.Exemplar{}); p.Exemplar(&e); e = (exemplar.Exemplar{}) {
		if !e.HasTs {
			e.Ts = now
		}
		out := promwire.Exemplar{Value: e.Value, Timestamp: e.Ts}
		e.Labels.Range(func(l labels.Label) { out.Labels = append(out.Labels, promwire.Label(l)) })
		s.Exemplars = append(s.Exemplars, out)
	}
	slices.SortStableFunc(s.Exemplars, func(a, b promwire.Exemplar) int { return int(a.Timestamp - b.Timestamp) })
	return s
}

// everyKind registers each kind of metric that client_golang has, and the collectors that most programs use.
func everyKind() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(collectors.MetricsAll)))
	reg.MustRegister(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	traced := prometheus.Labels{"trace_id": "t1", "span_id": "s1"}
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "c_total", Help: "A \\ counter\nof two lines.", Unit: "apples"}, []string{"z", "Path"})
	counter.WithLabelValues("", "/\"\\\n").(prometheus.ExemplarAdder).AddWithExemplar(3.5, traced)
	counter.WithLabelValues("z", "ü").Add(1e20)
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "g", ConstLabels: prometheus.Labels{"job": "own"}})
	gauge.Set(math.Inf(-1))
	utf8 := prometheus.NewGauge(prometheus.GaugeOpts{Name: "with.dots", ConstLabels: prometheus.Labels{"a.b": "c"}})
	utf8.Set(math.Copysign(0, -1))
	untyped := prometheus.NewUntypedFunc(prometheus.UntypedOpts{Name: "u", Help: "Untyped."}, math.NaN)
	summary := prometheus.NewSummary(prometheus.SummaryOpts{Name: "s", Objectives: map[float64]float64{0: 0, 0.5: 0.05, 0.99: 0.001, 1: 0}})
	empty := prometheus.NewSummary(prometheus.SummaryOpts{Name: "s_empty"})
	classic := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h_classic", Buckets: []float64{-1, 0, 0.005, 1, 2.5, 1e6, 1e21}})
	native := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "h_native", NativeHistogramBucketFactor: 1.1, NativeHistogramMaxExemplars: 5,
	})
	both := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "h_both", Buckets: prometheus.DefBuckets, NativeHistogramBucketFactor: 2, NativeHistogramZeroThreshold: 0.5,
	})
	noObservation := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h_none", NativeHistogramBucketFactor: 1.1, NativeHistogramZeroThreshold: prometheus.NativeHistogramZeroThresholdZero})
	for i, v := range []float64{0.001, 0.3, 0.31, 1, 2.5, 7, 100, 1e7, -3, -0.4, 0} {
		for _, o := range []prometheus.Observer{classic, native, both} {
			if i%4 == 0 {
				o.(prometheus.ExemplarObserver).ObserveWithExemplar(v, traced)
			} else {
				o.Observe(v)
			}
		}
		summary.Observe(v)
	}
	constant := prometheus.NewDesc("const", "With a time.", []string{"l"}, nil)
	reg.MustRegister(counter, gauge, utf8, untyped, summary, empty, classic, native, both, noObservation, prometheus.CollectorFunc(func(ch chan<- prometheus.Metric) {
		ch <- prometheus.NewMetricWithTimestamp(time.UnixMilli(1_600_000_000_123), prometheus.MustNewConstMetric(constant, prometheus.CounterValue, 4, "v"))
	}))
	return reg
}

// rare are the families that client_golang's instruments don't make.
func rare() []*dto.MetricFamily {
	ptr := func(v float64) *float64 { return &v }
	one, two := uint32(1), int32(2)
	kind, schema := dto.MetricType_GAUGE_HISTOGRAM, int32(3)
	family := func(name string, h *dto.Histogram) *dto.MetricFamily {
		return &dto.MetricFamily{Name: &name, Type: &kind, Metric: []*dto.Metric{{Histogram: h}}}
	}
	return []*dto.MetricFamily{
		family("gauge_histogram_float", &dto.Histogram{
			SampleCountFloat: ptr(2.5), ZeroCountFloat: ptr(0.5), SampleSum: ptr(-1), Schema: &schema, ZeroThreshold: ptr(0.1),
			PositiveSpan: []*dto.BucketSpan{{Offset: &two, Length: &one}, {Offset: &two, Length: &one}}, PositiveCount: []float64{1, 1},
			Bucket: []*dto.Bucket{{UpperBound: ptr(1), CumulativeCountFloat: ptr(1.5)}, {UpperBound: ptr(math.Inf(1)), CumulativeCountFloat: ptr(2.5)}},
		}),
		family("gauge_histogram_classic", &dto.Histogram{SampleCountFloat: ptr(2.5), Bucket: []*dto.Bucket{{UpperBound: ptr(1), CumulativeCountFloat: ptr(1.5)}}}),
	}
}

// TestRegistryAsScraped compares what the adapter sends of a registry with what Prometheus reads in a scrape of it.
func TestRegistryAsScraped(t *testing.T) {
	families, err := everyKind().Gather()
	if err != nil {
		t.Fatal(err)
	}
	families = append(families, rare()...)
	now := time.Now().UnixMilli()
	want := scrape(t, families, now)
	req := &promwire.WriteRequest{}
	if err := clientgolang.NewConverter().AppendFamilies(req, families, now); err != nil {
		t.Fatal(err)
	}
	if len(req.Timeseries) != len(want) || len(want) < 150 {
		t.Errorf("%d series, the scrape has %d", len(req.Timeseries), len(want))
	}
	for i := range req.Timeseries {
		ts := &req.Timeseries[i]
		s := want[ts.Labels.String()]
		if s == nil {
			t.Errorf("%s is not in the scrape", ts.Labels)
			continue
		}
		compareScraped(t, ts, s)
	}
}

func compareScraped(t *testing.T, ts *promwire.TimeSeries, s *scraped) {
	t.Helper()
	for i := range ts.Histograms {
		h := &ts.Histograms[i]
		switch {
		case h.IsFloat:
			if got := toFloat(h); s.float == nil || !got.Compact(0).Equals(s.float) {
				t.Errorf("%s: got %v, want %v", ts.Labels, got, s.float)
			}
		default:
			if got := toInt(h); s.integer == nil || !got.Compact(0).Equals(s.integer) {
				t.Errorf("%s: got %v, want %v", ts.Labels, got, s.integer)
			}
		}
		if want := s.integer; want != nil && h.ResetHint != promwire.ResetHint(want.CounterResetHint) {
			t.Errorf("%s: reset hint %d, want %d", ts.Labels, h.ResetHint, want.CounterResetHint)
		}
		*h = promwire.Histogram{Timestamp: h.Timestamp, StartTimestamp: h.StartTimestamp}
	}
	if diff := diffTimeSeries(ts, &s.TimeSeries); diff != "" {
		t.Errorf("%s: %s", ts.Labels, strings.TrimSpace(diff))
	}
}
