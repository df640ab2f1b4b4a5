package clientgolang_test

import (
	"context"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/promwire/promwire/adapter/clientgolang"
	"github.com/promwire/promwire/metrics"
)

func ExampleNewPusher() {
	registry := prometheus.NewRegistry() // or prometheus.DefaultGatherer
	jobs := promauto.With(registry).NewCounter(prometheus.CounterOpts{Name: "jobs_total", Help: "Jobs done."})
	jobs.Inc()

	// In a program, a remote.WriteClient takes the place of nil.
	writer := metrics.NewDebugWriter(os.Stdout, nil)
	pusher := clientgolang.NewPusher(registry, writer, clientgolang.WithLabel("job", "nightly"))
	if err := pusher.Push(context.Background()); err != nil {
		panic(err)
	}
	// Output:
	// [DEBUG] remote_write_req_seq: 1
	// # TYPE jobs_total counter
	// jobs_total{job="nightly"} 1
}
