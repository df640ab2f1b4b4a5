package webtest

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
	"github.com/promwire/promwire/server"
)

// Bench measures a server by requests on one connection: a small write, a write of 2,000 series, and both answers to a
// read of 300,000 samples. The storage does nothing. What the client takes, in memory and in CPU time, is the same for
// all servers; cpu-ns/op is the CPU time of the whole process.
func Bench(b *testing.B, s Server) {
	parts := make([]promwire.TimeSeries, 300)
	for i := range parts {
		parts[i] = part(i)
	}
	store := &storage{read: func(_ context.Context, yield func(promwire.TimeSeries, error) bool) {
		for _, ts := range parts {
			if !yield(ts, nil) {
				return
			}
		}
	}}
	url := s.Start(b, store)
	batch := writeBody(b, promwire.WriteV2, workload.Batch())
	small := smallBody(b, promwire.WriteV2)
	for _, request := range []struct{ name, path, contentType, body string }{
		{"write-small", server.WritePath, promwire.ContentTypeWriteV2, string(small)},
		{"write-batch", server.WritePath, promwire.ContentTypeWriteV2, string(batch)},
		{"read-samples", server.ReadPath, promwire.ContentTypeProtobuf, string(readBody(promwire.ResponseSamples))},
		{"read-stream", server.ReadPath, promwire.ContentTypeProtobuf, string(readBody(promwire.ResponseStreamedXORChunks))},
	} {
		b.Run("work="+request.name, func(b *testing.B) {
			c := dial(b, url)
			if err := c.SetDeadline(noDeadline); err != nil {
				b.Fatal(err)
			}
			raw := []byte(head(request.path, request.contentType, len(request.body)) + request.body)
			b.ReportAllocs()
			before := cpuTime()
			for b.Loop() {
				if _, err := c.Write(raw); err != nil {
					b.Fatal(err)
				}
				resp, err := http.ReadResponse(c.reader, nil)
				if err != nil || resp.StatusCode >= 300 {
					b.Fatalf("%v, %v", resp, err)
				}
				n, err := io.Copy(io.Discard, resp.Body)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(n + int64(len(request.body)))
			}
			b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
		})
	}
}
