package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/promwire/promwire/metrics"
)

// Instruments of all kinds, and one push. A program gives NewPusher its remote-write client, or a debug writer
// around it.
func Example() {
	reg := metrics.NewRegistry(metrics.WithConstLabel("job", "billing"))
	orders := metrics.Must(reg.Counter("orders", metrics.WithHelp("Orders taken.")))
	depth := metrics.Must(reg.GaugeVec("queue_depth", []string{"queue"}))
	took := metrics.Must(reg.Histogram("took_seconds", metrics.WithUnit("seconds"), metrics.WithBounds(0.5, 1)))

	orders.Add(85)
	depth.With("payments").Set(36)
	took.Observe(0.75)

	pusher := metrics.NewPusher(reg, metrics.NewDebugWriter(os.Stdout, nil))
	if err := pusher.Push(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// [DEBUG] remote_write_req_seq: 1
	// # TYPE orders_total counter
	// orders_total{job="billing"} 85
	// # TYPE queue_depth gauge
	// queue_depth{job="billing",queue="payments"} 36
	// # TYPE took_seconds histogram
	// took_seconds_bucket{job="billing",le="0.5"} 0
	// took_seconds_bucket{job="billing",le="1"} 1
	// took_seconds_bucket{job="billing",le="+Inf"} 1
	// took_seconds_count{job="billing"} 1
	// took_seconds_sum{job="billing"} 0.75
}

// Records that come late keep their own times.
func ExampleHistogram_ObserveAt() {
	reg := metrics.NewRegistry()
	took := metrics.Must(reg.Histogram("job_seconds"))
	pusher := metrics.NewPusher(reg, metrics.NewDebugWriter(os.Stdout, nil))

	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for i, seconds := range []float64{0.6, 2.2, 10} {
		if err := took.ObserveAt(seconds, noon.Add(time.Duration(i)*time.Minute)); err != nil {
			log.Fatal(err)
		}
	}
	if err := pusher.Push(context.Background()); err != nil {
		log.Fatal(err)
	}
	err := took.ObserveAt(5, noon)
	fmt.Println(errors.Is(err, metrics.ErrLate))
	// Output:
	// [DEBUG] remote_write_req_seq: 1
	// # TYPE job_seconds histogram
	// job_seconds_bucket{le="0.005"} 0
	// job_seconds_bucket{le="0.01"} 0
	// job_seconds_bucket{le="0.025"} 0
	// job_seconds_bucket{le="0.05"} 0
	// job_seconds_bucket{le="0.1"} 0
	// job_seconds_bucket{le="0.25"} 0
	// job_seconds_bucket{le="0.5"} 0
	// job_seconds_bucket{le="1"} 1
	// job_seconds_bucket{le="2.5"} 2
	// job_seconds_bucket{le="5"} 2
	// job_seconds_bucket{le="10"} 3
	// job_seconds_bucket{le="+Inf"} 3
	// job_seconds_count 3
	// job_seconds_sum 12.8
	// true
}

// Names that come from data are errors to handle, not panics.
func ExampleRegistry_Gauge() {
	reg := metrics.NewRegistry()
	_, err := reg.Gauge("queue-depth")
	fmt.Println(err)
	// Output:
	// metrics: gauge "queue-depth": invalid name: metric name "queue-depth": use letters, digits, _ and :, no digit first (WithUTF8Names allows more, WithEscapedNames escapes)
}

// The debug writer prints what would be sent; with a second writer it sends it, too.
func ExampleNewDebugWriter() {
	reg := metrics.NewRegistry(metrics.WithClock(func() time.Time { return time.UnixMilli(1_700_000_000_000) }))
	free := metrics.Must(reg.Gauge("free_bytes"))
	pusher := metrics.NewPusher(reg, metrics.NewDebugWriter(os.Stdout, nil, metrics.WithTimestamps()))
	for _, v := range []float64{1e6, 12.5} {
		free.Set(v)
		if err := pusher.Push(context.Background()); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// [DEBUG] remote_write_req_seq: 1
	// # TYPE free_bytes gauge
	// free_bytes 1000000 1700000000000
	//
	// [DEBUG] remote_write_req_seq: 2
	// # TYPE free_bytes gauge
	// free_bytes 12.5 1700000000001
}
