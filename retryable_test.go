package promwire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/promwire/promwire"
)

func TestRetryable(t *testing.T) {
	status := func(code int) error { return fmt.Errorf("remote write: %w", &promwire.HTTPError{StatusCode: code}) }
	for _, c := range []struct {
		name string
		err  error
		want bool
	}{
		{"none", nil, false},
		{"store closed", fmt.Errorf("x: %w", promwire.ErrUnavailable), true},
		{"redirect", status(302), false},
		{"bad request", status(400), false},
		{"conflict", status(409), false},
		{"timeout", status(408), true},
		{"too large", status(413), false},
		{"wrong type", status(415), false},
		{"slow down", status(429), true},
		{"failed", status(500), true},
		{"unknown method", status(501), false},
		{"gateway", status(502), true},
		{"overload", status(503), true},
		{"unknown 5xx", status(599), true},
		{"beyond", status(999), false},
		{"partly", &promwire.PartialWriteError{Refused: []promwire.Refusal{{Reason: promwire.ErrTooOld}}}, false},
		{"partly, then failed", &promwire.PartialWriteError{Err: status(503)}, true},
		{"partly, by the answer", &promwire.PartialWriteError{Err: status(400)}, false},
		{"malformed", &promwire.DecodeError{Err: io.ErrUnexpectedEOF}, false},
		{"large", fmt.Errorf("x: %w", promwire.ErrTooLarge), false},
		{"reason", fmt.Errorf("x: %w", promwire.ErrUnsortedLabels), false},
		{"network", io.ErrUnexpectedEOF, true},
		{"cancelled", context.Canceled, true},
		{"unknown", errors.New("boom"), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := promwire.Retryable(c.err); got != c.want {
				t.Errorf("%v: got %v", c.err, got)
			}
		})
	}
}

func TestReason(t *testing.T) {
	if got := promwire.Reason(fmt.Errorf("x: %w", promwire.ErrTooOld)); got != promwire.ErrTooOld {
		t.Errorf("got %v", got)
	}
	if got := promwire.Reason(io.EOF); got != nil {
		t.Errorf("got %v", got)
	}
}
