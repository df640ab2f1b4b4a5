//go:build !race

// The race detector makes pools forget at random, so that allocations can't be counted under it.

package server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/xcompress"
	"github.com/promwire/promwire/server"
)

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

func TestWriteAllocatesNothing(t *testing.T) {
	discard := writerFunc(func(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
		return req.Stats(), nil
	})
	for _, version := range bothTypes {
		for _, n := range []int{1, 2000} {
			t.Run(fmt.Sprint(version.Version(), "/", n), func(t *testing.T) {
				h := server.NewWriteHandler(discard)
				body := bytes.NewReader(xcompress.AppendSnappy(nil, encode(t, version, many(n))))
				r := rawRequest(version, nil)
				r.Body, r.ContentLength = rewinding{body}, body.Size()
				w := &memResponse{header: http.Header{}}
				serve := func() {
					_, _ = body.Seek(0, io.SeekStart)
					clear(w.header)
					h.ServeHTTP(w, r)
				}
				serve()
				if allocs := testing.AllocsPerRun(50, serve); allocs >= 1 {
					t.Errorf("%v allocations per request", allocs)
				}
				if w.status != 204 {
					t.Fatalf("status %d: %s", w.status, &w.body)
				}
				if got := w.header.Get(promwire.HeaderSamplesWritten); version == promwire.WriteV2 && got != fmt.Sprint(n) {
					t.Errorf("Samples-Written %q", got)
				}
			})
		}
	}
}
