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

// counter is a Metrics that adds up.
type counter struct{ begun, done, samples int }

func (c *counter) RequestBegun(server.Operation) { c.begun++ }
func (c *counter) RequestDone(s server.RequestStats) {
	c.done++
	c.samples += s.Written.Samples
}

// All limits are on in any case; those of tenants and metrics come on top.
func TestWriteAllocatesNothing(t *testing.T) {
	for _, set := range workload.Sets() {
		req := set.Make()
		for _, version := range bothTypes {
			t.Run(set.Name+"/"+version.Version(), func(t *testing.T) {
				var count counter
				h := server.NewWriteHandler(discard, server.WithMetrics(&count), server.WithTenantLimits(func(string) server.WriteLimits {
					return server.WriteLimits{MaxConcurrent: 8, MaxBytesInFlight: 64 << 20, MaxSamples: 500_000}
				}))
				serve, w := repeatable(h, version, encode(t, version, req))
				serve()
				if allocs := testing.AllocsPerRun(10, serve); allocs >= 1 {
					t.Errorf("%v allocations per request", allocs)
				}
				if count.done != count.begun || count.samples != count.done*req.Stats().Samples {
					t.Errorf("%+v for %d samples each", count, req.Stats().Samples)
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
