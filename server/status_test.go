package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
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

// TestDocumentedStatus holds the table in the package comment against the one that decides.
func TestDocumentedStatus(t *testing.T) {
	errs := map[string][]error{
		"ErrUnavailable":                        {promwire.ErrUnavailable},
		"context.Canceled":                      {context.Canceled},
		"context.DeadlineExceeded":              {context.DeadlineExceeded},
		"HTTPError with 429 or 5xx":             {&promwire.HTTPError{StatusCode: 429}, &promwire.HTTPError{StatusCode: 507}},
		"PartialWriteError":                     {&promwire.PartialWriteError{}},
		"HTTPError with another 4xx":            {&promwire.HTTPError{StatusCode: 409}},
		"HTTPError with another status":         {&promwire.HTTPError{StatusCode: 302}},
		"ErrTooLarge":                           {promwire.ErrTooLarge},
		"ErrUnsupported":                        {promwire.ErrUnsupported},
		"DecodeError":                           {&promwire.DecodeError{Err: errors.New("x")}},
		"a reason to refuse, such as ErrTooOld": {promwire.ErrTooOld, promwire.ErrInvalidSymbolRef},
		"any other":                             {errors.New("boom"), os.ErrNotExist},
	}
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(doc), "//\terror                                      write   read\n")
	if !found {
		t.Fatal("doc.go has no table of errors")
	}
	rows := 0
	for line := range strings.Lines(table) {
		row, ok := strings.CutPrefix(line, "//\t")
		if !ok {
			break
		}
		name, statuses := strings.TrimSpace(row[:43]), strings.Fields(row[43:])
		rows++
		for _, err := range errs[name] {
			for i, of := range []error{err, &storageError{err}} {
				want := statusOf(of)
				var answer *promwire.HTTPError
				if statuses[i] == "same" && errors.As(err, &answer) && answer.StatusCode == want {
					continue
				}
				if statuses[i] != strconv.Itoa(want) {
					t.Errorf("%s is %s in column %d, and %d for %v", name, statuses[i], i, want, err)
				}
			}
		}
		if errs[name] == nil {
			t.Errorf("no example of %q", name)
		}
	}
	if rows != len(errs) {
		t.Errorf("%d rows, want %d", rows, len(errs))
	}
}
