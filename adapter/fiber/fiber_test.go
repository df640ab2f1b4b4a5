package promfiber_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/recover"

	"github.com/promwire/promwire"
	promfiber "github.com/promwire/promwire/adapter/fiber"
	"github.com/promwire/promwire/internal/webtest"
	"github.com/promwire/promwire/server"
)

// prefetched is what fasthttp reads of a body before it calls a handler.
const prefetched = 8 << 10

var fiberServer = webtest.Server{Prefetched: prefetched, Start: func(tb testing.TB, s promwire.Storage, opts ...server.Option) string {
	app := newApp()
	promfiber.Mount(app, s, opts...)
	return serve(tb, app)
}}

func newApp() *fiber.App {
	app := fiber.New(fiber.Config{StreamRequestBody: true})
	app.Use(recover.New())
	return app
}

func serve(tb testing.TB, app *fiber.App) (url string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := app.Listener(l, fiber.ListenConfig{DisableStartupMessage: true}); err != nil {
			tb.Error(err)
		}
	}()
	tb.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // connections of the tests are closed anyway
		_ = app.ShutdownWithContext(ctx)
		_ = l.Close() // if the server has not begun
		<-done
	})
	return "http://" + l.Addr().String()
}

func TestServer(t *testing.T) { webtest.Run(t, fiberServer) }

func BenchmarkServer(b *testing.B) {
	b.Run("impl=nethttp", func(b *testing.B) { webtest.Bench(b, webtest.NetHTTP) })
	b.Run("impl=fiber", func(b *testing.B) { webtest.Bench(b, fiberServer) })
}

// A tenant can come from the path, or from middleware.
func TestTenant(t *testing.T) {
	webtest.RunTenants(t, func(tb testing.TB, s promwire.Storage) (url string) {
		app := newApp()
		tenant := server.WithTenant(func(r *http.Request) (string, error) { return r.PathValue("tenant"), nil })
		promfiber.Mount(app.Group("/path/:tenant"), s, tenant)
		group := app.Group("/middleware/:tenant", func(c fiber.Ctx) error {
			c.SetContext(promwire.ContextWithTenant(c.Context(), strings.Clone(c.Params("tenant"))))
			return c.Next()
		})
		group.Post("/api/v1/write", promfiber.Write(s))
		group.Post("/api/v1/read", promfiber.Read(s))
		return serve(tb, app)
	})
}
