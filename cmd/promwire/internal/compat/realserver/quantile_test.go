package realserver

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/promwire/promwire/metrics"
)

// twin is a histogram of the SDK, and one of client_golang with the same buckets.
type twin struct {
	name   string
	native bool
	opts   []metrics.HistogramOption
	peer   prometheus.HistogramOpts
}

var twins = []twin{
	{name: "classic", peer: prometheus.HistogramOpts{}},
	{
		name: "custom", opts: []metrics.HistogramOption{metrics.WithBounds(-2, -0.1, 0, 0.3, 1, 4)},
		peer: prometheus.HistogramOpts{Buckets: []float64{-2, -0.1, 0, 0.3, 1, 4}},
	},
	{ // client_golang has no limit unless it is told one
		name: "native", native: true, opts: []metrics.HistogramOption{metrics.WithNativeGrowth(1.1), metrics.WithMaxNativeBuckets(1000)},
		peer: prometheus.HistogramOpts{NativeHistogramBucketFactor: 1.1},
	},
	{
		name: "both", native: true, opts: []metrics.HistogramOption{metrics.WithNativeGrowth(1.5), metrics.WithBounds(1, 2)},
		peer: prometheus.HistogramOpts{NativeHistogramBucketFactor: 1.5, Buckets: []float64{1, 2}},
	},
	{
		name: "coarse", native: true, opts: []metrics.HistogramOption{metrics.WithNativeGrowth(2)},
		peer: prometheus.HistogramOpts{NativeHistogramBucketFactor: 2},
	},
}

// TestQuantilesPushedAndScraped has the SDK and client_golang observe the same values, pushes the one and has a server scrape
// the other: histogram_quantile() is the same, of what was counted in all and of its rate.
func TestQuantilesPushedAndScraped(t *testing.T) {
	each(t, func(t *testing.T, p program) {
		pushed, scraped := metrics.NewRegistry(metrics.WithConstLabel("job", "pushed")), prometheus.NewRegistry()
		var observe []func(float64)
		for _, tw := range twins {
			tw.peer.Name = tw.name
			peer := prometheus.NewHistogram(tw.peer)
			scraped.MustRegister(peer)
			observe = append(observe, metrics.Must(pushed.Histogram(tw.name, tw.opts...)).Observe, peer.Observe)
		}
		// The same values again, but fewer: where the first ones are at least as many in each bucket, rate() extrapolates
		// all buckets alike.
		record := func(times int) {
			r := rand.New(rand.NewPCG(1, 2))
			for range 2003 { // a number of which no quantile is a whole one, where rounding would choose between two buckets
				v := math.Exp(2*r.NormFloat64()) / 5
				if r.IntN(5) == 0 {
					v = -v
				}
				for _, o := range observe {
					for range times {
						o(v)
					}
				}
			}
		}
		record(3)
		target := httptest.NewServer(promhttp.HandlerFor(scraped, promhttp.HandlerOpts{EnableOpenMetrics: true}))
		defer target.Close()
		s := start(t, p, registryConfig(p, strings.TrimPrefix(target.URL, "http://")), p.features()...)
		pusher := metrics.NewPusher(pushed, writeClient(t, s.writeURL()))
		for _, total := range []float64{6009, 8012} {
			if err := pusher.Push(t.Context()); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "scrape", func() bool {
				got := s.query(t, `classic_count{job="scraped"}`, time.Now().UnixMilli())
				return len(got) == 1 && got[0].Samples[0].Value == total
			})
			compareQuantiles(t, s, "")
			if total == 6009 {
				record(1)
			}
		}
		compareQuantiles(t, s, "rate")
	})
}

func compareQuantiles(t *testing.T, s *instance, function string) {
	t.Helper()
	now := time.Now().UnixMilli()
	for _, tw := range twins {
		for _, q := range []float64{0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1} {
			selector, by := tw.name+"_bucket", "job, le"
			if tw.native {
				selector, by = tw.name, "job"
			}
			if function != "" {
				selector = function + "(" + selector + "[5m])"
			}
			expr := fmt.Sprintf("histogram_quantile(%v, sum by (%s) (%s))", q, by, selector)
			got := s.query(t, expr, now)
			jobs := []string{}
			for _, x := range got {
				jobs = append(jobs, x.Labels.Get("job"))
			}
			if !slices.Equal(jobs, []string{"pushed", "scraped"}) {
				t.Fatalf("%s: jobs %q", expr, jobs)
			}
			a, b := got[0].Samples[0].Value, got[1].Samples[0].Value
			if a != b && !(math.Abs(a-b) <= 1e-12*math.Abs(b)) {
				t.Errorf("%s: %v of what was pushed, %v of what was scraped", expr, a, b)
			}
			t.Logf("%s = %v", expr, a)
		}
	}
}
