package promhertz

import (
	"context"
	"net/http"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/route"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// Mount serves s under r, a [github.com/cloudwego/hertz/pkg/app/server.Hertz] or a group, at the paths of Prometheus:
// [server.WritePath], [server.PushPath] and [server.ReadPath]. Each handler takes the options that are meant for it.
func Mount(r route.IRoutes, s promwire.Storage, opts ...server.Option) {
	write, read := server.NewHandlers(s, opts...)
	r.Any(server.WritePath, handle(write))
	r.Any(server.PushPath, handle(write))
	r.Any(server.ReadPath, handle(read))
}

// Write returns a handler for what is written to w, for a path of one's own: see [server.NewWriteHandler].
func Write(w promwire.Writer, opts ...server.WriteOption) app.HandlerFunc {
	return handle(server.NewWriteHandler(w, opts...))
}

// Read returns a handler for what is read from r, for a path of one's own: see [server.NewReadHandler].
func Read(r promwire.Reader, opts ...server.ReadOption) app.HandlerFunc {
	return handle(server.NewReadHandler(r, opts...))
}

func handle(h http.Handler) app.HandlerFunc {
	return func(ctx context.Context, c *app.RequestContext) {
		x := newExchange(ctx, c)
		x.run(h)
		x.end()
	}
}
