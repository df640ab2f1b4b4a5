// Package promfasthttp serves Prometheus remote storage with fasthttp:
//
//	srv := &fasthttp.Server{Handler: promfasthttp.Handler(storage), StreamRequestBody: true}
//
// The handlers are those of package server, with all their options and limits. They run on fasthttp's own connections,
// without a copy of a body or of an answer in between: a request body is read from the connection into the handler's
// memory, an answer goes from there to the connection, a stream piece by piece.
//
// StreamRequestBody has to be set. Without it fasthttp reads a whole body, up to its MaxRequestBodySize, before the
// handler can refuse it; with it, fasthttp reads up to 8 KiB, and the limits of the handlers take the place of
// MaxRequestBodySize. Set ReadTimeout as well: it bounds how long headers and those 8 KiB may take.
//
// # Differences from net/http
//
// The context of a request ends when the client goes away, on Linux, macOS and the BSDs, if the connection is TCP without
// TLS, and without MaxConnsPerIP, which hides it. Elsewhere, a client that has gone is noticed when a part of the answer
// can't be sent.
//
// A panic of the storage ends that one request, as with net/http, and is logged by the server's Logger; fasthttp itself
// would end the program.
package promfasthttp
