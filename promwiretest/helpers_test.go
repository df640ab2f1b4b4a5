package promwiretest_test

import (
	"context"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
)

// start starts a receiver and a client for it.
func start(t *testing.T, opts ...promwiretest.Option) (*promwiretest.Receiver, *remote.WriteClient) {
	t.Helper()
	r := promwiretest.NewReceiver(opts...)
	t.Cleanup(r.Close)
	return r, client(t, r)
}

// client makes a client that neither negotiates nor repeats.
func client(t *testing.T, r *promwiretest.Receiver, opts ...remote.WriteOption) *remote.WriteClient {
	t.Helper()
	opts = append([]remote.WriteOption{remote.WithMessageType(promwire.WriteV2)}, opts...)
	c, err := remote.NewWriteClient(r.URL, append(opts, remote.WithoutRetry())...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// once writes a request, and must come back within a minute.
func once(c promwire.Writer, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return c.Write(ctx, req)
}

// gauge makes a request of n series with one sample each.
func gauge(n int, timestamp int64, value float64) *promwire.WriteRequest {
	req := &promwire.WriteRequest{}
	for i := range n {
		req.Timeseries = append(req.Timeseries, promwire.TimeSeries{
			Labels:  labels(i),
			Samples: []promwire.Sample{{Timestamp: timestamp, Value: value}},
		})
	}
	return req
}

func labels(i int) promwire.Labels {
	return promwire.LabelsFromStrings("__name__", "g", "i", strconv.Itoa(i))
}

func header(name, value string) http.Header {
	h := http.Header{}
	h.Set(name, value)
	return h
}
