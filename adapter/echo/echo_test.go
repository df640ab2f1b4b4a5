package promecho_test

import (
	"log/slog"
	"net/http"
	"testing"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"

	"github.com/promwire/promwire"
	promecho "github.com/promwire/promwire/adapter/echo"
	"github.com/promwire/promwire/internal/webtest"
	"github.com/promwire/promwire/server"
)

// echoServer is a server with the usual middleware.
var echoServer = webtest.Server{Start: func(tb testing.TB, s promwire.Storage, opts ...server.Option) string {
	e := newEcho()
	promecho.Mount(e, s, opts...)
	return webtest.Serve(tb, e)
}}

func newEcho() *echo.Echo {
	e := echo.New()
	e.Logger = slog.New(slog.DiscardHandler)
	e.Use(middleware.RequestLogger(), middleware.Recover())
	return e
}

func TestServer(t *testing.T) { webtest.Run(t, echoServer) }

func BenchmarkServer(b *testing.B) {
	b.Run("impl=nethttp", func(b *testing.B) { webtest.Bench(b, webtest.NetHTTP) })
	b.Run("impl=echo", func(b *testing.B) { webtest.Bench(b, echoServer) })
}

// A tenant can come from the path, or from middleware.
func TestTenant(t *testing.T) {
	webtest.RunTenants(t, func(tb testing.TB, s promwire.Storage) (url string) {
		e := newEcho()
		tenant := server.WithTenant(func(r *http.Request) (string, error) { return r.PathValue("tenant"), nil })
		promecho.Mount(e.Group("/path/:tenant"), s, tenant)
		group := e.Group("/middleware/:tenant", func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c *echo.Context) error {
				r := c.Request()
				c.SetRequest(r.WithContext(promwire.ContextWithTenant(r.Context(), c.Param("tenant"))))
				return next(c)
			}
		})
		group.POST("/api/v1/write", promecho.Write(s))
		group.POST("/api/v1/read", promecho.Read(s))
		return webtest.Serve(tb, e)
	})
}
