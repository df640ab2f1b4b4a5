// Package server turns a [promwire.Writer] and a [promwire.Reader] into the HTTP handlers of Prometheus remote
// storage: Remote Write 1.0 and 2.0, and Remote Read with samples and streamed chunks.
//
// The handlers are plain [http.Handler] values, for any router and any middleware. They are safe for concurrent use, and
// hold no state between requests but pooled memory. No goroutine of theirs outlives its request.
//
// # Writing a storage
//
// Implement [promwire.Writer], [promwire.Reader] or both; [promwire.ChunkReader] and [promwire.BodyWriter] only make them faster,
// and are found by type assertion. promwiretest.TestStorage holds an implementation against all that follows. For a storage
// that has whole series in memory, [promwire.MergeSeries], [promwire.Query.Select] and [promwire.SortedSeries] are most of it.
//
// Concurrency: all methods are called from several goroutines, at most [WriteLimits].MaxConcurrent and [ReadLimits].MaxConcurrent
// requests at a time. Each query of a read request is a call of Read; up to MaxParallelQueries of a request run side by side.
//
// Memory: a request belongs to the handler and is used again when Write returns, its strings and slices too:
// [promwire.WriteRequest.Clone] keeps what a storage keeps. A series belongs to the storage, which may use its memory again
// when the loop asks for the next one. Strings and slices in a Query may be kept.
//
// What Write gets: series with labels that are sorted, unique, valid and not empty, in the order of the message; what
// broke these rules was taken out and is refused by the handler. Values and times are as they were sent. A request whose
// structs take more than some 8 MiB comes as several calls of Write, once all of the message was found well-formed; when one of
// them fails with an error that may pass, the rest is not passed on, and the sender repeats all: the same sample
// again must count as written.
//
// What Write returns: how many items were written, so that they are there after a crash; if some were refused for good, a
// [*promwire.PartialWriteError] besides, which names each by its index in the request, with one of the reasons of package
// promwire. The counts go out in the Written headers of 2.0, whatever the error is.
//
// What Read yields: series in label order, each with its samples in order of time, those from q.Start to q.End, both included; a long
// series may come in parts of equal labels, one after the other. A matcher sees a missing label as an empty one.
// Hints are advice. After a failure it yields one error and stops. Exemplars and metadata are not
// asked for.
//
// The context ends when the sender has gone or the server ends; it carries the tenant ([promwire.TenantFromContext]), the user
// ([UserFromContext]), with [WithRequestInContext] the request ([RequestFromContext]), and what [WithTrace] put in.
//
// What an error becomes (the first line that holds):
//
//	error                                      write   read
//	ErrUnavailable                             503     503
//	context.Canceled                           503     503
//	context.DeadlineExceeded                   503     503
//	HTTPError with 429 or 5xx                  same    same
//	PartialWriteError                          400     400
//	HTTPError with another 4xx                 same    same
//	HTTPError with another status              502     502
//	ErrTooLarge                                413     500
//	ErrUnsupported                             415     500
//	DecodeError                                400     500
//	a reason to refuse, such as ErrTooOld      400     500
//	any other                                  500     500
//
// Senders repeat a request after 5xx and 429, and drop it after other 4xx: a storage that can't work now must say
// ErrUnavailable or fail with an error of no kind. Retry-After comes from HTTPError. A read that fails after its first
// bytes were sent breaks the connection.
//
// # Memory
//
// A write takes the compressed body, the decompressed one, 16 bytes for each symbol of a 2.0 message, and about 8 MiB for
// decoded series at most, if one series alone is not larger; a compressed body above 4 MiB is let go before the storage is
// called. Bodies of all requests together are bounded by [WriteLimits].MaxBytesInFlight. For a [promwire.BodyWriter], what
// it makes of the body is its own.
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
// means that the storage failed. Which error gives which status is decided in one table. "make fuzz-handlers" sends ten
// million hostile requests to each handler; docs/hostile.md has what is checked, and how memory is measured.
//
// # Panics
//
// A panic of the storage goes on to net/http, which ends that one request, also if it came up in a goroutine of the
// handler (then its stack is logged). The memory of that request is not used again.
package server
