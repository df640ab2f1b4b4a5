// Package promhertz mounts Prometheus remote storage in a hertz router:
//
//	h := server.New(server.WithStreamBody(true), server.WithTransport(standard.NewTransporter)) // of hertz
//	promhertz.Mount(h, storage)
//
// The handlers are those of package server, with all their options and limits. They run on hertz's own connections,
// without a copy of a body or of an answer in between: a request body is read from the connection into the handler's
// memory, an answer goes from there to the connection, a stream piece by piece.
//
// The context that middleware passes on reaches the storage: a tenant, for one, by [promwire.ContextWithTenant].
// Parameters of the path are in the request that hooks such as that of [server.WithTenant] get ([http.Request.PathValue]).
// That request is made for them, and may be kept.
//
// # What to set
//
// WithStreamBody: without it hertz reads a whole body, up to its MaxRequestBodySize, before the handler can refuse it;
// with it, hertz reads up to 8 KiB, and the limits of the handlers take the place of MaxRequestBodySize.
//
// WithTransport(standard.NewTransporter): the other transport, netpoll, which is the default on Linux and macOS, takes
// into memory whatever a client sends, before anybody asks for it. Of a body of 1 GB that no handler read, it held 500 MB
// when the client stopped; the standard transport had let the client send 3 MB. With netpoll the limits of the handlers
// still decide what is decoded and stored, but no longer what a client can make the process hold.
//
// WithReadTimeout: it bounds how long headers and those 8 KiB may take.
//
// # Differences from net/http
//
// The context of a request ends when the client goes away. With netpoll it does so with WithSenseClientDisconnection only.
//
// A panic of the storage ends that one request, as with net/http, and is logged by hlog, whatever middleware recovers.
package promhertz
