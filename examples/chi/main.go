// The program is Prometheus remote storage in memory, in a chi router. chi takes the handlers as they are; so does every
// other router for net/http.
package main

import (
	"log"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/server"
)

func main() {
	storage := promwiretest.NewMemory(promwiretest.RefuseOlder) // yours goes here
	srv := &http.Server{Addr: "127.0.0.1:9201", Handler: newRouter(storage), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(srv.ListenAndServe())
}

func newRouter(storage promwire.Storage, opts ...server.Option) http.Handler {
	router := chi.NewRouter()
	router.Use(middleware.RequestID, middleware.Recoverer)
	router.Mount("/", server.NewHandler(storage, opts...))

	// The same storage with a tenant in the path. What middleware puts into the context works as well.
	tenant := server.WithTenant(func(r *http.Request) (string, error) { return chi.URLParam(r, "tenant"), nil })
	write, read := server.NewHandlers(storage, tenant)
	router.Route("/tenants/{tenant}", func(r chi.Router) {
		r.Handle(server.WritePath, write)
		r.Handle(server.ReadPath, read)
	})
	return router
}
