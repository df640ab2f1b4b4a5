package clientgolang_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/adapter/clientgolang"
)

// TestBadMetricIsLeftOut puts each bad metric between two good ones, which go out.
func TestBadMetricIsLeftOut(t *testing.T) {
	histogram := func(h *dto.Histogram) *dto.MetricFamily {
		return family("bad", dto.MetricType_HISTOGRAM, &dto.Metric{Histogram: h})
	}
	for _, c := range []struct {
		name   string
		bad    *dto.MetricFamily
		reason error // nil if it is none of package promwire
		opts   []clientgolang.Option
	}{
		{"no value", family("bad", dto.MetricType_COUNTER, gauge(1)), nil, nil},
		{"nil metric", family("bad", dto.MetricType_GAUGE, nil), nil, nil},
		{"unknown type", family("bad", dto.MetricType(99), gauge(1)), nil, nil},
		{"no name", family("", dto.MetricType_GAUGE, gauge(1)), promwire.ErrNoMetricName, nil},
		{"name is no UTF-8", family("bad\xff", dto.MetricType_GAUGE, gauge(1)), promwire.ErrInvalidUTF8, nil},
		{"value is no UTF-8", family("bad", dto.MetricType_GAUGE, gauge(1, label("a", "\xff"))), promwire.ErrInvalidUTF8, nil},
		{"no label name", family("bad", dto.MetricType_GAUGE, gauge(1, label("", "v"))), promwire.ErrEmptyLabelName, nil},
		{"repeated label", family("bad", dto.MetricType_GAUGE, gauge(1, label("a", "1"), label("a", "2"))), promwire.ErrDuplicateLabel, nil},
		{"name as label", family("bad", dto.MetricType_GAUGE, gauge(1, label("__name__", "other"))), promwire.ErrDuplicateLabel, nil},
		{"UTF-8 name", family("bad.name", dto.MetricType_GAUGE, gauge(1)), promwire.ErrInvalidName, []clientgolang.Option{clientgolang.WithLegacyNames()}},
		{"le as label", family("bad", dto.MetricType_HISTOGRAM, &dto.Metric{
			Label: []*dto.LabelPair{label("le", "1")}, Histogram: &dto.Histogram{Bucket: []*dto.Bucket{bucket(1, 0, nil)}},
		}), promwire.ErrDuplicateLabel, nil},
		{"bounds go down", histogram(&dto.Histogram{Bucket: []*dto.Bucket{bucket(2, 0, nil), bucket(1, 0, nil)}}), promwire.ErrInvalidHistogram, nil},
		{"bound is NaN", histogram(&dto.Histogram{Bucket: []*dto.Bucket{bucket(math.NaN(), 0, nil)}}), promwire.ErrInvalidHistogram, nil},
		{"classic part is good, native is not", histogram(&dto.Histogram{
			SampleCount: ptr[uint64](5), PositiveSpan: spans(0, 2), PositiveDelta: []int64{1}, Bucket: []*dto.Bucket{bucket(1, 5, nil)},
		}), promwire.ErrInvalidHistogram, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := families{family("a", dto.MetricType_GAUGE, gauge(1)), c.bad, nil, family("z", dto.MetricType_GAUGE, gauge(2))}
			p, s, _ := setup(g, c.opts...)
			err := p.Push(t.Context())
			var incomplete *clientgolang.IncompleteError
			if !errors.As(err, &incomplete) || incomplete.Skipped != 1 || incomplete.Gather != nil {
				t.Fatalf("got error %v", err)
			}
			if c.reason != nil && !errors.Is(err, c.reason) {
				t.Errorf("error %v is not %v", err, c.reason)
			}
			s.want(t, 1, "# TYPE a gauge\na 1\n# TYPE z gauge\nz 2\n")
		})
	}
}

func TestBadExemplarCostsTheSeriesNothing(t *testing.T) {
	e := exemplar("a", 1, t0)
	e.Label = append(e.Label, label("trace_id", "b"))
	m := &dto.Metric{Counter: &dto.Counter{Value: ptr(1.0), Exemplar: e}}
	p, s, _ := setup(families{family("x", dto.MetricType_COUNTER, m)})
	if err := p.Push(t.Context()); !errors.Is(err, promwire.ErrDuplicateLabel) {
		t.Errorf("got error %v", err)
	}
	s.want(t, 1, "# TYPE x counter\nx 1\n")
}

func TestRepeatedSeriesIsSentOnce(t *testing.T) {
	first, second, later := gauge(1), gauge(2), gauge(3)
	later.TimestampMs = ptr(t0.UnixMilli() + 1)
	p, s, _ := setup(families{family("x", dto.MetricType_GAUGE, first, second, later)})
	err := p.Push(t.Context())
	if err == nil || !strings.Contains(err.Error(), "x: series is repeated") {
		t.Errorf("got error %v", err)
	}
	s.want(t, 1, "# TYPE x gauge\nx 1\nx 3\n")
}

func TestManyBadMetricsAreCountedNotNamed(t *testing.T) {
	f := family("x", dto.MetricType_COUNTER, make([]*dto.Metric, 1000)...)
	err := clientgolang.AppendRequest(&promwire.WriteRequest{}, families{f})
	var incomplete *clientgolang.IncompleteError
	if !errors.As(err, &incomplete) || incomplete.Skipped != 1000 || len(incomplete.Reasons) != 10 {
		t.Fatalf("got %v", err)
	}
	if got := err.Error(); !strings.HasSuffix(got, "; and 990 more") || !strings.HasPrefix(got, "clientgolang: 1000 metrics left out; x: value is missing") {
		t.Error(got)
	}
}

// TestFailingCollectorLeavesTheRest registers a collector that fails beside one that works.
func TestFailingCollectorLeavesTheRest(t *testing.T) {
	reg, broken := prometheus.NewRegistry(), errors.New("disk is gone")
	good := prometheus.NewGauge(prometheus.GaugeOpts{Name: "good", Help: "Works."})
	fails := false
	reg.MustRegister(good, prometheus.CollectorFunc(func(ch chan<- prometheus.Metric) {
		desc := prometheus.NewDesc("flaky", "Fails at times.", nil, nil)
		if fails {
			ch <- prometheus.NewInvalidMetric(desc, broken)
		} else {
			ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, 1)
		}
	}))
	p, s, _ := setup(reg)
	push(t, p)
	s.want(t, 1, "# TYPE flaky gauge\nflaky 1\n# TYPE good gauge\ngood 0\n")
	fails = true
	err := p.Push(t.Context())
	var incomplete *clientgolang.IncompleteError
	if !errors.As(err, &incomplete) || incomplete.Gather == nil || !strings.Contains(err.Error(), "disk is gone") {
		t.Errorf("got error %v", err)
	}
	s.want(t, 2, "# TYPE good gauge\ngood 0\n") // no stale marker: the series may be there
	fails = false
	push(t, p)
	s.want(t, 3, "# TYPE flaky gauge\nflaky 1\n# TYPE good gauge\ngood 0\n")
}
