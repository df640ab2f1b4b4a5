package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/compress/gzip"
	"github.com/promwire/promwire/compress/zstd"
	"github.com/promwire/promwire/server"
)

// One handler takes bodies in all encodings that it was given, one after the other through the same pooled memory.
func TestWriteCompressions(t *testing.T) {
	store := newStore()
	h := server.NewWriteHandler(store, server.WithCompressions(zstd.Codec{}, gzip.Codec{}),
		server.WithCompressions(promwire.Identity), server.WithWriteLimits(server.WriteLimits{MaxDecodedBytes: 4000}))
	for round := range 2 {
		for i, c := range []promwire.Compression{zstd.Codec{}, gzip.Codec{}, promwire.Snappy, promwire.Identity} {
			for _, m := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
				name := fmt.Sprintf("%s_%s_%d", c.ContentEncoding(), m.Version()[:1], round)
				body, err := c.AppendEncoded(nil, encode(t, m, &promwire.WriteRequest{
					Timeseries: []promwire.TimeSeries{series([]float64{1, 2}, "__name__", name)},
				}))
				if err != nil {
					t.Fatal(err)
				}
				r := rawRequest(m, body)
				r.Header.Set("Content-Encoding", []string{c.ContentEncoding(), " " + strings.ToUpper(c.ContentEncoding())}[i%2])
				if w := do(h, r); w.Code != 204 {
					t.Errorf("%s: answer %d: %s", name, w.Code, w.Body)
				}
				big, err := c.AppendEncoded(nil, make([]byte, 4001))
				if err != nil {
					t.Fatal(err)
				}
				r = rawRequest(m, big)
				r.Header.Set("Content-Encoding", c.ContentEncoding())
				if w := do(h, r); w.Code != 413 {
					t.Errorf("%s: answer %d to too much: %s", name, w.Code, w.Body)
				}
				r = rawRequest(m, []byte("\x09no body of any kind"))
				r.Header.Set("Content-Encoding", c.ContentEncoding())
				if w := do(h, r); w.Code != 400 {
					t.Errorf("%s: answer %d to garbage: %s", name, w.Code, w.Body)
				}
			}
		}
	}
	if store.calls != 16 {
		t.Errorf("the storage was called %d times", store.calls)
	}
	r := rawRequest(promwire.WriteV1, nil)
	r.Header.Set("Content-Encoding", "br")
	expect(t, do(h, r), 415, "", `content encoding "br", want "snappy" (block format) or "zstd" or "gzip" or "identity"`)
}
