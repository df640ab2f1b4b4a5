package bench

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"testing"

	vm "github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

// The registries of BenchmarkPush: 10,000 series on the wire, of which each histogram makes 14.
const (
	pushedCounters   = 2200
	pushedGauges     = 2200
	pushedHistograms = 400
)

// BenchmarkPush compares a push of 10,000 series that all changed, encoded as Remote Write 2.0, with gathering and
// text encoding of the same series by client_golang, which is what a scrape or a push to a Pushgateway takes, and with the text
// encoding of VictoriaMetrics' instruments.
func BenchmarkPush(b *testing.B) {
	for _, impl := range []struct {
		name string
		make func(testing.TB) func() []byte
	}{{"promwire", pushPromwire}, {"client_golang", gatherPeer}, {"victoriametrics", writeVictoria}} {
		b.Run("work=10k/impl="+impl.name, func(b *testing.B) {
			op := impl.make(b)
			measure(b, func() { op() })
			b.ReportMetric(float64(len(op())), "body-bytes")
		})
	}
}

// encoding is a Writer that encodes requests.
type encoding struct{ message []byte }

func (e *encoding) Write(_ context.Context, req *promwire.WriteRequest) (_ promwire.WriteStats, err error) {
	e.message, err = req.AppendProto(e.message[:0], promwire.WriteV2)
	return req.Stats(), err
}

func pushPromwire(tb testing.TB) func() []byte {
	reg := metrics.NewRegistry()
	counters := metrics.Must(reg.CounterVec("c_total", []string{"id"}))
	gauges := metrics.Must(reg.GaugeVec("g", []string{"id"}))
	histograms := metrics.Must(reg.HistogramVec("h", []string{"id"}))
	var record []func()
	for i := range pushedCounters {
		record = append(record, counters.With(strconv.Itoa(i)).Inc)
	}
	for i := range pushedGauges {
		g := gauges.With(strconv.Itoa(i))
		record = append(record, func() { g.Set(3) })
	}
	for i := range pushedHistograms {
		h := histograms.With(strconv.Itoa(i))
		record = append(record, func() { h.Observe(0.3) })
	}
	w := &encoding{}
	pusher := metrics.NewPusher(reg, w)
	return func() []byte {
		for _, f := range record {
			f()
		}
		if err := pusher.Push(tb.Context()); err != nil {
			tb.Fatal(err)
		}
		return w.message
	}
}

func gatherPeer(tb testing.TB) func() []byte {
	reg := prometheus.NewRegistry()
	counters := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "c_total"}, []string{"id"})
	gauges := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "g"}, []string{"id"})
	histograms := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "h"}, []string{"id"})
	reg.MustRegister(counters, gauges, histograms)
	var record []func()
	for i := range pushedCounters {
		record = append(record, counters.WithLabelValues(strconv.Itoa(i)).Inc)
	}
	for i := range pushedGauges {
		g := gauges.WithLabelValues(strconv.Itoa(i))
		record = append(record, func() { g.Set(3) })
	}
	for i := range pushedHistograms {
		h := histograms.WithLabelValues(strconv.Itoa(i))
		record = append(record, func() { h.Observe(0.3) })
	}
	var text bytes.Buffer
	return func() []byte {
		for _, f := range record {
			f()
		}
		families, err := reg.Gather()
		if err != nil {
			tb.Fatal(err)
		}
		text.Reset()
		encoder := expfmt.NewEncoder(&text, expfmt.NewFormat(expfmt.TypeTextPlain))
		for _, f := range families {
			if err := encoder.Encode(f); err != nil {
				tb.Fatal(err)
			}
		}
		return text.Bytes()
	}
}

func writeVictoria(testing.TB) func() []byte {
	set := vm.NewSet()
	var record []func()
	for i := range pushedCounters {
		record = append(record, set.NewCounter(fmt.Sprintf("c_total{id=%q}", strconv.Itoa(i))).Inc)
	}
	for i := range pushedGauges {
		g := set.NewGauge(fmt.Sprintf("g{id=%q}", strconv.Itoa(i)), nil)
		record = append(record, func() { g.Set(3) })
	}
	for i := range pushedHistograms {
		h := set.NewPrometheusHistogram(fmt.Sprintf("h{id=%q}", strconv.Itoa(i)))
		record = append(record, func() { h.Update(0.3) })
	}
	var text bytes.Buffer
	return func() []byte {
		for _, f := range record {
			f()
		}
		text.Reset()
		set.WritePrometheus(&text)
		return text.Bytes()
	}
}
