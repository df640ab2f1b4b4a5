package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/promwire/promwire"
)

// NewWriteHandler returns a handler that takes Remote Write 1.0 and 2.0 requests and passes them to w.
//
// The content type chooses the message, leniently ([promwire.ParseContentType]); it and the content encoding are
// judged before the body is read. Bodies are snappy blocks, or what [WithCompressions] adds, within the limits ([WithWriteLimits]).
//
// Series are judged by [promwire.Rules]: what is invalid is refused and named, the rest goes to w, which is not called
// if nothing is left. If w is a [promwire.BodyWriter], it gets the body instead, and judges what it decodes itself.
//
// The answers (Remote Write 1.0, "Retries & Backoff"; Remote Write 2.0, "Response"):
//
//	204  everything is written, or there was nothing to write
//	400  the body is malformed, or items were refused; the others are written. The text counts and names them
//	405  not a POST
//	408  the body came too slowly for the server's read timeout
//	413  a limit on sizes
//	415  content type or encoding not supported
//	5xx  w failed; 503 for [promwire.ErrUnavailable], for a request that was cancelled, and, with Retry-After, where
//	     there is too much to do at the same time
//
// A [promwire.HTTPError] of w passes on its status (4xx, 5xx) and Retry-After. Answers to 2.0 requests count in
// headers what w says it has written, zeros included, from the moment that the content type was accepted.
func NewWriteHandler(w promwire.Writer, opts ...WriteOption) http.Handler {
	h := &writeHandler{next: w, config: newWriteConfig(opts)}
	h.admission = newAdmission(h.config.limits)
	h.body, _ = w.(promwire.BodyWriter)
	return h
}

type writeHandler struct {
	next   promwire.Writer
	body   promwire.BodyWriter // nil if next is none
	config writeConfig
	states sync.Pool // *writeState
	counts counts

	admission *admission
	tenants   tenants
}

// versionHeader is the highest version that the handler speaks. Header values are shared and never written.
var versionHeader = []string{promwire.WriteVersionV2}

// ServeHTTP implements [http.Handler].
func (h *writeHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header()[promwire.HeaderWriteVersion] = versionHeader
	var x run
	ctx := x.start(&h.config.common, OperationWrite, r)
	defer x.done()
	// A panic of the storage skips the release: nobody knows who still uses that memory.
	s := h.state()
	stats, err := h.serve(ctx, w, r, s, &x.stats)
	if x.stats.Message == promwire.WriteV2 {
		h.setWritten(w.Header(), stats)
	}
	x.stats.Written = stats
	status := http.StatusNoContent
	if err != nil {
		status = fail(w, r, h.config.logger, err)
	} else {
		w.WriteHeader(status)
	}
	x.result(status, err)
	h.release(s)
}

// serve judges a request by its headers, and reads and writes it.
func (h *writeHandler) serve(ctx context.Context, w http.ResponseWriter, r *http.Request, s *writeState, about *RequestStats) (stats promwire.WriteStats, err error) {
	t, encoding, err := judge(r, h.config.compressions)
	if err != nil {
		return stats, err
	}
	about.Message = t
	if ctx, err = h.config.enter(ctx, r, about); err != nil {
		return stats, err
	}
	s.limits = h.config.limits
	s.body.Type, s.body.Encoding = t, encoding
	s.claims = claims{all: h.admission}
	if of := h.config.tenantLimits; of != nil {
		s.limits = of(about.Tenant).or(&h.config.limits)
		if s.claims.tenant, err = h.tenants.enter(about.Tenant, &s.limits); err != nil {
			return stats, err
		}
		defer h.tenants.leave(s.claims.tenant)
	}
	stats, err = h.admit(ctx, w, r, s)
	about.BodyBytes, about.DecodedBytes, about.Series = s.bodyBytes, s.meter.size, s.series
	return written(stats, err), err
}

// judge decides by the headers whether the body is worth reading, and as what.
func judge(r *http.Request, more []promwire.Compression) (t promwire.MessageType, encoding string, err error) {
	if r.Method != http.MethodPost {
		return "", "", fmt.Errorf("%w: %.20q, want POST", errMethod, r.Method)
	}
	contentType := ""
	if values := r.Header["Content-Type"]; len(values) > 0 {
		contentType = values[0]
	}
	if t, err = promwire.ParseContentType(contentType); err != nil {
		return "", "", err
	}
	encoding, err = checkEncoding(r.Header, more)
	return t, encoding, err
}

// admit reads the body as soon as there is room for it, and writes it as soon as there is a place.
func (h *writeHandler) admit(ctx context.Context, w http.ResponseWriter, r *http.Request, s *writeState) (promwire.WriteStats, error) {
	a, l := h.admission, &s.limits
	if err := a.welcome(ctx, announcedBody(r, l.MaxBodyBytes)); err != nil {
		return promwire.WriteStats{}, err
	}
	defer func() { s.claims.release(s.claims.held) }()
	limited := limitBodyTime(w, r, l.MaxBodyTime)
	var err error
	if s.encoded, err = readAll(s.encoded, r, l.MaxBodyBytes, &s.claims); err != nil {
		return promwire.WriteStats{}, err
	}
	s.bodyBytes = len(s.encoded)
	if limited != nil {
		_ = limited.SetReadDeadline(time.Time{})
	}
	if err := a.enter(ctx); err != nil {
		return promwire.WriteStats{}, err
	}
	defer a.leave()
	return h.write(ctx, s)
}

// write passes on what was read.
func (h *writeHandler) write(ctx context.Context, s *writeState) (promwire.WriteStats, error) {
	t, encoding := s.body.Type, s.body.Encoding
	s.body.Reset(s.encoded, encoding, t, s.limits.MaxDecodedBytes)
	s.meter = meter{codec: codecFor(encoding, h.config.compressions), claims: &s.claims}
	s.compressions[0] = &s.meter
	s.body.Compressions = s.compressions[:]
	s.body.Rules = h.config.rules
	s.limits.limit(&s.body.Rules)
	s.body.Rules.Type = t
	if h.body != nil {
		return h.body.WriteBody(ctx, &s.body)
	}
	return h.writeSeries(ctx, s)
}

// written returns the counts for the headers. A storage that gives them in its error only is taken at that word.
func written(stats promwire.WriteStats, err error) promwire.WriteStats {
	if err == nil || stats != (promwire.WriteStats{}) {
		return stats
	}
	var partial *promwire.PartialWriteError
	if errors.As(err, &partial) {
		return partial.Written
	}
	return stats
}

func (h *writeHandler) setWritten(header http.Header, stats promwire.WriteStats) {
	header[promwire.HeaderSamplesWritten] = h.counts.header(stats.Samples)
	header[promwire.HeaderHistogramsWritten] = h.counts.header(stats.Histograms)
	header[promwire.HeaderExemplarsWritten] = h.counts.header(stats.Exemplars)
}
