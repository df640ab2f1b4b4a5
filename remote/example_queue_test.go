package remote_test

import (
	"context"
	"fmt"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
)

// A program writes without waiting for the network, and gives the rest some time at its end.
func ExampleNewQueue() {
	backend := promwiretest.NewReceiver()
	defer backend.Close()
	backend.SetScript(promwiretest.Sequence(promwiretest.Status(503), promwiretest.LostAnswer()))
	client, err := remote.NewWriteClient(backend.URL, remote.WithoutRetry()) // the queue does that
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.CloseIdleConnections()
	queue, err := remote.NewQueue(client, remote.QueueOptions{
		MemoryBytes:  16 << 20,
		MaxSampleAge: time.Hour,
		Hooks: remote.QueueHooks{Refused: func(b remote.QueueBatch, err error) {
			fmt.Println("lost", b.Request.Stats().Samples, "samples:", err)
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	jobs := promwire.LabelsFromStrings("__name__", "jobs_done_total")
	for i := range 3 {
		_, err := queue.Write(context.Background(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
			{Labels: jobs, Samples: []promwire.Sample{{Timestamp: time.Now().UnixMilli() + int64(i), Value: float64(i)}}},
		}})
		if err != nil {
			fmt.Println(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	left, err := queue.Shutdown(ctx)
	fmt.Println(len(left), err, queue.Stats().Delivered.Samples, "delivered")
	// Output:
	// 0 <nil> 3 delivered
}

// Each target has a queue of its own, so that a slow one does not hold up the other.
func ExampleNewFanOut() {
	one, other := promwiretest.NewMemory(promwiretest.RefuseOlder), promwiretest.NewMemory(promwiretest.RefuseOlder)
	var queues []*remote.Queue
	for _, target := range []promwire.Writer{one, other} {
		q, err := remote.NewQueue(target, remote.QueueOptions{})
		if err != nil {
			fmt.Println(err)
			return
		}
		queues = append(queues, q)
	}
	_, err := remote.NewFanOut(queues[0], queues[1]).Write(context.Background(), upRequest("a", "b"))
	for _, q := range queues {
		if _, err := q.Shutdown(context.Background()); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(err, one.Stats().Samples, other.Stats().Samples)
	// Output:
	// <nil> 2 2
}

// Each series has its place among the stores, now and after a restart.
func ExampleNewSharded() {
	east, west := promwiretest.NewMemory(promwiretest.RefuseOlder), promwiretest.NewMemory(promwiretest.RefuseOlder)
	stores, err := remote.NewSharded(map[string]promwire.Writer{"east": east, "west": west})
	if err != nil {
		fmt.Println(err)
		return
	}
	stats, err := stores.Write(context.Background(), upRequest("a", "b", "c", "d"))
	fmt.Println(stats.Samples, err, east.Stats().Samples+west.Stats().Samples)
	// Output:
	// 4 <nil> 4
}

// The value of a label becomes the tenant.
func ExampleNewTenantSplit() {
	engine := tenantPrinter{}
	split, err := remote.NewTenantSplit(engine, remote.TenantSplitOptions{Label: "job", Default: "nobody"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := split.Write(context.Background(), upRequest("a", "")); err != nil {
		fmt.Println(err)
	}
	// Unordered output:
	// a up
	// nobody up
}

type tenantPrinter struct{}

func (tenantPrinter) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	for _, ts := range req.Timeseries {
		fmt.Println(promwire.TenantFromContext(ctx), ts.Labels)
	}
	return req.Stats(), nil
}

// upRequest makes a request of the series up, one for each job.
func upRequest(jobs ...string) *promwire.WriteRequest {
	req := &promwire.WriteRequest{}
	for _, job := range jobs {
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
			Labels:  promwire.LabelsFromMap(map[string]string{"__name__": "up", "job": job}),
			Samples: []promwire.Sample{{Timestamp: 1_700_000_000_000, Value: 1}},
		})
	}
	return req
}
