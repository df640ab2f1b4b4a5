package tsdbstore

import (
	"errors"
	"fmt"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/promwire/promwire"
)

// errUnknownRef says that a series left the head, and that its labels are needed to append to it.
var errUnknownRef = errors.New("series reference is not known any more")

// refusals maps what the TSDB says of a sample to the reasons of the contract.
var refusals = []struct{ tsdb, reason error }{
	{storage.ErrOutOfOrderSample, promwire.ErrOutOfOrder},
	{storage.ErrDuplicateSampleForTimestamp, promwire.ErrDuplicateTimestamp},
	{storage.ErrOutOfBounds, promwire.ErrOutOfBounds},
	{storage.ErrTooOldSample, promwire.ErrTooOld},
	{storage.ErrOutOfOrderExemplar, promwire.ErrOutOfOrder},
	{storage.ErrExemplarLabelLength, promwire.ErrInvalidExemplar},
}

// reasonOf returns the reason of the contract for an error of the TSDB, or nil.
func reasonOf(err error) error {
	for _, r := range refusals {
		if errors.Is(err, r.tsdb) {
			return r.reason
		}
	}
	return nil
}

// refusalOf splits what Append returns: a refusal of this item, or a failure of the whole request.
func refusalOf(err error) (refusal, failure error) {
	if err == nil {
		return nil, nil
	}
	if reason := reasonOf(err); errors.Is(reason, promwire.ErrDuplicateTimestamp) {
		return fmt.Errorf("%w: %w", reason, err), nil // tells the values
	} else if reason != nil {
		return reason, nil
	}
	var invalid histogram.Error
	switch {
	case errors.As(err, &invalid):
		return invalidHistogram(err), nil
	case errors.Is(err, tsdb.ErrInvalidSample):
		// Labels are checked before: only a reference without labels gets here.
		return nil, errUnknownRef
	default:
		return nil, fmt.Errorf("%w: %w", promwire.ErrUnavailable, err)
	}
}

// refuse notes an item of a series that is not stored, or with time 0 the series. Refusals of one series share one copy
// of its labels.
func (b *batch) refuse(i int, ts *promwire.TimeSeries, t int64, reason error) {
	if b.encoded && len(ts.Labels) == 0 {
		_ = b.decoder.DecodeLabels() // they are known to be well-formed; too many bytes of them end the walk
		ts.Labels = ts.Labels.Normalize()
	}
	n := len(b.refused)
	b.refused = b.rules.Refuse(b.refused, i, ts.Labels, reason)
	b.refused[n].Timestamp = t
}
