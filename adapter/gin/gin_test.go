package promgin_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/promwire/promwire"
	promgin "github.com/promwire/promwire/adapter/gin"
	"github.com/promwire/promwire/internal/webtest"
	"github.com/promwire/promwire/server"
)

// ginServer is a server as gin.Default makes it, which does not log.
var ginServer = webtest.Server{Start: func(tb testing.TB, s promwire.Storage, opts ...server.Option) string {
	router := newRouter()
	promgin.Mount(router, s, opts...)
	return webtest.Serve(tb, router)
}}

func newRouter() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.Use(gin.LoggerWithWriter(io.Discard), gin.RecoveryWithWriter(io.Discard))
	return router
}

func TestServer(t *testing.T) { webtest.Run(t, ginServer) }

func BenchmarkServer(b *testing.B) {
	b.Run("impl=nethttp", func(b *testing.B) { webtest.Bench(b, webtest.NetHTTP) })
	b.Run("impl=gin", func(b *testing.B) { webtest.Bench(b, ginServer) })
}

// A tenant can come from the path, or from middleware.
func TestTenant(t *testing.T) {
	webtest.RunTenants(t, func(tb testing.TB, s promwire.Storage) (url string) {
		router := newRouter()
		tenant := server.WithTenant(func(r *http.Request) (string, error) { return r.PathValue("tenant"), nil })
		promgin.Mount(router.Group("/path/:tenant"), s, tenant)
		group := router.Group("/middleware/:tenant", func(c *gin.Context) {
			c.Request = c.Request.WithContext(promwire.ContextWithTenant(c.Request.Context(), c.Param("tenant")))
		})
		group.POST("/api/v1/write", promgin.Write(s))
		group.POST("/api/v1/read", promgin.Read(s))
		return webtest.Serve(tb, router)
	})
}
