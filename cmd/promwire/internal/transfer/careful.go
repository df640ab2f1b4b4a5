package transfer

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// maxBisect bounds the requests that look for what is bad in a request that was refused as a whole.
const maxBisect = 300

// Careful is a writer in front of a receiver that may refuse a part of a request. Where the answer has counts, they are
// right as they are: a receiver that has stored the good part would call its samples out of order, were they sent once
// more. Where it has none, what is bad is looked for, so that it costs itself only.
type Careful struct {
	next promwire.Writer
	// bisect looks for what is bad; again counts what is stored already as delivered.
	bisect, again *remote.Delivery
}

// NewCareful makes one in front of next.
func NewCareful(next promwire.Writer) *Careful {
	return &Careful{
		next: next, bisect: remote.NewDelivery(next, remote.DeliveryOptions{MaxBisectRequests: maxBisect}),
		again: remote.NewDelivery(next, remote.DeliveryOptions{}),
	}
}

// Write implements promwire.Writer.
func (c *Careful) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	seen := &counts{}
	ctx = context.WithValue(ctx, countsKey{}, seen)
	if promwire.ReplayFromContext(ctx) {
		return c.again.Write(ctx, req)
	}
	stats, err := c.next.Write(ctx, req)
	var partial *promwire.PartialWriteError
	if err == nil || promwire.Retryable(err) || errors.As(err, &partial) {
		return stats, err
	}
	if seen.given.Load() && aboutTime(err) {
		return stats, &promwire.PartialWriteError{Written: stats, Err: err} // it has counted: nothing was good
	}
	return c.bisect.Write(ctx, req)
}

// aboutTime reports whether samples are refused for their times, which costs themselves only.
func aboutTime(err error) bool {
	reason := knownReason(err)
	for _, r := range []error{
		promwire.ErrTooOld, promwire.ErrOutOfBounds, promwire.ErrOutOfOrder, promwire.ErrDuplicateTimestamp, promwire.ErrTooFarInFuture,
	} {
		if errors.Is(reason, r) {
			return true
		}
	}
	return false
}

// counts says whether the last answer had Written headers, be they zero.
type counts struct{ given atomic.Bool }

type countsKey struct{}

// NoteCounts returns a transport for the client behind a Careful: a client says how much was written of a part, and here
// it matters that it was nothing.
func NoteCounts(next http.RoundTripper) http.RoundTripper { return noting{next} }

type noting struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (n noting) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := n.next.RoundTrip(req)
	if c, ok := req.Context().Value(countsKey{}).(*counts); ok {
		c.given.Store(err == nil && resp.Header.Get(promwire.HeaderSamplesWritten) != "")
	}
	return resp, err
}
