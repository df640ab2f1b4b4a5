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
