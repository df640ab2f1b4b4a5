package metrics_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

// Kinds that do not go on from their values send what a former run has not delivered, as it was, and their own values after
// that; what is new in a definition begins now.
func TestStateOfKindsWithoutTotals(t *testing.T) {
	j := newJob(t)
	record := func(reg *metrics.Registry, reads float64, quantiles []float64, states ...string) {
		metrics.Must(reg.CounterFunc("reads", func() float64 { return reads }))
		metrics.Must(reg.GaugeFunc("depth", func() float64 { return reads }))
		metrics.Must(reg.Info("build", promwire.LabelsFromStrings("version", "1"))).Set()
		metrics.Must(reg.StateSet("phase", states)).SetOnly(states[0])
		v := metrics.SummaryValue{Count: uint64(reads), Sum: 1, Quantiles: []float64{-1, math.NaN(), 3}[:len(quantiles)]}
		metrics.Must(reg.Summary("took", quantiles)).Set(v)
	}
	j.err = errDown
	err := j.run(t, func(reg *metrics.Registry) { record(reg, 7, []float64{0.1, 0.5}, "a", "b") })
	if !errors.Is(err, errDown) || !errors.Is(err, metrics.ErrKept) {
		t.Fatal(err)
	}
	j.err = nil
	j.mustRun(t, func(reg *metrics.Registry) { record(reg, 5, []float64{0.1, 0.5, 0.9}, "b", "c", "a") })
	seen := map[string]bool{}
	for _, ts := range j.requests[1].Timeseries {
		if seen[ts.Labels.String()] {
			t.Errorf("%v is there twice", ts.Labels)
		}
		seen[ts.Labels.String()] = true
	}
	j.want(t, "reads_total", point{1, 7}, point{2, 5})
	j.want(t, "depth", point{1, 7}, point{2, 5})
	j.want(t, `build_info{version="1"}`, point{1, 1}, point{2, 1})
	j.want(t, `phase{phase="a"}`, point{1, 1}, point{2, 0})
	j.want(t, `phase{phase="b"}`, point{1, 0}, point{2, 1})
	j.want(t, `phase{phase="c"}`, point{2, 0})
	j.want(t, `took{quantile="0.1"}`, point{1, -1}, point{2, -1})
	j.want(t, `took{quantile="0.9"}`, point{2, 3})
	j.want(t, "took_count", point{1, 7}, point{2, 5})
	j.mustRun(t, func(reg *metrics.Registry) { record(reg, 6, []float64{0.1, 0.5, 0.9}, "b", "c", "a") })
	j.want(t, "took_count", point{3, 6})
	j.want(t, `phase{phase="c"}`, point{3, 0})
}

// A loop repeats the value of this run, not one that it has not got.
func TestRunDoesNotInventValuesOfAFormerRun(t *testing.T) {
	path := newJob(t).path
	s := &sink{}
	run := func(record func(*metrics.Registry)) {
		synctest.Test(t, func(t *testing.T) {
			st, err := metrics.OpenState(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer st.Close()
			reg := metrics.NewRegistry(metrics.WithState(st))
			record(reg)
			ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
			defer cancel()
			if err := metrics.NewPusher(reg, s).Run(ctx, time.Second); err != nil {
				t.Error(err)
			}
		})
	}
	instruments := func(reg *metrics.Registry) (*metrics.Counter, *metrics.Gauge, *metrics.StateSet, *metrics.Summary) {
		return metrics.Must(reg.Counter("hits")), metrics.Must(reg.Gauge("depth")), metrics.Must(reg.StateSet("phase", []string{"a"})),
			metrics.Must(reg.Summary("took", []float64{0.5}))
	}
	run(func(reg *metrics.Registry) {
		hits, depth, phase, took := instruments(reg)
		hits.Inc()
		depth.Set(5)
		phase.Set("a", true)
		took.Set(metrics.SummaryValue{Count: 1, Quantiles: []float64{1}})
	})
	s.requests = nil
	run(func(reg *metrics.Registry) { instruments(reg) })
	if len(s.requests) == 0 {
		t.Fatal("the counter is not repeated")
	}
	for _, req := range s.requests {
		if len(req.Timeseries) != 1 || req.Timeseries[0].Labels.String() != "hits_total" {
			t.Errorf("repeated: %v", req.Timeseries)
		}
	}
}
