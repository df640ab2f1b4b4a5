package server_test

import (
	"bytes"
	"testing"

	"github.com/promwire/promwire/internal/xcompress"
	"github.com/promwire/promwire/server"
)

// readVectors are messages to begin with.
var readVectors = []string{
	`0a3e08e8071088271a0e12085f5f6e616d655f5f1a0275701a0c080212036a6f621a03617c62
		2218080f12047261746518e807208827 2a036a6f62300138ac0212020100`,
	"0a3e08e80710882710011000", "", "12020100",
}

// FuzzReadHandler feeds bodies, whole or as the message in them. Bad input must not fail the server, and the storage
// takes everything that reaches it.
func FuzzReadHandler(f *testing.F) {
	for _, seed := range readVectors {
		f.Add(unhex(f, seed), true)
	}
	f.Add(unhex(f, "8180801000"), false)
	store := filled(f)
	l := server.ReadLimits{MaxDecodedBytes: 1 << 20, MaxQueries: 10, MaxMatchers: 20, MaxPatternBytes: 200}
	sideBySide := server.NewReadHandler(store, server.WithReadLimits(l), server.WithSort(0))
	l.MaxParallelQueries = 1
	limits := server.WithReadLimits(l)
	plain, chunks := server.NewReadHandler(store, limits), server.NewReadHandler(chunkStore{store}, limits)
	f.Fuzz(func(t *testing.T, data []byte, compress bool) {
		if compress {
			data = xcompress.AppendSnappy(nil, data)
		}
		want, got := do(plain, rawReadRequest(data)), do(chunks, rawReadRequest(data))
		body := bytes.Clone(want.Body.Bytes())
		switch want.Code {
		case 200:
			if want.Header().Get("Content-Encoding") == "snappy" {
				samples(t, want)
			} else {
				stream(t, want, 10)
			}
		case 400, 413:
		default:
			t.Fatalf("status %d: %s", want.Code, want.Body)
		}
		if other := do(sideBySide, rawReadRequest(data)); other.Code != want.Code || !bytes.Equal(other.Body.Bytes(), body) {
			t.Fatalf("side by side: status %d, one by one %d, bodies %q and %q", other.Code, want.Code, other.Body, body)
		}
		if got.Code != want.Code {
			t.Fatalf("status %d of chunks, %d of samples: %s", got.Code, want.Code, got.Body)
		}
	})
}
