//go:build !race

// The race detector makes pools forget at random, so that allocations can't be counted under it.

package server_test

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
	"github.com/promwire/promwire/server"
)

func TestWriteAllocatesNothing(t *testing.T) {
	for _, set := range workload.Sets() {
		req := set.Make()
		for _, version := range bothTypes {
			t.Run(set.Name+"/"+version.Version(), func(t *testing.T) {
				serve, w := repeatable(server.NewWriteHandler(discard), version, encode(t, version, req))
				serve()
				if allocs := testing.AllocsPerRun(10, serve); allocs >= 1 {
					t.Errorf("%v allocations per request", allocs)
				}
				if w.status != http.StatusNoContent {
					t.Fatalf("status %d: %s", w.status, &w.body)
				}
				want := strconv.Itoa(req.Stats().Samples)
				if got := w.header.Get(promwire.HeaderSamplesWritten); version == promwire.WriteV2 && got != want {
					t.Errorf("Samples-Written %q, want %s", got, want)
				}
			})
		}
	}
}
