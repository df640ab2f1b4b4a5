package promwiretest_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
)

// A program's own sender is tested against a backend that has a bad day.
func ExampleNewReceiver() {
	backend := promwiretest.NewReceiver()
	defer backend.Close()
	backend.SetScript(promwiretest.Sequence(
		promwiretest.TooManyRequests("30"),
		promwiretest.LostAnswer(),
	))
	client, err := remote.NewWriteClient(backend.URL, remote.WithMessageType(promwire.WriteV1), remote.WithoutRetry())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.CloseIdleConnections()

	up := promwire.LabelsFromStrings("__name__", "up")
	req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
		{Labels: up, Samples: []promwire.Sample{{Timestamp: 1_700_000_000_000, Value: 1}}},
	}}
	for range 3 { // a real sender waits in between
		_, err = client.Write(context.Background(), req)
		var answer *promwire.HTTPError
		if errors.As(err, &answer) {
			fmt.Println(answer.StatusCode, "wait", answer.RetryAfter)
		} else {
			fmt.Println("lost or done:", err == nil)
		}
	}
	for _, r := range backend.Requests() {
		fmt.Println(r.N, r.Fault, r.Status, "stored", r.Stored.Samples)
	}
	fmt.Println("samples:", len(backend.Samples(up)))
	// Output:
	// 429 wait 30s
	// lost or done: false
	// lost or done: true
	// 0 answer 429 429 stored 0
	// 1 lost answer 0 stored 1
	// 2  204 stored 1
	// samples: 2
}

// A store in memory, to write to and read from.
func ExampleNewMemory() {
	store := promwiretest.NewMemory(promwiretest.RefuseOlder)
	ls := promwire.LabelsFromStrings("__name__", "orders_total")
	for _, timestamp := range []int64{1000, 2000, 1500} {
		_, err := store.Write(context.Background(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
			{Labels: ls, Samples: []promwire.Sample{{Timestamp: timestamp, Value: 1}}},
		}})
		fmt.Println("out of order:", errors.Is(err, promwire.ErrOutOfOrder))
	}
	matchers, err := promwire.ParseSelector("orders_total")
	if err != nil {
		fmt.Println(err)
		return
	}
	q := promwire.Query{Start: time.UnixMilli(0), End: time.UnixMilli(5000), Matchers: matchers}
	for series, err := range store.Read(context.Background(), q) {
		fmt.Println(series.Labels, len(series.Samples), err)
	}
	// Output:
	// out of order: false
	// out of order: false
	// out of order: true
	// orders_total 2 <nil>
}
