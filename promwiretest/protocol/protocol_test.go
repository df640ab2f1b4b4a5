package protocol_test

import (
	"net/http/httptest"
	"testing"

	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/promwiretest/protocol"
	"github.com/promwire/promwire/server"
)

// TestOwnHandlers: everything applies, and everything passes, without a warning.
func TestOwnHandlers(t *testing.T) {
	for _, rule := range []promwiretest.OrderRule{promwiretest.RefuseOlder, promwiretest.TakeOlder} {
		srv := httptest.NewServer(server.NewHandler(promwiretest.NewMemory(rule)))
		defer srv.Close()
		report := protocol.Run(t, srv.URL)
		for _, result := range report.Results {
			if result.Verdict != protocol.Pass {
				t.Errorf("%s", result)
			}
		}
		t.Logf("%d checks", len(report.Results))
	}
}
