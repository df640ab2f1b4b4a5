package server_test

import (
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/xcompress"
	"github.com/promwire/promwire/server"
)

// writeVectors are messages to begin with.
var writeVectors = []string{
	vectorW1, vectorR1, "", "2200",
	"220022085f5f6e616d655f5f220275702a130a03010201120c09000000000000f03f10e807",
	"0a200a0d0a085f5f6e616d655f5f12016d12021001120b09020000000000f07f1002",
	"0a3b0a0d0a085f5f6e616d655f5f120168222a0804190000000000803240290000000000 00f03730005a04080210025a04080110016203020201 78e807",
}

// FuzzWriteHandler feeds bodies, whole or as the message in them, to handlers on both roads. Bad input must not fail
// the server, and a storage that takes bodies must answer like one that takes requests.
func FuzzWriteHandler(f *testing.F) {
	for _, seed := range writeVectors {
		f.Add(unhex(f, seed), true, true)
		f.Add(unhex(f, seed), false, true)
	}
	f.Add(unhex(f, "8180801000"), true, false)
	f.Add(unhex(f, "ff060000734e61507059"), false, false)
	f.Fuzz(func(t *testing.T, data []byte, v2, compress bool) {
		version := promwire.WriteV1
		if v2 {
			version = promwire.WriteV2
		}
		if compress {
			data = xcompress.AppendSnappy(nil, data)
		}
		limits := server.WithWriteLimits(server.WriteLimits{MaxDecodedBytes: 1 << 20, MaxSeries: 1000, MaxMemoryBytes: 100_000})
		roads := bothRoads()
		oracle, plain := roads["requests"](limits)
		store, body := roads["bodies"](limits)
		want, got := do(plain, rawRequest(version, data)), do(body, rawRequest(version, data))
		switch want.Code {
		case 204, 400, 413:
		default:
			t.Fatalf("status %d: %s", want.Code, want.Body)
		}
		if (counts(want) != "") != v2 {
			t.Fatalf("written %q", counts(want))
		}
		if got.Code != want.Code || counts(got) != counts(want) || got.Body.String() != want.Body.String() {
			t.Fatalf("roads differ: %d %q %s\n%d %q %s", want.Code, counts(want), want.Body, got.Code, counts(got), got.Body)
		}
		if len(store.series) != len(oracle.series) || len(store.metadata) != len(oracle.metadata) {
			t.Fatalf("roads store %d and %d series, %d and %d metadata",
				len(oracle.series), len(store.series), len(oracle.metadata), len(store.metadata))
		}
		for key, ts := range oracle.series {
			if err := ts.Labels.Validate(promwire.UTF8Names); err != nil {
				t.Fatalf("the storage got %s: %v", key, err)
			}
			if other := store.series[key]; other == nil || other.Stats() != ts.Stats() {
				t.Fatalf("roads store %s differently", key)
			}
		}
	})
}
