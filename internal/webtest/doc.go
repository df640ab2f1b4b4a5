// Package webtest checks servers of web frameworks in which the handlers of package server are mounted: over real
// connections, against what the handlers promise on net/http. The adapters run it in their tests.
package webtest

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/promwiretest/protocol"
	"github.com/promwire/promwire/server"
)

// Server is a server of a framework.
type Server struct {
	// Start serves s at the usual paths until the test is over, and returns the URL without a path.
	Start func(tb testing.TB, s promwire.Storage, opts ...server.Option) (url string)
	// Prefetched is how many bytes of a body the framework reads before it calls a handler.
	Prefetched int
}

// NetHTTP is the server of the standard library, which others are compared with.
var NetHTTP = Server{Start: func(tb testing.TB, s promwire.Storage, opts ...server.Option) string {
	return Serve(tb, server.NewHandler(s, opts...))
}}

// Serve serves h with net/http until the test is over, and returns its URL.
func Serve(tb testing.TB, h http.Handler) string {
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // the panics of the checks
	srv.Start()
	tb.Cleanup(srv.Close)
	return srv.URL
}

// Run checks a server.
func Run(t *testing.T, s Server) {
	for _, check := range []struct {
		name string
		run  func(t *testing.T, s Server)
	}{
		{"protocol", protocolSuite},
		{"round trip", roundTrip},
		{"written headers", writtenHeaders},
		{"large requests and answers", large},
		{"refused before the body", refusedBeforeBody},
		{"refused while the body comes", refusedInBody},
		{"busy", busy},
		{"slow body", slowBody},
		{"truncated body", truncatedBody},
		{"next request on the connection", nextRequest},
		{"stream flows", streamFlows},
		{"broken stream", brokenStream},
		{"client goes away", clientGoesAway},
		{"tenant", tenant},
		{"panic", storagePanics},
		{"side by side", sideBySide},
	} {
		t.Run(check.name, func(t *testing.T) { check.run(t, s) })
	}
}

// protocolSuite holds the server against the specifications.
func protocolSuite(t *testing.T, s Server) {
	protocol.Run(t, s.Start(t, promwiretest.NewMemory(promwiretest.RefuseOlder)))
}
