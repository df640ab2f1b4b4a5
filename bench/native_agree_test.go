package bench

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

// Native histograms of equal observations are equal in both libraries, bucket by bucket; many observations are bounds,
// where a last bit decides.
func TestNativeHistogramsAgree(t *testing.T) {
	for schema := -4; schema <= 8; schema++ {
		reg := metrics.NewRegistry()
		ours := metrics.Must(reg.Histogram("h", metrics.WithNativeSchema(schema), metrics.WithMaxNativeBuckets(1<<30)))
		peer := prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "h", NativeHistogramBucketFactor: math.Exp2(1.01 * math.Exp2(-float64(schema))), // its logarithms round
		})
		rng := rand.New(rand.NewPCG(1, uint64(schema+4)))
		for range 20_000 {
			v := math.Exp2(float64(rng.IntN(40*256)-20*256) / 256) // a bound of schema 8, within a bit or two
			switch rng.IntN(5) {
			case 0:
				v = math.Nextafter(v, 0)
			case 1:
				v = math.Nextafter(v, math.Inf(1))
			case 2:
				v = -v
			case 3:
				v = rng.NormFloat64()
			}
			ours.Observe(v)
			peer.Observe(v)
		}
		var got promwire.Histogram
		w := writer(func(req *promwire.WriteRequest) { got = req.Timeseries[0].Histograms[0].Clone() })
		if err := metrics.NewPusher(reg, w).Push(t.Context()); err != nil {
			t.Fatal(err)
		}
		var m dto.Metric
		if err := peer.Write(&m); err != nil {
			t.Fatal(err)
		}
		if g, want := ourForm(&got), peerForm(m.GetHistogram()); g != want {
			t.Errorf("schema %d:\ngot  %.300s\nwant %.300s", schema, g, want)
		}
	}
}

type writer func(*promwire.WriteRequest)

func (f writer) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	f(req)
	return req.Stats(), nil
}

func ourForm(h *promwire.Histogram) string {
	return fmt.Sprint(h.Schema, h.ZeroThreshold, h.Count, h.ZeroCount, h.PositiveSpans, h.PositiveDeltas, h.NegativeSpans, h.NegativeDeltas)
}

func peerForm(h *dto.Histogram) string {
	spans := func(in []*dto.BucketSpan) (out []promwire.BucketSpan) {
		for _, s := range in {
			out = append(out, promwire.BucketSpan{Offset: s.GetOffset(), Length: s.GetLength()})
		}
		return out
	}
	return fmt.Sprint(h.GetSchema(), h.GetZeroThreshold(), h.GetSampleCount(), h.GetZeroCount(), spans(h.GetPositiveSpan()), h.GetPositiveDelta(),
		spans(h.GetNegativeSpan()), h.GetNegativeDelta())
}
