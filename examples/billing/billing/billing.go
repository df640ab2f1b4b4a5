// Package billing is the instrumented part of the billing example. The demo of the promwire command runs it too.
package billing

import (
	"context"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
)

// Run records what a billing service did until now, and pushes to w after each step. The workers' jobs ended two
// minutes ago, one minute ago and now, and keep these times.
func Run(ctx context.Context, w promwire.Writer, now time.Time) error {
	reg := metrics.NewRegistry(metrics.WithClock(func() time.Time { return now }))
	pusher := metrics.NewPusher(reg, w)

	orders := metrics.Must(reg.Counter("billing_orders", metrics.WithHelp("Orders billed.")))
	orders.Add(85)
	if err := pusher.Push(ctx); err != nil {
		return err
	}

	depth := metrics.Must(reg.GaugeVec("billing_queue_depth", []string{"queue"},
		metrics.WithHelp("Messages waiting in a queue.")))
	for _, queue := range []struct {
		name  string
		depth float64
	}{{"payments", 36}, {"refunds", 5}, {"dlq", 0}} {
		depth.With(queue.name).Set(queue.depth)
		if err := pusher.Push(ctx); err != nil {
			return err
		}
	}

	duration := metrics.Must(reg.HistogramVec("billing_job_duration_seconds", []string{"worker"},
		metrics.WithHelp("Time that a billing job took."), metrics.WithUnit("seconds"),
		metrics.WithBounds(0.5, 1, 2.5, 5, 10)))
	for _, worker := range []struct {
		name string
		took [3]float64
	}{{"billing-worker-01", [3]float64{0.6, 2.2, 10}}, {"billing-worker-02", [3]float64{0.3, 1.2, 8.9}}} {
		jobs := duration.With(worker.name)
		for i, took := range worker.took {
			if err := jobs.ObserveAt(took, now.Add(time.Duration(i-2)*time.Minute)); err != nil {
				return err
			}
		}
		if err := pusher.Push(ctx); err != nil {
			return err
		}
	}
	return nil
}
