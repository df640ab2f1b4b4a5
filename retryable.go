package promwire

import (
	"errors"
	"net/http"
)

// Retryable reports whether the same request may succeed later. It is the one place that decides so, for clients,
// queues, spools and relays; when and how often they try is theirs. It is false for nil.
func Retryable(err error) bool {
	var answer *HTTPError
	var partial *PartialWriteError
	var malformed *DecodeError
	switch {
	case err == nil:
		return false
	case errors.Is(err, ErrUnavailable):
		return true // the store says so itself
	case errors.As(err, &answer):
		return retryableStatus(answer.StatusCode) // also if a part was written: what is sent twice counts once
	case errors.As(err, &partial):
		return false // the rest was refused for good
	case errors.Is(err, ErrTooLarge), errors.Is(err, ErrUnsupported), errors.As(err, &malformed), Reason(err) != nil:
		return false // they are about the request, which stays the same
	default:
		return true // networks, timeouts and disks recover; a cancelled context may have a successor
	}
}

// retryableStatus follows Remote Write 2.0, "Retries & Backoff".
func retryableStatus(status int) bool {
	switch status {
	case http.StatusRequestTimeout:
		return true // the server was slow to read, or the network to carry
	case http.StatusTooManyRequests:
		return true // the server asks for patience, not for other data
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false // no patience adds a feature
	default:
		return status >= 500 && status <= 599 // the server failed; any other status blames the request
	}
}

// reasons are the causes for which a single item is refused.
var reasons = []error{
	ErrOutOfOrder, ErrDuplicateTimestamp, ErrOutOfBounds, ErrTooOld, ErrTooFarInFuture, ErrUnknownSeries,
	ErrNoMetricName, ErrInvalidName, ErrInvalidUTF8, ErrDuplicateLabel, ErrEmptyLabelName, ErrEmptyLabelValue,
	ErrUnsortedLabels, ErrLabelTooLong, ErrTooManyLabels, ErrEmptySeries, ErrInvalidHistogram, ErrInvalidExemplar,
	ErrInvalidSymbolRef,
}

// Reason returns which of this package's reasons to refuse an item err wraps, such as [ErrTooOld], or nil.
func Reason(err error) error {
	for _, reason := range reasons {
		if errors.Is(err, reason) {
			return reason
		}
	}
	return nil
}
