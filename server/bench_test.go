package server_test

import (
	"bytes"
	"context"
	"io"
	"iter"
	"net/http"
	"slices"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
	"github.com/promwire/promwire/internal/xcompress"
	"github.com/promwire/promwire/server"
)

// discard takes everything and keeps nothing.
var discard = writerFunc(func(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	return req.Stats(), nil
})

// memResponse is a ResponseWriter that can be used again.
type memResponse struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (m *memResponse) Header() http.Header         { return m.header }
func (m *memResponse) WriteHeader(status int)      { m.status = status }
func (m *memResponse) Write(p []byte) (int, error) { return m.body.Write(p) }

type rewinding struct{ *bytes.Reader }

func (rewinding) Close() error { return nil }

// repeatable returns a function that serves the same write request again and again, in memory made once.
func repeatable(h http.Handler, version promwire.MessageType, msg []byte) (serve func(), w *memResponse) {
	body := bytes.NewReader(xcompress.AppendSnappy(nil, msg))
	r := rawRequest(version, nil)
	r.Body, r.ContentLength = rewinding{body}, body.Size()
	w = &memResponse{header: http.Header{}}
	return func() {
		_, _ = body.Seek(0, io.SeekStart)
		clear(w.header)
		h.ServeHTTP(w, r)
	}, w
}

func BenchmarkWriteHandler(b *testing.B) {
	for _, set := range workload.Sets() {
		req := set.Make()
		for _, version := range bothTypes {
			b.Run(set.Name+"/"+version.Version(), func(b *testing.B) {
				serve, w := repeatable(server.NewWriteHandler(discard), version, encode(b, version, req))
				b.ReportAllocs()
				for b.Loop() {
					serve()
				}
				if w.status != http.StatusNoContent {
					b.Fatalf("status %d: %s", w.status, &w.body)
				}
			})
		}
	}
}

func BenchmarkReadHandler(b *testing.B) {
	req := workload.ReadSeries(1000, 1000)
	slices.SortFunc(req.Timeseries, func(a, b promwire.TimeSeries) int { return a.Labels.Compare(b.Labels) })
	reader := readerFunc(func(context.Context, promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
		return func(yield func(promwire.TimeSeries, error) bool) {
			for i := range req.Timeseries {
				if !yield(req.Timeseries[i], nil) {
					return
				}
			}
		}
	})
	for name, types := range map[string][]promwire.ResponseType{"samples": wantSamples, "stream": wantStream} {
		b.Run(name, func(b *testing.B) {
			h := server.NewReadHandler(reader)
			b.ReportAllocs()
			for b.Loop() {
				w := &counting{header: http.Header{}}
				h.ServeHTTP(w, readRequest(types, all))
				if w.status != http.StatusOK && w.status != 0 {
					b.Fatalf("status %d", w.status)
				}
				b.SetBytes(int64(w.bytes))
			}
		})
	}
}
