package main

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
)

// TestUpstreamCrash kills a gateway again and again under load, while its engine fails now and then: whatever was
// acknowledged arrives.
func TestUpstreamCrash(t *testing.T) {
	engine := promwiretest.NewReceiver(promwiretest.WithoutRequestData())
	defer engine.Close()
	engine.SetScript(promwiretest.Random(1, 0.2, promwiretest.Reset(100), promwiretest.Status(http.StatusServiceUnavailable), promwiretest.LostAnswer()))
	args := []string{
		"promwire", "serve", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--log-level", "error",
		"--upstream", "prometheus=" + strings.TrimSuffix(engine.URL, "/api/v1/write"),
	}
	run := func() *process {
		p, err := start(t.TempDir(), nil, args...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.kill)
		return p
	}
	sources := []*relaySource{{id: 0}, {id: 1}, {id: 2}}
	for round := range 5 {
		p := run()
		var acks atomic.Int64
		var wg sync.WaitGroup
		for _, s := range sources {
			c, err := remote.NewWriteClient(p.write, remote.WithMessageType(s.message()), remote.WithoutRetry())
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				for s.write(t.Context(), c) == nil {
					if acks.Add(1) == int64(20+17*round) {
						_, _, _ = p.end(syscall.SIGKILL)
					}
				}
			})
		}
		wg.Wait()
	}
	engine.SetScript(nil)
	p := run()
	for _, s := range sources {
		until(t, "end of the deliveries", func() bool { return s.complete(engine) })
		if s.check(t, engine); s.acked == 0 {
			t.Error("nothing was acknowledged")
		}
	}
	if code, _, err := p.end(syscall.SIGTERM); code != 0 || err != nil {
		t.Errorf("code %d, %v: %s", code, err, p.err)
	}
}
