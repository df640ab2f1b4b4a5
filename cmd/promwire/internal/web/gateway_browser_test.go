package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/promwire/promwire/cmd/promwire/internal/compat/proc"
	"github.com/promwire/promwire/cmd/promwire/internal/web/browser"
)

// The status view of a gateway shows engine and spool.
func TestGatewayInBrowser(t *testing.T) {
	program := proc.Must(t, "chromium")[0]
	u := NewGateway(func() Gateway {
		return Gateway{Engine: "mimir at http://mimir:8080", Dir: "/data", SpoolBytes: 1 << 20, SpoolMax: 1 << 30, Pending: 7, Oldest: 20_000}
	})
	s := httptest.NewServer(u.Handler(http.NotFoundHandler()))
	defer s.Close()
	v := &visitor{t: t, b: browser.Start(t, program.Path), url: s.URL}
	v.Page = v.b.Open(t, 1280, 860)
	v.open("?v=status", `document.querySelectorAll("dd").length > 10`)
	var text string
	v.Eval(`document.querySelector("main").innerText`, &text)
	for _, want := range []string{"mimir at http://mimir:8080", "the engine does not take data", "Samples that wait\n7", "1 MiB of 1 GiB"} {
		if !strings.Contains(text, want) {
			t.Errorf("the status has no %q: %s", want, text)
		}
	}
	v.see("gateway-status")
}
