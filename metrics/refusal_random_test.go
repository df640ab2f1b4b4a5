package metrics_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

// moody is a receiver that refuses series at random, and says so in one of the ways that there are. It keeps the newest
// values of what it stores.
type moody struct {
	random *rand.Rand
	calm   bool
	stored map[string]float64
}

func (m *moody) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	var refused []promwire.Refusal
	for i, ts := range req.Timeseries {
		if !m.calm && m.random.IntN(3) == 0 {
			refused = append(refused, promwire.Refusal{Series: i, Timestamp: ts.Samples[0].Timestamp, Reason: promwire.ErrOutOfOrder})
			continue
		}
		m.stored[ts.Labels.String()] = ts.Samples[len(ts.Samples)-1].Value
	}
	if len(refused) == 0 {
		return req.Stats(), nil
	}
	return promwire.WriteStats{}, []error{
		&promwire.PartialWriteError{Refused: refused},
		&promwire.PartialWriteError{Err: &promwire.HTTPError{StatusCode: 400}},
		&promwire.HTTPError{StatusCode: 400},
	}[m.random.IntN(3)]
}

// What was counted arrives though its samples were refused, without anything being recorded afterwards.
func TestRefusedValuesArrive(t *testing.T) {
	for seed := range uint64(50) {
		m := &moody{random: rand.New(rand.NewPCG(seed, 0)), stored: map[string]float64{}}
		c := &clock{t0}
		reg := metrics.NewRegistry(metrics.WithClock(c.Now))
		p := metrics.NewPusher(reg, m, metrics.WithMaxSamples(5))
		hits := metrics.Must(reg.CounterVec("hits", []string{"n"}))
		took := metrics.Must(reg.Histogram("took", metrics.WithBounds(1)))
		want := map[string]float64{}
		for range 40 {
			n := m.random.IntN(6)
			hits.With(fmt.Sprint(n)).Inc()
			want[fmt.Sprintf("hits_total{n=\"%d\"}", n)]++
			took.Observe(0.5)
			want["took_count"]++
			c.advance(time.Second)
			_ = p.Push(t.Context()) // refusals are what the test is about
		}
		m.calm = true
		c.advance(time.Second)
		push(t, p)
		for series, v := range want {
			if m.stored[series] != v {
				t.Errorf("seed %d: %s is %v in the end, want %v", seed, series, m.stored[series], v)
			}
		}
	}
}
