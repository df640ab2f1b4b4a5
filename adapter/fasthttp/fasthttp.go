package promfasthttp

import (
	"context"
	"net/http"

	"github.com/valyala/fasthttp"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// Handler serves s at the paths of Prometheus, [server.WritePath], [server.PushPath] and [server.ReadPath], and answers
// 404 to others. Each handler takes the options that are meant for it.
func Handler(s promwire.Storage, opts ...server.Option) fasthttp.RequestHandler {
	w, r := server.NewHandlers(s, opts...)
	return func(rc *fasthttp.RequestCtx) {
		switch string(rc.Path()) {
		case server.WritePath, server.PushPath:
			ServeWrite(context.Background(), rc, w)
		case server.ReadPath:
			ServeRead(context.Background(), rc, r)
		default:
			rc.Error(http.StatusText(http.StatusNotFound), http.StatusNotFound)
		}
	}
}

// Write returns a handler for what is written to w, for a path of one's own: see [server.NewWriteHandler].
func Write(w promwire.Writer, opts ...server.WriteOption) fasthttp.RequestHandler {
	h := server.NewWriteHandler(w, opts...)
	return func(rc *fasthttp.RequestCtx) { ServeWrite(context.Background(), rc, h) }
}

// Read returns a handler for what is read from r, for a path of one's own: see [server.NewReadHandler].
func Read(r promwire.Reader, opts ...server.ReadOption) fasthttp.RequestHandler {
	h := server.NewReadHandler(r, opts...)
	return func(rc *fasthttp.RequestCtx) { ServeRead(context.Background(), rc, h) }
}

// ServeWrite answers one request with a handler of [server.NewWriteHandler]. The storage gets the values of ctx, such as
// that of [promwire.ContextWithTenant], and its end; rc itself is no context for it, as fasthttp uses that again.
//
// The request that hooks of h get is made for them, and may be kept. Its path values are the user values of rc that are
// strings with string keys, where routers for fasthttp put parameters of the path.
func ServeWrite(ctx context.Context, rc *fasthttp.RequestCtx, h http.Handler) {
	x := newExchange(ctx, rc)
	x.run(h)
	x.body.linger(rc)
	x.commit(len(x.small))
	rc.Response.AppendBody(x.small)
}

// ServeRead answers one request with a handler of [server.NewReadHandler], as [ServeWrite] does. The answer is sent while
// it is made, after ServeRead has returned: h runs on as fasthttp asks for more. If it fails after the first bytes, the
// connection is closed.
func ServeRead(ctx context.Context, rc *fasthttp.RequestCtx, h http.Handler) {
	x := newExchange(ctx, rc)
	body := newAnswer(x, h)
	if body == nil {
		x.body.linger(rc)
		x.commit(len(x.small))
		rc.Response.AppendBody(x.small)
		return
	}
	rc.Response.SetBodyStream(body, x.commit(-1))
}
