package server

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/promwire/promwire"
)

// NewReadHandler returns a handler that answers Remote Read requests with what r yields.
//
// The answer is the first of the accepted types that the handler knows: SAMPLES (also if the request names none) or
// STREAMED_XOR_CHUNKS. For SAMPLES the whole answer is built in memory, within the limits ([WithReadLimits]). A stream
// takes constant memory: frames hold one series each, or a part of one. If r is a [promwire.ChunkReader], its chunks
// are streamed as they are, otherwise samples are encoded into chunks. Encodings that carry start timestamps are
// turned into those without, as no reader can refuse them.
//
// A query without matchers, and one that ends before it starts, selects nothing. r must yield series in label order:
// anything else is answered as its failure, unless [WithAnyOrder] is given.
//
// The answers:
//
//	200  the result. If a stream fails after its first bytes, the connection is aborted ([http.ErrAbortHandler]), so
//	     that no part passes for the whole
//	400  the request is malformed, a matcher is invalid, no accepted type is known, or there are too many queries,
//	     matchers, samples or bytes
//	405  not a POST
//	408  the body came too slowly for the server's read timeout
//	413  a limit on the sizes of the request
//	415  content encoding other than snappy
//	5xx  r failed; 503 for [promwire.ErrUnavailable] and for a request that was cancelled, in the queue too
//
// A [promwire.HTTPError] of r passes on its status (4xx, 5xx) and Retry-After.
func NewReadHandler(r promwire.Reader, opts ...ReadOption) http.Handler {
	h := &readHandler{reader: r, config: newReadConfig(opts)}
	h.chunks, _ = r.(promwire.ChunkReader)
	h.gate = newGate(h.config.limits.MaxConcurrent)
	return h
}

type readHandler struct {
	reader promwire.Reader
	chunks promwire.ChunkReader // nil if reader is none
	config readConfig
	gate   gate
	states sync.Pool // *readState
}

// ServeHTTP implements [http.Handler].
func (h *readHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := h.state()
	answer := &responder{w: w, control: http.NewResponseController(w)}
	defer answer.end()
	err := h.read(answer, r, s)
	switch {
	case err == nil:
		answer.complete = true
	case !answer.begun:
		fail(w, r, h.config.logger, err)
	default:
		logFailure(r, h.config.logger, statusOf(err), "aborted after the first bytes: "+errorText(err))
		panic(http.ErrAbortHandler)
	}
	// A panic of the storage skips this: nobody knows who still uses that memory.
	h.release(s)
}

func (h *readHandler) read(w *responder, r *http.Request, s *readState) error {
	if r.Method != http.MethodPost {
		return fmt.Errorf("%w: %.20q, want POST", errMethod, r.Method)
	}
	if _, err := checkEncoding(r.Header, nil); err != nil {
		return err
	}
	ctx, err := tenantContext(r, h.config.tenant)
	if err != nil {
		return err
	}
	var req promwire.ReadRequest
	if err := h.decode(&req, r, s); err != nil {
		return err
	}
	answer, err := negotiate(req.AcceptedResponseTypes)
	if err != nil {
		return err
	}
	if err := h.gate.enter(ctx); err != nil {
		return err
	}
	defer h.gate.leave()
	if err := compile(req.Queries, h.config.limits.MaxPatternBytes); err != nil {
		return err
	}
	if answer == promwire.ResponseStreamedXORChunks {
		return h.stream(ctx, w, req.Queries, s)
	}
	return h.samples(ctx, w, req.Queries, s)
}

// readRequestMessage names the message in errors.
const readRequestMessage promwire.MessageType = "prometheus.ReadRequest"

func (h *readHandler) decode(req *promwire.ReadRequest, r *http.Request, s *readState) (err error) {
	l := &h.config.limits
	if s.encoded, err = readBody(s.encoded, r, l.MaxBodyBytes); err != nil {
		return err
	}
	s.body.Reset(s.encoded, promwire.EncodingSnappy, readRequestMessage, l.MaxDecodedBytes)
	msg, err := s.body.Decoded()
	if err != nil {
		return err
	}
	if err := req.UnmarshalProto(msg); err != nil {
		return err
	}
	return checkQueries(req.Queries, l)
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

// patience is how long a client may take nothing of an answer before it is given up; its place among the concurrent
// reads would be lost to others for as long as it holds the connection.
const patience = time.Minute

// responder is a [http.ResponseWriter] that remembers whether the answer has begun, and gives up clients that have
// stopped reading.
type responder struct {
	w        http.ResponseWriter
	control  *http.ResponseController
	begun    bool
	complete bool
}

// end takes the deadline back, which would outlive the request on a connection that is kept. After an answer that is not
// complete, no more is written to the connection, or to the stream of HTTP/2. The panic alone is not enough: some
// frameworks, gin among them, recover from [http.ErrAbortHandler] too, and net/http would end the answer as a whole one.
func (r *responder) end() {
	if !r.begun {
		return
	}
	var deadline time.Time
	if !r.complete {
		deadline = time.Unix(1, 0)
	}
	_ = r.control.SetWriteDeadline(deadline) // not every server has deadlines
}

func (r *responder) Header() http.Header { return r.w.Header() }

func (r *responder) Write(p []byte) (int, error) {
	r.begun = true
	_ = r.control.SetWriteDeadline(time.Now().Add(patience)) // not every server has deadlines
	return r.w.Write(p)
}
