package remote_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// oneSeries answers every query with one series, as a samples answer.
func oneSeries(w http.ResponseWriter, req *http.Request) {
	_, _ = io.Copy(io.Discard, req.Body)
	// A snappy block of prometheus.ReadResponse: up 1 at 1000, 1 at 2000.
	body := "\x30\xbc\x0a\x2e\x0a\x2c\x0a\x0e\x0a\x08__name__\x12\x02up" +
		"\x12\x0c\x09\x00\x00\x00\x00\x00\x00\xf0\x3f\x10\xe8\x07\x12\x0c\x09\x00\x00\x00\x00\x00\x00\xf0\x3f\x10\xd0\x0f"
	w.Header().Set("Content-Type", promwire.ContentTypeProtobuf)
	w.Header().Set("Content-Encoding", promwire.EncodingSnappy)
	_, _ = io.WriteString(w, body)
}

func ExampleNewReadClient() {
	server := httptest.NewServer(http.HandlerFunc(oneSeries))
	defer server.Close()

	client, err := remote.NewReadClient(server.URL + "/api/v1/read")
	if err != nil {
		fmt.Println(err)
		return
	}
	matchers, err := promwire.ParseSelector(`up`)
	if err != nil {
		fmt.Println(err)
		return
	}
	query := promwire.Query{Start: time.UnixMilli(0), End: time.UnixMilli(5000), Matchers: matchers}
	for series, err := range client.Read(context.Background(), query) {
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, s := range series.Samples {
			fmt.Println(series.Labels, s.Timestamp, s.Value)
		}
	}
	// Output:
	// up 1000 1
	// up 2000 1
}

// Chunks can be kept or passed on without decoding them.
func ExampleReadClient_ReadChunks() {
	server := httptest.NewServer(http.HandlerFunc(oneSeries))
	defer server.Close()

	client, err := remote.NewReadClient(server.URL, remote.WithTimeout(10*time.Second))
	if err != nil {
		fmt.Println(err)
		return
	}
	matchers, err := promwire.ParseSelector(`{__name__=~"u.*"}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	query := promwire.Query{Start: time.UnixMilli(0), End: time.UnixMilli(5000), Matchers: matchers}
	for series, err := range client.ReadChunks(context.Background(), query) {
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, c := range series.Chunks {
			fmt.Println(series.Labels, c.MinTime, c.MaxTime, c.Encoding == promwire.ChunkXOR)
		}
	}
	// Output:
	// up 1000 2000 true
}
