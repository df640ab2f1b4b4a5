package promwire

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Reasons why a store refuses a sample. They are never worth a retry of the same data.
var (
	ErrOutOfOrder         = errors.New("sample is older than the newest one of its series")
	ErrDuplicateTimestamp = errors.New("another value is stored for this timestamp")
	ErrOutOfBounds        = errors.New("timestamp is outside the range that the store accepts")
	ErrTooOld             = errors.New("timestamp is older than the out-of-order window")
	ErrTooFarInFuture     = errors.New("timestamp is too far in the future")
	ErrUnknownSeries      = errors.New("exemplar belongs to a series that is not known")
)

// Reasons why a series, histogram or exemplar is invalid.
var (
	ErrNoMetricName     = errors.New("metric name is missing")
	ErrInvalidName      = errors.New("invalid name")
	ErrInvalidUTF8      = errors.New("invalid UTF-8")
	ErrDuplicateLabel   = errors.New("label name is repeated")
	ErrEmptyLabelName   = errors.New("label name is empty")
	ErrEmptyLabelValue  = errors.New("label value is empty")
	ErrUnsortedLabels   = errors.New("labels are not sorted by name")
	ErrLabelTooLong     = errors.New("label is too long")
	ErrTooManyLabels    = errors.New("series has too many labels")
	ErrEmptySeries      = errors.New("series has neither samples nor histograms")
	ErrInvalidHistogram = errors.New("invalid histogram")
	ErrInvalidExemplar  = errors.New("invalid exemplar")
	ErrInvalidSymbolRef = errors.New("invalid symbol reference")
)

// Occasions on which a request as a whole fails.
var (
	// ErrTooLarge says that a body or message exceeds a size limit.
	ErrTooLarge = errors.New("too large")
	// ErrUnsupported says that a content type or encoding is not supported.
	ErrUnsupported = errors.New("unsupported")
	// ErrUnavailable says that the store cannot work now; the same request may succeed later.
	ErrUnavailable = errors.New("temporarily unavailable")
)

// DecodeError says that a message is malformed, and where.
type DecodeError struct {
	Message string // message name, such as "prometheus.WriteRequest"
	Field   string // path of the field, such as "timeseries.samples"; "" if not known
	Offset  int    // byte offset in the decoded message where the field starts
	Err     error  // what is wrong
}

// Error implements error.
func (e *DecodeError) Error() string {
	where := e.Message
	if e.Field != "" {
		where += "." + e.Field
	}
	return fmt.Sprintf("decode %s at byte %d: %v", where, e.Offset, e.Err)
}

// Unwrap returns what is wrong.
func (e *DecodeError) Unwrap() error { return e.Err }

// HTTPError is an answer with a status other than 2xx. A [Writer] or [Reader] behind a handler may return one to
// choose the status of the handler's answer.
type HTTPError struct {
	StatusCode int
	// Body is the start of the answer's text, at most 1 KiB.
	Body string
	// RetryAfter is the pause that the server asked for; 0 if it did not.
	RetryAfter time.Duration
}

// Error implements error.
func (e *HTTPError) Error() string {
	if e.Body == "" {
		return fmt.Sprintf("server answered %d", e.StatusCode)
	}
	return fmt.Sprintf("server answered %d: %s", e.StatusCode, strings.TrimSpace(e.Body))
}

// Refusal is one item that was not written.
type Refusal struct {
	Series    int    // index of the series in the request
	Labels    Labels // a copy; may be what could be read of them
	Timestamp int64  // of the sample, histogram or exemplar; 0 if the whole series is refused
	Reason    error  // one of the reasons above, wrapped with details
}

// Error implements error: series, time and reason.
func (r Refusal) Error() string {
	if r.Timestamp == 0 {
		return fmt.Sprintf("series %d %s: %v", r.Series, r.Labels, r.Reason)
	}
	return fmt.Sprintf("series %d %s at %d: %v", r.Series, r.Labels, r.Timestamp, r.Reason)
}

// Unwrap returns the reason.
func (r Refusal) Unwrap() error { return r.Reason }

// PartialWriteError says that a part of a request was refused for good, and the rest written.
type PartialWriteError struct {
	Written WriteStats
	// Refused names every refused item. It is empty if a remote receiver gave counts only.
	Refused []Refusal
	// Err is the remote receiver's answer, if there is one.
	Err error
}

// maxRefusalsInText bounds the refusals that PartialWriteError.Error spells out.
const maxRefusalsInText = 10

// Error implements error. It spells out the first ten refusals.
func (e *PartialWriteError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "partial write: %d samples, %d histograms, %d exemplars written",
		e.Written.Samples, e.Written.Histograms, e.Written.Exemplars)
	if len(e.Refused) > 0 {
		items := "items"
		if len(e.Refused) == 1 {
			items = "item"
		}
		fmt.Fprintf(&b, ", %d %s refused", len(e.Refused), items)
	}
	for i, r := range e.Refused {
		if i == maxRefusalsInText {
			fmt.Fprintf(&b, "; and %d more", len(e.Refused)-i)
			break
		}
		b.WriteString("; ")
		b.WriteString(r.Error())
	}
	if e.Err == nil {
		return b.String()
	}
	if text := e.Err.Error(); !strings.HasSuffix(b.String(), text) { // it may be the reason of all
		b.WriteString(": " + text)
	}
	return b.String()
}

// Unwrap returns the receiver's answer and the first ten reasons, for errors.Is and errors.As.
func (e *PartialWriteError) Unwrap() []error {
	var errs []error
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	for _, r := range e.Refused[:min(len(e.Refused), maxRefusalsInText)] {
		errs = append(errs, r.Reason)
	}
	return errs
}
