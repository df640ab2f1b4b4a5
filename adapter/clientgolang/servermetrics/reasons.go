package servermetrics

import (
	"slices"

	"github.com/promwire/promwire"
)

// reasons are the label values of refused_total.
var reasons = map[error]string{
	promwire.ErrOutOfOrder:         "out_of_order",
	promwire.ErrDuplicateTimestamp: "duplicate_timestamp",
	promwire.ErrOutOfBounds:        "out_of_bounds",
	promwire.ErrTooOld:             "too_old",
	promwire.ErrTooFarInFuture:     "too_far_in_future",
	promwire.ErrUnknownSeries:      "unknown_series",
	promwire.ErrNoMetricName:       "no_metric_name",
	promwire.ErrInvalidName:        "invalid_name",
	promwire.ErrInvalidUTF8:        "invalid_utf8",
	promwire.ErrDuplicateLabel:     "duplicate_label",
	promwire.ErrEmptyLabelName:     "empty_label_name",
	promwire.ErrEmptyLabelValue:    "empty_label_value",
	promwire.ErrUnsortedLabels:     "unsorted_labels",
	promwire.ErrLabelTooLong:       "label_too_long",
	promwire.ErrTooManyLabels:      "too_many_labels",
	promwire.ErrEmptySeries:        "empty_series",
	promwire.ErrInvalidHistogram:   "invalid_histogram",
	promwire.ErrInvalidExemplar:    "invalid_exemplar",
	promwire.ErrInvalidSymbolRef:   "invalid_symbol_ref",
}

// other is the label value for reasons that a storage has made up.
const other = "other"

// reason returns the label value for the reason of a refusal.
func reason(err error) string {
	if word := reasons[promwire.Reason(err)]; word != "" {
		return word
	}
	return other
}

// Reasons returns the values that the label reason can have.
func Reasons() []string {
	all := []string{other}
	for _, word := range reasons {
		all = append(all, word)
	}
	slices.Sort(all)
	return all
}
