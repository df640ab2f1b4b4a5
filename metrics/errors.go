package metrics

import "errors"

// Reasons why a constructor refuses an instrument, besides [promwire.ErrInvalidName] and
// [promwire.ErrDuplicateLabel].
var (
	// ErrConflict says that the name, or the name of one of the series, belongs to another instrument.
	ErrConflict = errors.New("conflict with another instrument")
	// ErrReservedLabel says that a label name has a meaning of its own: le, quantile, and all that begin with "__".
	ErrReservedLabel = errors.New("reserved label name")
	// ErrInvalidBounds says that bucket bounds are not finite or not strictly increasing.
	ErrInvalidBounds = errors.New("invalid bucket bounds")
	// ErrInvalidNative says that the options of a native histogram are out of range or contradict each other.
	ErrInvalidNative = errors.New("invalid native histogram")
	// ErrInvalidQuantiles says that quantiles are not within 0 and 1 or not strictly increasing.
	ErrInvalidQuantiles = errors.New("invalid quantiles")
	// ErrInvalidStates says that a set has no states, or some that are empty, not UTF-8 or repeated.
	ErrInvalidStates = errors.New("invalid states")
	// ErrInvalidUnit says that a metric name does not end in its unit, or that its type has no unit.
	ErrInvalidUnit = errors.New("invalid unit")
)

// Reasons why a recording is refused.
var (
	// ErrLate says that a time is not after the newest sample of the series that a push has carried.
	ErrLate = errors.New("time is not after the newest sample already pushed")
	// ErrInvalidValue says that a value is not finite, or negative where a counter is to grow, or that a time is
	// the zero time or more than 50 years ago.
	ErrInvalidValue = errors.New("invalid value")
)
