package server

import (
	"context"
	"errors"
	"net/http"
	"os"
	"slices"

	"github.com/promwire/promwire"
)

// passOn stands for the status of the [promwire.HTTPError] in the error.
const passOn = 0

// statuses says which status an error gets, and which word stands for it in metrics: those of the first line that holds.
// It is the only place that decides so. Senders drop data on a 4xx other than 429 and try again on 429 and 5xx; readers
// treat all as failures.
var statuses = []struct {
	is     func(error) bool
	status int
	cause  string
}{
	// The same request may succeed later. This outranks refusals found with it, or the sender would drop what could
	// still be written. A cancelled request is here too: mostly nobody is left to read the answer, but when it is
	// the server that ends, its sender must try again.
	{cause(errBusy), http.StatusServiceUnavailable, "busy"},
	{cause(promwire.ErrUnavailable), http.StatusServiceUnavailable, "unavailable"},
	{cause(context.Canceled), http.StatusServiceUnavailable, "canceled"},
	{cause(context.DeadlineExceeded), http.StatusServiceUnavailable, "timeout"},
	{peer(func(s int) bool { return s == http.StatusTooManyRequests || s >= 500 && s <= 599 }), passOn, "upstream"},

	// A part was written and the rest never will be (Remote Write 2.0, "Partial Write").
	{kind[*promwire.PartialWriteError], http.StatusBadRequest, "partial"},

	// A storage behind a relay refused the request; any other answer of it says nothing that the sender could use.
	{peer(func(s int) bool { return s >= 400 && s <= 499 }), passOn, "upstream"},
	{kind[*promwire.HTTPError], http.StatusBadGateway, "upstream"},

	// A storage failed to read. What it complains about are its own data, so the lines below do not hold.
	{kind[*storageError], http.StatusInternalServerError, "storage"},

	// The request as such.
	{func(err error) bool { return len(challenges(err)) > 0 }, http.StatusUnauthorized, "unauthorized"},
	{kind[*refusal], http.StatusForbidden, "forbidden"},
	{cause(errMethod), http.StatusMethodNotAllowed, "method"},
	{cause(promwire.ErrTooLarge), http.StatusRequestEntityTooLarge, "too_large"},
	{kind[*http.MaxBytesError], http.StatusRequestEntityTooLarge, "too_large"},
	{cause(promwire.ErrUnsupported), http.StatusUnsupportedMediaType, "unsupported"},
	{cause(os.ErrDeadlineExceeded), http.StatusRequestTimeout, "slow_body"},
	{cause(errBadRequest), http.StatusBadRequest, "bad_request"},
	{kind[*promwire.DecodeError], http.StatusBadRequest, "malformed"},
	{func(err error) bool { return promwire.Reason(err) != nil }, http.StatusBadRequest, "invalid"},

	// The storage failed, and nobody knows how.
	{func(error) bool { return true }, http.StatusInternalServerError, "storage"},
}

// causePanic stands for a panic of the storage.
const causePanic = "panic"

// Causes returns the values of [RequestStats.Cause], for metrics that shall be there before something happens.
func Causes() []string {
	all := []string{causePanic}
	for _, line := range statuses {
		if !slices.Contains(all, line.cause) {
			all = append(all, line.cause)
		}
	}
	slices.Sort(all)
	return all
}

// causeOf returns the word for an error, "" for none.
func causeOf(err error) string {
	if err == nil {
		return ""
	}
	for _, line := range statuses {
		if line.is(err) {
			return line.cause
		}
	}
	return ""
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
