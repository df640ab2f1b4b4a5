package promfasthttp_test

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/promwire/promwire"
	promfasthttp "github.com/promwire/promwire/adapter/fasthttp"
	"github.com/promwire/promwire/internal/webtest"
	"github.com/promwire/promwire/server"
)

// prefetched is what fasthttp reads of a body before it calls a handler.
const prefetched = 8 << 10

var fasthttpServer = webtest.Server{Prefetched: prefetched, Start: func(tb testing.TB, s promwire.Storage, opts ...server.Option) string {
	return serve(tb, promfasthttp.Handler(s, opts...))
}}

func serve(tb testing.TB, h fasthttp.RequestHandler) (url string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	srv := &fasthttp.Server{Handler: h, StreamRequestBody: true, Logger: log.New(io.Discard, "", 0), CloseOnShutdown: true}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := srv.Serve(l); err != nil {
			tb.Error(err)
		}
	}()
	tb.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // connections of the tests are closed anyway
		_ = srv.ShutdownWithContext(ctx)
		<-done
	})
	return "http://" + l.Addr().String()
}

func TestServer(t *testing.T) { webtest.Run(t, fasthttpServer) }

func BenchmarkServer(b *testing.B) {
	b.Run("impl=nethttp", func(b *testing.B) { webtest.Bench(b, webtest.NetHTTP) })
	b.Run("impl=fasthttp", func(b *testing.B) { webtest.Bench(b, fasthttpServer) })
}

// A tenant can come from user values, where routers put parameters, or from the context of the caller.
func TestTenant(t *testing.T) {
	webtest.RunTenants(t, func(tb testing.TB, s promwire.Storage) (url string) {
		below := promfasthttp.Handler(s, server.WithTenant(func(r *http.Request) (string, error) { return r.PathValue("tenant"), nil }))
		write, read := server.NewHandlers(s)
		return serve(tb, func(rc *fasthttp.RequestCtx) {
			parts := strings.SplitN(strings.Clone(string(rc.Path())), "/", 4)
			rc.URI().SetPath("/" + parts[3])
			if parts[1] == "path" {
				rc.SetUserValue("tenant", parts[2])
				below(rc)
				return
			}
			ctx := promwire.ContextWithTenant(context.Background(), parts[2])
			if "/"+parts[3] == server.WritePath {
				promfasthttp.ServeWrite(ctx, rc, write)
			} else {
				promfasthttp.ServeRead(ctx, rc, read)
			}
		})
	})
}
