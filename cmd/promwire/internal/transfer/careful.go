package transfer

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// maxBisect bounds the requests that look for what is bad in a request that was refused as a whole. One that may have been
// sent before is looked through to its last item, as any of them may be stored: there is one of these in a run.
const (
	maxBisect      = 300
	maxBisectAgain = 30_000
)

// Careful is a writer in front of a receiver that may refuse a part of a request. Where the answer has counts, they are
// right as they are: a receiver that has stored the good part would call its samples out of order, were they sent once
// more. Where it has none, what is bad is looked for, so that it costs itself only.
//
// In a context of [promwire.ContextWithReplay], samples that are out of order or too old count as written: they are stored
// already, or refused, and nobody can tell.
type Careful struct {
	next          promwire.Writer
	bisect, again *remote.Delivery
}

// NewCareful makes one in front of next.
func NewCareful(next promwire.Writer) *Careful {
	return &Careful{
		next: next, bisect: remote.NewDelivery(next, remote.DeliveryOptions{MaxBisectRequests: maxBisect}),
		again: remote.NewDelivery(next, remote.DeliveryOptions{MaxBisectRequests: maxBisectAgain}),
	}
}

// Write implements promwire.Writer.
func (c *Careful) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	seen := &counts{}
	ctx = context.WithValue(ctx, countsKey{}, seen)
	stats, err := c.next.Write(ctx, req)
	if err == nil || promwire.Retryable(err) {
		return stats, err
	}
	var partial *promwire.PartialWriteError
	named := errors.As(err, &partial) && len(partial.Refused) > 0
	counted := partial != nil || seen.given.Load() && aboutTime(err) // the latter has counted that nothing was good
	replay := promwire.ReplayFromContext(ctx)
	switch {
	case counted && replay && !named && stored(err):
		return req.Stats(), nil
	case partial != nil:
		return stats, err
	case counted:
		return stats, &promwire.PartialWriteError{Written: stats, Err: err}
	case replay:
		return c.again.Write(ctx, req)
	default:
		return c.bisect.Write(ctx, req)
	}
}

// stored reports whether a refusal may be that of something that is stored.
func stored(err error) bool {
	return isOneOf(knownReason(err), promwire.ErrTooOld, promwire.ErrOutOfOrder, promwire.ErrDuplicateTimestamp)
}

// aboutTime reports whether samples are refused for their times, which costs themselves only.
func aboutTime(err error) bool {
	return stored(err) || isOneOf(knownReason(err), promwire.ErrOutOfBounds, promwire.ErrTooFarInFuture)
}

func isOneOf(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(t error) bool { return errors.Is(err, t) })
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
