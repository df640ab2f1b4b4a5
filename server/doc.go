// Package server turns a [promwire.Writer] and a [promwire.Reader] into the HTTP handlers of Prometheus remote
// storage: Remote Write 1.0 and 2.0, and Remote Read with samples and streamed chunks.
//
// The handlers are plain [http.Handler] values, for any router and any middleware. They are safe for concurrent use,
// start no goroutine and hold no state between requests but pooled memory.
//
// # Bad input
//
// What a peer sends is bounded before memory is taken for it, and answered with a 4xx and a readable reason. A 5xx
// means that the storage failed. Which error gives which status is decided in one table.
//
// # Panics
//
// A panic of the storage goes on to net/http, which ends that one request. The memory of that request is not used
// again.
package server
