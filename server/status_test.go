package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/promwire/promwire"
)

func TestStatus(t *testing.T) {
	partial := &promwire.PartialWriteError{Refused: []promwire.Refusal{{Reason: promwire.ErrTooOld}}}
	tests := []struct {
		name   string
		err    error
		status int
	}{
		{"unavailable", fmt.Errorf("disk full: %w", promwire.ErrUnavailable), 503},
		{"cancelled", context.Canceled, 503},
		{"deadline", context.DeadlineExceeded, 503},
		{"partial", fmt.Errorf("wrapped: %w", partial), 400},
		{"partial and unavailable", errors.Join(partial, promwire.ErrUnavailable), 503},
		{"peer 400", &promwire.HTTPError{StatusCode: 400}, 400},
		{"peer 409", &promwire.HTTPError{StatusCode: 409}, 409},
		{"peer 429", &promwire.HTTPError{StatusCode: 429}, 429},
		{"peer 503", fmt.Errorf("relay: %w", &promwire.HTTPError{StatusCode: 503}), 503},
		{"peer 529", &promwire.HTTPError{StatusCode: 529}, 529},
		{"peer 302", &promwire.HTTPError{StatusCode: 302}, 502},
		{"peer 99", &promwire.HTTPError{StatusCode: 99}, 502},
		{"peer 999", &promwire.HTTPError{StatusCode: 999}, 502},
		{"partial of a peer", &promwire.PartialWriteError{Err: &promwire.HTTPError{StatusCode: 409}}, 400},
		{"partial of a peer that may be sent again", &promwire.PartialWriteError{Err: &promwire.HTTPError{StatusCode: 429}}, 429},
		{"method", errMethod, 405},
		{"too large", promwire.ErrTooLarge, 413},
		{"too large for middleware", fmt.Errorf("%w: %w", errBadRequest, &http.MaxBytesError{Limit: 1}), 413},
		{"unsupported", promwire.ErrUnsupported, 415},
		{"slow body", fmt.Errorf("%w: %w", errBadRequest, os.ErrDeadlineExceeded), 408},
		{"malformed", &promwire.DecodeError{Err: errors.New("x")}, 400},
		{"bare reason", fmt.Errorf("x: %w", promwire.ErrOutOfOrder), 400},
		{"reading malformed data", &storageError{&promwire.DecodeError{Err: errors.New("x")}}, 500},
		{"reading, unavailable", &storageError{promwire.ErrUnavailable}, 503},
		{"reading from a peer", &storageError{&promwire.HTTPError{StatusCode: 422}}, 422},
		{"unknown", errors.New("boom"), 500},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := statusOf(tt.err); got != tt.status {
				t.Errorf("status %d for %v, want %d", got, tt.err, tt.status)
			}
		})
	}
}
