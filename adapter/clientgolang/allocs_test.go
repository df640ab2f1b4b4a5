//go:build !race

package clientgolang_test

import (
	"context"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/adapter/clientgolang"
)

// mixed gathers a registry of many series of all kinds once.
func mixed(tb testing.TB, series int) families {
	tb.Helper()
	reg := prometheus.NewRegistry()
	counters := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "c_total", Help: "Counts."}, []string{"path", "code"})
	histograms := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "h_seconds", Help: "Times.", Buckets: prometheus.DefBuckets, NativeHistogramBucketFactor: 1.1,
	}, []string{"path"})
	reg.MustRegister(counters, histograms)
	for i := range series / 15 {
		path := string([]byte{'/', byte('a' + i/26/26%26), byte('a' + i/26%26), byte('a' + i%26)})
		counters.WithLabelValues(path, "200").(prometheus.ExemplarAdder).AddWithExemplar(1, prometheus.Labels{"trace_id": path})
		histograms.WithLabelValues(path).Observe(float64(i))
	}
	all, err := reg.Gather()
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

func TestPushAllocatesNothingBeyondGather(t *testing.T) {
	p := clientgolang.NewPusher(mixed(t, 1500), discard{})
	push(t, p)
	if n := testing.AllocsPerRun(20, func() { push(t, p) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestMemoryIsReusedAfterALargerRequest looks for what a larger request may leave behind.
func TestMemoryIsReusedAfterALargerRequest(t *testing.T) {
	large := families{
		family("x", dto.MetricType_HISTOGRAM, &dto.Metric{Histogram: classicAndNative(), Label: []*dto.LabelPair{label("a", "b")}}),
		family("y", dto.MetricType_HISTOGRAM, &dto.Metric{Histogram: classicAndNative()}),
	}
	small := families{family("z", dto.MetricType_GAUGE, gauge(1))}
	c, req := clientgolang.NewConverter(), &promwire.WriteRequest{}
	for _, f := range []families{large, small, large} {
		req.Reset()
		if err := c.AppendFamilies(req, f, t0.UnixMilli()); err != nil {
			t.Fatal(err)
		}
		if got, want := text(req), text(convert(t, f)); got != want {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
	}
}

type discard struct{}

func (discard) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	return req.Stats(), nil
}

// BenchmarkPush shows what a push costs beside gathering: 10,000 series.
func BenchmarkPush(b *testing.B) {
	p := clientgolang.NewPusher(mixed(b, 10_000), discard{})
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Push(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
