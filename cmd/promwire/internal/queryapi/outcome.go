package queryapi

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/prometheus/prometheus/promql"

	"github.com/promwire/promwire/cmd/promwire/internal/apifront"
	"github.com/promwire/promwire/cmd/promwire/internal/memory"
)

// clientGone is the status of the API for requests whose client does not wait any more.
const clientGone = 499

// failed is how the API answers an error.
func failed(err error) *apifront.Refusal {
	switch code, retryable := retryableStatus("", err); {
	case errors.Is(err, context.DeadlineExceeded):
		return &apifront.Refusal{Status: code, Kind: "timeout", Err: err}
	case retryable:
		return &apifront.Refusal{Status: code, Kind: "unavailable", Err: err}
	case errors.Is(err, context.Canceled):
		return &apifront.Refusal{Status: clientGone, Kind: "canceled", Err: err}
	case errors.As(err, new(promql.ErrTooManySamples)):
		return &apifront.Refusal{Status: http.StatusUnprocessableEntity, Kind: "execution", Err: err}
	default:
		return &apifront.Refusal{Status: http.StatusInternalServerError, Kind: "internal", Err: err}
	}
}

// outcome is an answer. What ended since memory is short it answers itself: the API has no type of errors for that.
type outcome struct {
	http.ResponseWriter
	work     context.Context
	leave    func() // gives the place back, which the sending of an answer needs no more
	code     int
	answered bool // instead of the API
}

// WriteHeader implements [http.ResponseWriter].
func (o *outcome) WriteHeader(code int) {
	o.code = cmp.Or(o.code, code)
	o.leave()
	if code != http.StatusServiceUnavailable || !errors.Is(o.work.Err(), memory.ErrShort) {
		o.ResponseWriter.WriteHeader(code)
		return
	}
	o.answered = true
	o.Header().Del("Content-Encoding")
	o.Header().Del("Content-Length")
	failed(memory.ErrShort).Answer(o.ResponseWriter)
}

// Write implements [http.ResponseWriter].
func (o *outcome) Write(b []byte) (int, error) {
	if o.code == 0 {
		o.WriteHeader(http.StatusOK)
	}
	if o.answered {
		return len(b), nil
	}
	return o.ResponseWriter.Write(b)
}

// Unwrap is for [http.ResponseController].
func (o *outcome) Unwrap() http.ResponseWriter { return o.ResponseWriter }
