package server

import (
	"context"
	"net/http"
	"time"

	"github.com/promwire/promwire"
)

// Operation is what a handler does.
type Operation string

// The operations.
const (
	OperationWrite Operation = "write"
	OperationRead  Operation = "read"
)

// Metrics observes the requests of handlers. Module adapter/clientgolang has one, in its package servermetrics.
// Implementations are safe for concurrent use and fast, as each request waits for them. For the write handler without
// tenants they cost no allocation.
type Metrics interface {
	// RequestBegun is called when a request arrives, before anything of it is judged.
	RequestBegun(op Operation)
	// RequestDone is called once for each RequestBegun, also if the storage panics.
	RequestDone(s RequestStats)
}

// RequestStats is what became of a request. What a handler did not get to know is zero.
type RequestStats struct {
	Operation Operation
	Message   promwire.MessageType // of a write, once its content type was accepted
	User      string               // see [WithAuth]
	Tenant    string               // see [WithTenant]; what senders choose at will is no label for metrics
	Duration  time.Duration        // from the arrival to the end of the answer

	// Status is that of the answer; 500 if the storage panicked.
	Status int
	// Cause says in a stable word why the request failed, "" if it did not: one of [Causes]. For a status of 400 of a
	// write it may be "partial": see Err.
	Cause string
	// Err is what the answer was made of, nil for success. If it has a [*promwire.PartialWriteError], that names the
	// items that were refused, and [promwire.Reason] tells why. It must not be modified.
	Err error

	// BodyBytes is the size of the request's body as it came, DecodedBytes decompressed.
	BodyBytes, DecodedBytes int
	// Written counts what was written, also of requests that failed in the end.
	Written promwire.WriteStats

	// Queries is the number of queries in a read request.
	Queries int
	// Series counts those of a write request that were passed to the storage (0 if that is a [promwire.BodyWriter]), or
	// those that a read has yielded; parts of a series count each.
	Series int
	// Samples counts what a read of type SAMPLES has yielded, histograms included, Chunks what a stream has sent.
	Samples, Chunks int
	// AnswerBytes is the size of a read's answer as it was sent.
	AnswerBytes int
}

// WithMetrics has m observe all requests. Default, and for nil: nothing does.
func WithMetrics(m Metrics) SharedOption {
	return sharedOption(func(c *common) { c.metrics = m })
}

// TraceFunc begins a span for a request, and returns the context for all that is done for it, and a function that ends
// the span (nil if nothing is to be ended).
type TraceFunc func(ctx context.Context, op Operation, r *http.Request) (context.Context, func(RequestStats))

// WithTrace has begin called for each request when it arrives. Whatever traces, this is the place to take the parent from
// the request's headers. Default, and for nil: nothing is called.
func WithTrace(begin TraceFunc) SharedOption {
	return sharedOption(func(c *common) { c.trace = begin })
}

// run is a request on its way through a handler.
type run struct {
	config *common
	begun  time.Time
	end    func(RequestStats)
	stats  RequestStats
}

// start begins a request; done ends it. It returns the request's context.
func (x *run) start(c *common, op Operation, r *http.Request) context.Context {
	*x = run{config: c, stats: RequestStats{Operation: op, Status: http.StatusInternalServerError, Cause: causePanic}}
	ctx := r.Context()
	if c.metrics == nil && c.trace == nil {
		return ctx
	}
	x.begun = time.Now()
	if c.metrics != nil {
		c.metrics.RequestBegun(op)
	}
	if c.trace != nil {
		ctx, x.end = c.trace(ctx, op, r)
	}
	return ctx
}

// readStats notes what a read handler has counted.
func (x *run) readStats(s *RequestStats, sent int) {
	x.stats.User, x.stats.Tenant = s.User, s.Tenant
	x.stats.BodyBytes, x.stats.DecodedBytes, x.stats.AnswerBytes = s.BodyBytes, s.DecodedBytes, sent
	x.stats.Queries, x.stats.Series, x.stats.Samples, x.stats.Chunks = s.Queries, s.Series, s.Samples, s.Chunks
}

// result notes what the request is answered with.
func (x *run) result(status int, err error) {
	x.stats.Status, x.stats.Err, x.stats.Cause = status, err, causeOf(err)
}

// done reports the request. Without result, the storage has panicked.
func (x *run) done() {
	c := x.config
	if c.metrics == nil && c.trace == nil {
		return
	}
	x.stats.Duration = time.Since(x.begun)
	if x.end != nil {
		x.end(x.stats)
	}
	if c.metrics != nil {
		c.metrics.RequestDone(x.stats)
	}
}
