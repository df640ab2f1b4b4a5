package remote_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/compress/zstd"
	"github.com/promwire/promwire/remote"
)

func ExampleNewWriteClient() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		fmt.Println(req.URL.Path, req.Header.Get("Content-Type"))
		_, _ = io.Copy(io.Discard, req.Body)
		w.Header().Set(promwire.HeaderSamplesWritten, "1")
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()

	client, err := remote.NewWriteClient(server.URL+"/api/v1/write", remote.WithUserAgent("billing/1.4"))
	if err != nil {
		fmt.Println(err)
		return
	}
	stats, err := client.Write(context.Background(), &promwire.WriteRequest{
		Timeseries: []promwire.TimeSeries{{
			Labels:  promwire.LabelsFromStrings("__name__", "billing_queue_depth", "queue", "payments"),
			Samples: []promwire.Sample{{Timestamp: time.Now().UnixMilli(), Value: 36}},
		}},
	})
	fmt.Println(stats.Samples, err)
	// Output:
	// /api/v1/write application/x-protobuf;proto=io.prometheus.write.v2.Request
	// 1 <nil>
}

// An error tells what the receiver said, and how much of the request it has written all the same.
func ExampleWriteClient_Write_errors() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(promwire.HeaderSamplesWritten, "1")
		http.Error(w, "sample is out of order", http.StatusBadRequest)
	}))
	defer server.Close()

	client, err := remote.NewWriteClient(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.Write(context.Background(), &promwire.WriteRequest{
		Timeseries: []promwire.TimeSeries{{
			Labels:  promwire.LabelsFromStrings("__name__", "m"),
			Samples: []promwire.Sample{{Timestamp: 2000, Value: 1}, {Timestamp: 1000, Value: 1}},
		}},
	})
	var partial *promwire.PartialWriteError
	var answer *promwire.HTTPError
	if errors.As(err, &partial) && errors.As(err, &answer) {
		fmt.Println(partial.Written.Samples, answer.StatusCode, answer.Body)
	}
	// Output:
	// 1 400 sample is out of order
}

// A client for a hosted backend: a token from a file that is replaced now and then, a tenant, zstd where the receiver
// takes it, and two minutes of patience.
func ExampleWithRetry() {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Printf("%s %s %q\n", r.Header.Get("Content-Encoding"), r.Header.Get("X-Scope-OrgID"), r.Header.Get("Retry-Attempt"))
		if r.Header.Get("Retry-Attempt") == "" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer backend.Close()
	client, err := remote.NewWriteClient(backend.URL+"/api/v1/push",
		remote.WithMessageType(promwire.WriteV1),
		remote.WithBasicAuth("user", "password"), // or WithBearerTokenFile, WithOAuth2, WithAuth
		remote.WithTenant("team-a"),
		remote.WithCompression(zstd.Codec{}),
		remote.WithRetry(remote.RetryOptions{MaxAttempts: -1, MaxElapsed: 2 * time.Minute, OnRetry: func(r remote.Retry) {
			fmt.Println("again:", r.Reason)
		}}))
	if err != nil {
		fmt.Println(err)
		return
	}
	stats, err := client.Write(context.Background(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
		Labels:  promwire.LabelsFromStrings("__name__", "up"),
		Samples: []promwire.Sample{{Timestamp: 1_700_000_000_000, Value: 1}},
	}}})
	fmt.Println(stats.Samples, err, client.State().Retries)
	// Output:
	// zstd team-a ""
	// again: answer 503
	// zstd team-a "1"
	// 1 <nil> 1
}
