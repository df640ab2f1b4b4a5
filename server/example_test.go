package server_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/xcompress"
	"github.com/promwire/promwire/server"
)

func ExampleNewHandler() {
	srv := httptest.NewServer(server.NewHandler(&mapStorage{series: map[string]promwire.TimeSeries{}}))
	defer srv.Close()

	// Prometheus would send this with "remote_write: [{url: http://.../api/v1/write}]".
	up := promwire.TimeSeries{
		Labels:  promwire.LabelsFromStrings("__name__", "up", "job", "demo"),
		Samples: []promwire.Sample{{Timestamp: time.Now().UnixMilli(), Value: 1}},
	}
	message, err := (&promwire.WriteRequest{Timeseries: []promwire.TimeSeries{up}}).AppendProto(nil, promwire.WriteV2)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp := post(srv.URL+server.WritePath, promwire.ContentTypeWriteV2, message)
	defer resp.Body.Close()
	fmt.Println(resp.Status, resp.Header.Get(promwire.HeaderSamplesWritten))

	// And ask like this with "remote_read: [{url: http://.../api/v1/read}]".
	matchers, err := promwire.ParseSelector(`up{job=~"d.*"}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	query := promwire.Query{Start: time.Now().Add(-time.Hour), End: time.Now(), Matchers: matchers}
	answer := post(srv.URL+server.ReadPath, promwire.ContentTypeProtobuf, (&promwire.ReadRequest{Queries: []promwire.Query{query}}).AppendProto(nil))
	defer answer.Body.Close()
	fmt.Println(answer.Status, answer.Header.Get("Content-Type"))
	// Output:
	// 204 No Content 1
	// 200 OK application/x-protobuf
}

func ExampleNewWriteHandler() {
	// Whoever can write is enough: a queue, a relay, a fan-out, or this.
	printer := writerFunc(func(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
		for _, ts := range req.Timeseries {
			fmt.Println(ts.Labels, ts.Samples[0].Value)
		}
		return req.Stats(), nil
	})
	mux := http.NewServeMux()
	mux.Handle("/receive", server.NewWriteHandler(printer,
		server.WithWriteLimits(server.WriteLimits{MaxBodyBytes: 1 << 20}),
		server.WithNames(promwire.LegacyNames)))
	srv := httptest.NewServer(mux)
	defer srv.Close()

	req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
		Labels:  promwire.LabelsFromStrings("__name__", "jobs_total", "queue", "mail"),
		Samples: []promwire.Sample{{Timestamp: 1000, Value: 42}},
	}}}
	message, err := req.AppendProto(nil, promwire.WriteV1)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp := post(srv.URL+"/receive", promwire.ContentTypeProtobuf, message)
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output:
	// jobs_total{queue="mail"} 42
	// 204 No Content
}

func ExampleNewReadHandler() {
	// Whoever can read is enough: a database, a read client of another server, or this.
	constant := readerFunc(func(_ context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
		return func(yield func(promwire.TimeSeries, error) bool) {
			yield(promwire.TimeSeries{
				Labels:  promwire.LabelsFromStrings("__name__", "answer"),
				Samples: []promwire.Sample{{Timestamp: q.End.UnixMilli(), Value: 42}},
			}, nil)
		}
	})
	srv := httptest.NewServer(server.NewReadHandler(constant, server.WithReadLimits(server.ReadLimits{MaxConcurrent: 4})))
	defer srv.Close()

	matchers, err := promwire.ParseSelector("answer")
	if err != nil {
		fmt.Println(err)
		return
	}
	req := promwire.ReadRequest{
		Queries:               []promwire.Query{{Start: time.UnixMilli(0), End: time.UnixMilli(5000), Matchers: matchers}},
		AcceptedResponseTypes: []promwire.ResponseType{promwire.ResponseStreamedXORChunks},
	}
	resp := post(srv.URL, promwire.ContentTypeProtobuf, req.AppendProto(nil))
	defer resp.Body.Close()
	frames := promwire.NewFrameReader(resp.Body, 0)
	var frame promwire.ChunkedReadResponse
	if err := frames.Next(&frame); err != nil {
		fmt.Println(err)
		return
	}
	chunks := frame.ChunkedSeries[0]
	fmt.Println(chunks.Labels, len(chunks.Chunks), "chunk, ends at", chunks.Chunks[0].MaxTime)
	// Output: answer 1 chunk, ends at 5000
}

// post sends a message as a client would; package remote has such clients.
func post(url, contentType string, message []byte) *http.Response {
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(xcompress.AppendSnappy(nil, message)))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Content-Encoding", promwire.EncodingSnappy)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(err)
	}
	return resp
}
