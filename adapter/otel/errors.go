package otelexport

import (
	"errors"
	"fmt"
	"strings"

	"github.com/promwire/promwire"
)

// Reasons why data are left out, besides those of package promwire.
var (
	// ErrTemporality says that data are not cumulative.
	ErrTemporality = errors.New("temporality is not cumulative")
	// ErrData says that a metric has no data of a kind that is known.
	ErrData = errors.New("data of an unknown kind")
)

// maxReported bounds what an [IncompleteError] names.
const maxReported = 10

// IncompleteError says that metrics or data points were left out of an export, which is otherwise as it should be.
type IncompleteError struct {
	// Skipped is how many metrics, data points or exemplars were left out.
	Skipped int
	// Reasons are those of the first ten, with names.
	Reasons []error
}

// Error implements error.
func (e *IncompleteError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "otelexport: %d left out", e.Skipped)
	for _, reason := range e.Reasons {
		fmt.Fprintf(&b, "; %v", reason)
	}
	if more := e.Skipped - len(e.Reasons); more > 0 {
		fmt.Fprintf(&b, "; and %d more", more)
	}
	return b.String()
}

// Unwrap returns the reasons, for errors.Is and errors.As.
func (e *IncompleteError) Unwrap() []error { return e.Reasons }

// skip notes that something was left out.
func (e *IncompleteError) skip(name string, reason error) {
	e.Skipped++
	if len(e.Reasons) < maxReported {
		e.Reasons = append(e.Reasons, fmt.Errorf("%s: %w", name, reason))
	}
}

func (e *IncompleteError) skipSeries(refused []promwire.Refusal) {
	for _, r := range refused {
		e.skip(r.Labels.String(), r.Reason)
	}
}
