// Package promgin mounts Prometheus remote storage in a gin router:
//
//	promgin.Mount(router, storage)
//
// The handlers are those of package server, with all their options and limits. What middleware puts into the context of
// the request reaches the storage: a tenant, for one, by [promwire.ContextWithTenant]. Parameters of the path are in the
// request that hooks such as that of [server.WithTenant] get ([http.Request.PathValue]).
//
// A stream that fails half-way ends the connection, behind gin.Recovery too, which recovers from
// [http.ErrAbortHandler] as from any panic.
package promgin

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// Mount serves s under r, a [gin.Engine] or a [gin.RouterGroup], at the paths of Prometheus: [server.WritePath],
// [server.PushPath] and [server.ReadPath]. Each handler takes the options that are meant for it.
func Mount(r gin.IRoutes, s promwire.Storage, opts ...server.Option) {
	write, read := server.NewHandlers(s, opts...)
	r.Any(server.WritePath, handle(write))
	r.Any(server.PushPath, handle(write))
	r.Any(server.ReadPath, handle(read))
}

// Write returns a handler for what is written to w, for a path of one's own: see [server.NewWriteHandler].
func Write(w promwire.Writer, opts ...server.WriteOption) gin.HandlerFunc {
	return handle(server.NewWriteHandler(w, opts...))
}

// Read returns a handler for what is read from r, for a path of one's own: see [server.NewReadHandler].
func Read(r promwire.Reader, opts ...server.ReadOption) gin.HandlerFunc {
	return handle(server.NewReadHandler(r, opts...))
}

func handle(h http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		for _, p := range c.Params {
			c.Request.SetPathValue(p.Key, p.Value)
		}
		h.ServeHTTP(c.Writer, c.Request)
	}
}
