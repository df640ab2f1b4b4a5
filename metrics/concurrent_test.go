package metrics_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

// Recording, making series and pushing at once: no recording is lost, and no series ever contradicts itself.
func TestConcurrentRecordingAndPushing(t *testing.T) {
	const workers, rounds = 4, 500
	reg := metrics.NewRegistry()
	check := &monotonic{newest: map[string]promwire.Sample{}}
	p := metrics.NewPusher(reg, writerFunc(check.write))
	hits := metrics.Must(reg.CounterVec("hits", []string{"worker"}))
	all := metrics.Must(reg.Counter("all"))
	took := metrics.Must(reg.Histogram("took", metrics.WithBounds(1, 2)))
	depth := metrics.Must(reg.Gauge("depth"))

	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for i := range rounds {
				hits.With(fmt.Sprint(worker)).Inc()
				all.Add(0.5)
				depth.Add(1)
				took.Observe(float64(i % 3))
				if took.ObserveAt(1, time.Now().Add(time.Hour)) != nil { // refused once a push was faster
					took.Observe(1)
				}
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			for range 50 {
				if err := p.Push(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	push(t, p)
	for series, want := range map[string]float64{
		`hits_total{worker="0"}`: rounds, "all_total": workers * rounds / 2, "depth": workers * rounds,
		"took_count": 2 * workers * rounds, `took_bucket{le="+Inf"}`: 2 * workers * rounds,
	} {
		if got := check.newest[series].Value; got != want {
			t.Errorf("%s: got %v, want %v", series, got, want)
		}
	}
	if check.wrong != "" {
		t.Error(check.wrong)
	}
}

// monotonic checks that series move ahead in time, and counters never go down.
type monotonic struct {
	newest map[string]promwire.Sample
	wrong  string
}

func (m *monotonic) write(req *promwire.WriteRequest) error {
	for _, ts := range req.Timeseries {
		series := ts.Labels.String()
		for _, s := range ts.Samples {
			last, known := m.newest[series]
			if known && (s.Timestamp <= last.Timestamp || s.StartTimestamp != last.StartTimestamp ||
				s.Value < last.Value && ts.Metadata.Type != promwire.TypeGauge) {
				m.wrong = fmt.Sprintf("%s: %+v after %+v", series, s, last)
			}
			m.newest[series] = s
		}
	}
	return nil
}
