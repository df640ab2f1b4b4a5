// Package server turns a [promwire.Writer] and a [promwire.Reader] into the HTTP handlers of Prometheus remote
// storage: Remote Write 1.0 and 2.0, and Remote Read with samples and streamed chunks.
//
// The handlers are plain [http.Handler] values, for any router and any middleware. They are safe for concurrent use, and
// hold no state between requests but pooled memory. No goroutine of theirs outlives its request.
//
// # Servers without net/http
//
// Of a request, handlers use Method, URL.Path, Header (canonical names), ContentLength, Body, RemoteAddr, TLS and its context;
// whoever has an open connection without net/http fills in those. Body may be read from what the server holds, and is never
// closed. Of the [http.ResponseWriter], they use its methods and, if it has them, SetReadDeadline(time.Time) error,
// SetWriteDeadline(time.Time) error, and Flush() or FlushError() error. The panic [http.ErrAbortHandler] asks for the
// connection to be closed without an end of the answer.
//
// # Around the storage
//
// [WithAuth] lets through only senders that are known; [WithTenant] finds out the tenant; the storage finds both in the
// context, and with [WithRequestInContext] the request. [WithMetrics], [WithTrace] and [WithLogger] observe.
//
// # Bad input
//
// What a peer sends is bounded before memory is taken for it, and answered with a 4xx and a readable reason. A 5xx
// means that the storage failed. Which error gives which status is decided in one table.
//
// # Panics
//
// A panic of the storage goes on to net/http, which ends that one request, also if it came up in a goroutine of the
// handler (then its stack is logged). The memory of that request is not used again.
package server
