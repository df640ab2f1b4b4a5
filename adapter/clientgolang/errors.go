package clientgolang

import (
	"errors"
	"fmt"
	"strings"

	"github.com/promwire/promwire"
)

// maxReported bounds the metrics that an [IncompleteError] names.
const maxReported = 10

// IncompleteError says that something of the registry is missing from a request. The rest is in it: an error that is
// nothing else does not say that the push failed.
type IncompleteError struct {
	// Gather is what the registry reported of its collectors; nil if they all succeeded.
	Gather error
	// Skipped is how many metrics, or exemplars of metrics, were left out because they are invalid.
	Skipped int
	// Reasons are those of the first ten, with name and labels. They wrap the reasons of package promwire, such as
	// [promwire.ErrInvalidHistogram].
	Reasons []error
}

// Error implements error.
func (e *IncompleteError) Error() string {
	var b strings.Builder
	b.WriteString("clientgolang: ")
	if e.Gather != nil {
		fmt.Fprintf(&b, "gather: %v", e.Gather)
	}
	if e.Skipped == 0 {
		return b.String()
	}
	if e.Gather != nil {
		b.WriteString("; ")
	}
	fmt.Fprintf(&b, "%d metrics left out", e.Skipped)
	for _, reason := range e.Reasons {
		fmt.Fprintf(&b, "; %v", reason)
	}
	if more := e.Skipped - len(e.Reasons); more > 0 {
		fmt.Fprintf(&b, "; and %d more", more)
	}
	return b.String()
}

// Unwrap returns all reasons, for errors.Is and errors.As.
func (e *IncompleteError) Unwrap() []error {
	if e.Gather == nil {
		return e.Reasons
	}
	return append([]error{e.Gather}, e.Reasons...)
}

// skip notes that what these labels name was left out.
func (e *IncompleteError) skip(ls promwire.Labels, reason error) {
	e.Skipped++
	if len(e.Reasons) < maxReported {
		e.Reasons = append(e.Reasons, fmt.Errorf("%s: %w", ls, reason))
	}
}

// addSkipped adds repeated series to err, which is nil or an [*IncompleteError].
func addSkipped(err error, repeated []promwire.Refusal) error {
	var report *IncompleteError
	if !errors.As(err, &report) {
		report = &IncompleteError{}
	}
	for _, r := range repeated {
		report.skip(r.Labels, r.Reason)
	}
	return report
}
