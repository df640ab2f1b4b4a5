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

// refusalOf splits what Append returns: a refusal of this item, or a failure of the whole request.
func refusalOf(err error) (refusal, failure error) {
	if err == nil {
		return nil, nil
	}
	for _, r := range refusals {
		if errors.Is(err, r.tsdb) {
			return fmt.Errorf("%w: %w", r.reason, err), nil
		}
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
