package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/webtest"
	"github.com/promwire/promwire/server"
)

func TestServer(t *testing.T) {
	webtest.Run(t, webtest.Server{Start: func(tb testing.TB, s promwire.Storage, opts ...server.Option) string {
		return webtest.Serve(tb, newRouter(s, opts...))
	}})
}

// A tenant can come from the path, or from middleware.
func TestTenant(t *testing.T) {
	webtest.RunTenants(t, func(tb testing.TB, s promwire.Storage) (url string) {
		router := chi.NewRouter()
		router.Route("/middleware/{tenant}", func(r chi.Router) {
			r.Use(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					next.ServeHTTP(w, r.WithContext(promwire.ContextWithTenant(r.Context(), chi.URLParam(r, "tenant"))))
				})
			})
			r.Post(server.WritePath, server.NewWriteHandler(s).ServeHTTP)
			r.Post(server.ReadPath, server.NewReadHandler(s).ServeHTTP)
		})
		example := newRouter(s)
		return webtest.Serve(tb, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if name, ok := strings.CutPrefix(r.URL.Path, "/path/"); ok {
				r.URL.Path = "/tenants/" + name
				example.ServeHTTP(w, r)
				return
			}
			router.ServeHTTP(w, r)
		}))
	})
}
