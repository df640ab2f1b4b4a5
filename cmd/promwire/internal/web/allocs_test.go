//go:build !race

package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// TestUnwatchedCostsNoMemory follows requests of a known sender while nobody looks, behind the first one of a second.
func TestUnwatchedCostsNoMemory(t *testing.T) {
	u, now := newUI(t), time.Now()
	u.now = func() time.Time { return now }
	u.watch.take(now)
	r := httptest.NewRequest(http.MethodPost, server.WritePath, nil)
	r.Header.Set("User-Agent", "agent/1")
	stats := server.RequestStats{
		Operation: server.OperationWrite, Message: promwire.WriteV2, Status: 204, Written: promwire.WriteStats{Samples: 10},
	}
	ctx := context.Background()
	allocs := testing.AllocsPerRun(1000, func() {
		got, end := u.visits.begin(ctx, server.OperationWrite, r)
		if got != ctx {
			t.Fatal("an unwatched request has a context of its own")
		}
		end(stats)
	})
	if allocs != 0 {
		t.Errorf("%v allocations for a request that nobody sees", allocs)
	}
	if n := u.traffic.totals.Samples; n < 10_000 {
		t.Errorf("%d samples counted", n)
	}
}
