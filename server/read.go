package server

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/promwire/promwire"
)

// NewReadHandler returns a handler that answers Remote Read requests with what r yields.
//
// The answer is the first of the accepted types that the handler knows: SAMPLES (also if the request names none) or
// STREAMED_XOR_CHUNKS. For SAMPLES the whole answer is built in memory, compressed, within the limits
// ([WithReadLimits]). A stream takes constant memory, however much is read: frames hold one series each, or a part of
// one, and are sent as they come. If r is a [promwire.ChunkReader], its chunks are streamed as they are, otherwise
// samples are encoded into chunks. Encodings that carry start timestamps are turned into those without, as no reader
// can refuse them.
//
// Several queries of a request are read side by side ([ReadLimits.MaxParallelQueries]), all but one of them in
// goroutines that end before the handler returns; results are in the order of the queries. r gets matchers compiled, and
// the hints of the query.
//
// A query without matchers, and one that ends before it starts, selects nothing. r must yield series in label order:
// anything else is answered as its failure, unless [WithSort] or [WithAnyOrder] is given.
//
// The answers:
//
//	200  the result. If a stream fails after its first bytes, it ends with a frame that is cut off and reads as the
//	     reason, and the connection (in HTTP/2, the stream) is aborted by [http.ErrAbortHandler]: no part passes for
//	     the whole
//	400  the request is malformed, a matcher is invalid, no accepted type is known, or there are too many queries,
//	     matchers, series, samples or bytes
//	405  not a POST
//	408  the body came too slowly
//	413  a limit on the sizes of the request
//	415  content encoding other than snappy
//	503  too many requests at the same time (with Retry-After), too much time in the storage, a cancelled request, and
//	     [promwire.ErrUnavailable] of r
//	5xx  r failed
//
// A [promwire.HTTPError] of r passes on its status (4xx, 5xx) and Retry-After.
func NewReadHandler(r promwire.Reader, opts ...ReadOption) http.Handler {
	h := &readHandler{reader: r, config: newReadConfig(opts)}
	h.chunks, _ = r.(promwire.ChunkReader)
	h.gate = newGate(h.config.limits.MaxConcurrent)
	h.bodies.limit = int64(h.config.limits.MaxBytesInFlight)
	return h
}

type readHandler struct {
	reader promwire.Reader
	chunks promwire.ChunkReader // nil if reader is none
	config readConfig
	gate   gate      // of queries
	bodies admission // bytes of requests that are being read
	states sync.Pool // *readState
}

// ServeHTTP implements [http.Handler].
func (h *readHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var x run
	ctx := x.start(&h.config.common, OperationRead, r)
	defer x.done()
	s := h.state()
	s.stats = RequestStats{}
	answer := &responder{w: w, control: http.NewResponseController(w)}
	defer answer.end()
	err := h.read(ctx, answer, r, s)
	answer.complete = err == nil
	status := http.StatusOK
	if err != nil && !answer.begun {
		status = fail(w, r, h.config.logger, err)
	}
	s.takeStats()
	x.readStats(&s.stats, answer.sent)
	x.result(status, err)
	if err != nil && answer.begun {
		answer.failure = errorText(err)
		logFailure(r, h.config.logger, statusOf(err), "aborted after the first bytes: "+answer.failure)
		panic(http.ErrAbortHandler)
	}
	// A panic of the storage skips this: nobody knows who still uses that memory.
	h.release(s)
}

func (h *readHandler) read(ctx context.Context, w *responder, r *http.Request, s *readState) error {
	if r.Method != http.MethodPost {
		return fmt.Errorf("%w: %.20q, want POST", errMethod, r.Method)
	}
	if _, err := checkEncoding(r.Header, nil); err != nil {
		return err
	}
	ctx, err := h.config.enter(ctx, r, &s.stats)
	if err != nil {
		return err
	}
	var req promwire.ReadRequest
	if err := h.receive(&req, w.w, r, s); err != nil {
		return err
	}
	s.stats.Queries = len(req.Queries)
	answer, err := negotiate(req.AcceptedResponseTypes)
	if err != nil {
		return err
	}
	if err := h.gate.enterWithin(ctx, h.config.limits.MaxWait); err != nil {
		return err
	}
	defer h.gate.leave()
	if err := compile(req.Queries, h.config.limits.MaxPatternBytes); err != nil {
		return err
	}
	b, ctx, cancel := newBudget(ctx, h.config.limits.MaxTime)
	defer cancel()
	w.budget = b
	if answer == promwire.ResponseStreamedXORChunks {
		err = h.stream(ctx, w, req.Queries, s)
	} else {
		err = h.samples(ctx, w, req.Queries, s)
	}
	return b.explain(ctx, err)
}

// receive reads the request, if there is room for its body.
func (h *readHandler) receive(req *promwire.ReadRequest, w http.ResponseWriter, r *http.Request, s *readState) (err error) {
	l := &h.config.limits
	if err := h.bodies.welcome(r.Context(), announcedBody(r, l.MaxBodyBytes)); err != nil {
		return err
	}
	held := claims{all: &h.bodies}
	defer func() { held.release(held.held) }()
	limited := limitBodyTime(w, r, l.MaxBodyTime)
	if s.encoded, err = readAll(s.encoded, r, l.MaxBodyBytes, &held); err != nil {
		return err
	}
	if limited != nil {
		_ = limited.SetReadDeadline(time.Time{})
	}
	s.stats.BodyBytes = len(s.encoded)
	m := meter{codec: promwire.Snappy}
	if err := held.add(int64(m.announced(s.encoded, l.MaxDecodedBytes))); err != nil {
		return err
	}
	return h.decode(req, s)
}

// readRequestMessage names the message in errors.
const readRequestMessage promwire.MessageType = "prometheus.ReadRequest"

func (h *readHandler) decode(req *promwire.ReadRequest, s *readState) error {
	l := &h.config.limits
	s.body.Reset(s.encoded, promwire.EncodingSnappy, readRequestMessage, l.MaxDecodedBytes)
	msg, err := s.body.Decoded()
	if err != nil {
		return err
	}
	s.stats.DecodedBytes = len(msg)
	if err := checkSize(msg, l); err != nil {
		return err
	}
	return req.UnmarshalProto(msg)
}

// negotiate returns the first of the accepted response types that the handler knows (Remote Read, "Streamed Chunks").
func negotiate(accepted []promwire.ResponseType) (promwire.ResponseType, error) {
	if len(accepted) == 0 {
		return promwire.ResponseSamples, nil
	}
	for _, t := range accepted {
		if t == promwire.ResponseSamples || t == promwire.ResponseStreamedXORChunks {
			return t, nil
		}
	}
	return 0, fmt.Errorf("%w: none of the accepted response types is supported, want SAMPLES (0) or STREAMED_XOR_CHUNKS (1)",
		errBadRequest)
}

// selectsNothing reports whether the storage need not be asked.
func selectsNothing(q *promwire.Query) bool {
	return len(q.Matchers) == 0 || q.Start.After(q.End)
}
