// Package promecho mounts Prometheus remote storage in an echo router:
//
//	promecho.Mount(e, storage)
//
// The handlers are those of package server, with all their options and limits. What middleware puts into the context of
// the request reaches the storage: a tenant, for one, by [promwire.ContextWithTenant]. Parameters of the path are in the
// request that hooks such as that of [server.WithTenant] get ([http.Request.PathValue]).
package promecho

import (
	"net/http"

	"github.com/labstack/echo/v5"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// Router is an [echo.Echo] or an [echo.Group].
type Router interface {
	Any(path string, h echo.HandlerFunc, middleware ...echo.MiddlewareFunc) echo.RouteInfo
}

// Mount serves s under r at the paths of Prometheus: [server.WritePath], [server.PushPath] and [server.ReadPath]. Each
// handler takes the options that are meant for it.
func Mount(r Router, s promwire.Storage, opts ...server.Option) {
	write, read := server.NewHandlers(s, opts...)
	r.Any(server.WritePath, handle(write))
	r.Any(server.PushPath, handle(write))
	r.Any(server.ReadPath, handle(read))
}

// Write returns a handler for what is written to w, for a path of one's own: see [server.NewWriteHandler].
func Write(w promwire.Writer, opts ...server.WriteOption) echo.HandlerFunc {
	return handle(server.NewWriteHandler(w, opts...))
}

// Read returns a handler for what is read from r, for a path of one's own: see [server.NewReadHandler].
func Read(r promwire.Reader, opts ...server.ReadOption) echo.HandlerFunc {
	return handle(server.NewReadHandler(r, opts...))
}

func handle(h http.Handler) echo.HandlerFunc { return echo.WrapHandler(h) }
