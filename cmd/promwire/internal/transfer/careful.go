package transfer

import (
	"context"
	"errors"

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
	if promwire.ReplayFromContext(ctx) {
		return c.again.Write(ctx, req)
	}
	stats, err := c.next.Write(ctx, req)
	var partial *promwire.PartialWriteError
	if err == nil || promwire.Retryable(err) || errors.As(err, &partial) {
		return stats, err
	}
	return c.bisect.Write(ctx, req)
}
