package otelexport_test

import (
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/promwire/promwire"
	otelexport "github.com/promwire/promwire/adapter/otel"
)

// TestMemoryIsReusedAfterALargerExport looks for what a larger export may leave behind.
func TestMemoryIsReusedAfterALargerExport(t *testing.T) {
	d := sum(metricdata.CumulativeTemporality)
	d.DataPoints[0].Exemplars = []metricdata.Exemplar[int64]{{Time: t0, TraceID: []byte{1}}}
	large := data(
		named("h", histogram(metricdata.HistogramDataPoint[float64]{Count: 1, Bounds: []float64{1}, BucketCounts: []uint64{1, 0}})),
		named("e", exponentialOf(metricdata.ExponentialHistogramDataPoint[float64]{Count: 3, Scale: 20, PositiveBucket: counts(0, 1, 2)})),
		named("c", d))
	small := data(named("g", gauge(attribute.String("a", "b"), attribute.String("c", "d"))))
	reused, s := setup(otelexport.WithoutStaleMarkers())
	for i, rm := range []*metricdata.ResourceMetrics{large, small, large} {
		fresh, f := setup()
		for _, e := range []*otelexport.Exporter{reused, fresh} {
			if err := e.Export(t.Context(), rm); err != nil {
				t.Fatal(err)
			}
		}
		s.want(t, i+1, string(f.reqs[0].AppendText(nil, promwire.TextOptions{})))
	}
}
