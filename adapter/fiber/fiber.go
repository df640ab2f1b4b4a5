// Package promfiber mounts Prometheus remote storage in a fiber router:
//
//	app := fiber.New(fiber.Config{StreamRequestBody: true})
//	promfiber.Mount(app, storage)
//
// The handlers are those of package server, with all their options and limits; they run on fasthttp's connections, as
// package promfasthttp has it, without net/http's server and without copies of bodies and answers. What is said there
// holds here: StreamRequestBody has to be set, and then the limits of the handlers take the place of BodyLimit.
//
// The context that middleware sets ([fiber.Ctx.SetContext]) reaches the storage: a tenant, for one, by
// [promwire.ContextWithTenant]. Parameters of the path are in the request that hooks such as that of
// [server.WithTenant] get ([http.Request.PathValue]).
package promfiber

import (
	"context"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"

	"github.com/promwire/promwire"
	promfasthttp "github.com/promwire/promwire/adapter/fasthttp"
	"github.com/promwire/promwire/server"
)

// Mount serves s under r, a [fiber.App] or a group, at the paths of Prometheus: [server.WritePath], [server.PushPath] and
// [server.ReadPath]. Each handler takes the options that are meant for it.
func Mount(r fiber.Router, s promwire.Storage, opts ...server.Option) {
	write, read := server.NewHandlers(s, opts...)
	r.All(server.WritePath, handle(promfasthttp.ServeWrite, write))
	r.All(server.PushPath, handle(promfasthttp.ServeWrite, write))
	r.All(server.ReadPath, handle(promfasthttp.ServeRead, read))
}

// Write returns a handler for what is written to w, for a path of one's own: see [server.NewWriteHandler].
func Write(w promwire.Writer, opts ...server.WriteOption) fiber.Handler {
	return handle(promfasthttp.ServeWrite, server.NewWriteHandler(w, opts...))
}

// Read returns a handler for what is read from r, for a path of one's own: see [server.NewReadHandler].
func Read(r promwire.Reader, opts ...server.ReadOption) fiber.Handler {
	return handle(promfasthttp.ServeRead, server.NewReadHandler(r, opts...))
}

func handle(serve func(context.Context, *fasthttp.RequestCtx, http.Handler), h http.Handler) fiber.Handler {
	return func(c fiber.Ctx) error {
		rc := c.RequestCtx()
		for _, name := range c.Route().Params { // where the request for hooks takes them from
			rc.SetUserValue(name, strings.Clone(c.Params(name)))
		}
		serve(c.Context(), rc, h)
		return nil
	}
}
