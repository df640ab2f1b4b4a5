package server

import (
	"context"
	"errors"
	"net/http"
	"os"

	"github.com/promwire/promwire"
)

// passOn stands for the status of the [promwire.HTTPError] in the error.
const passOn = 0

// statuses says which status an error gets: that of the first line that holds. It is the only place that decides so.
// Senders drop data on a 4xx other than 429 and try again on 429 and 5xx; readers treat all as failures.
var statuses = []struct {
	is     func(error) bool
	status int
}{
	// The same request may succeed later. This outranks refusals found with it, or the sender would drop what could
	// still be written. A cancelled request is here too: mostly nobody is left to read the answer, but when it is
	// the server that ends, its sender must try again.
	{cause(promwire.ErrUnavailable), http.StatusServiceUnavailable},
	{cause(context.Canceled), http.StatusServiceUnavailable},
	{cause(context.DeadlineExceeded), http.StatusServiceUnavailable},
	{peer(func(s int) bool { return s == http.StatusTooManyRequests || s >= 500 && s <= 599 }), passOn},

	// A part was written and the rest never will be (Remote Write 2.0, "Partial Write").
	{kind[*promwire.PartialWriteError], http.StatusBadRequest},

	// A storage behind a relay refused the request; any other answer of it says nothing that the sender could use.
	{peer(func(s int) bool { return s >= 400 && s <= 499 }), passOn},
	{kind[*promwire.HTTPError], http.StatusBadGateway},

	// A storage failed to read. What it complains about are its own data, so the lines below do not hold.
	{kind[*storageError], http.StatusInternalServerError},

	// The request as such.
	{cause(errMethod), http.StatusMethodNotAllowed},
	{cause(promwire.ErrTooLarge), http.StatusRequestEntityTooLarge},
	{kind[*http.MaxBytesError], http.StatusRequestEntityTooLarge},
	{cause(promwire.ErrUnsupported), http.StatusUnsupportedMediaType},
	{cause(os.ErrDeadlineExceeded), http.StatusRequestTimeout},
	{cause(errBadRequest), http.StatusBadRequest},
	{kind[*promwire.DecodeError], http.StatusBadRequest},
	{func(err error) bool { return promwire.Reason(err) != nil }, http.StatusBadRequest},

	// The storage failed, and nobody knows how.
	{func(error) bool { return true }, http.StatusInternalServerError},
}

// Errors of the handlers themselves.
var (
	errMethod     = errors.New("method not allowed")
	errBadRequest = errors.New("bad request")
)

// statusOf returns the status for an error.
func statusOf(err error) int {
	for _, line := range statuses {
		if !line.is(err) {
			continue
		}
		var answer *promwire.HTTPError
		if line.status == passOn && errors.As(err, &answer) {
			return answer.StatusCode
		}
		return line.status
	}
	return http.StatusInternalServerError
}

func cause(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func kind[E error](err error) bool {
	var target E
	return errors.As(err, &target)
}

func peer(status func(int) bool) func(error) bool {
	return func(err error) bool {
		var answer *promwire.HTTPError
		return errors.As(err, &answer) && status(answer.StatusCode)
	}
}

// storageError is a failure of the storage behind a read handler. Whatever its cause, it is no fault of the request.
type storageError struct{ err error }

func (e *storageError) Error() string { return e.err.Error() }
func (e *storageError) Unwrap() error { return e.err }
