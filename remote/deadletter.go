package remote

import (
	"context"
	"time"

	"github.com/promwire/promwire"
)

// DeadLetter is one series, or what of it, that a receiver refused for good.
type DeadLetter struct {
	// Time is when it was refused.
	Time time.Time
	// Tenant is that of the request, see [promwire.ContextWithTenant].
	Tenant string
	// Endpoint names the receiver, see [DeliveryOptions.Endpoint].
	Endpoint string
	// Reason is why. Status is that of the answer, 0 if there was none.
	Reason string
	Status int
	// Series has the refused items only. To write it again is to replay the letter.
	Series promwire.TimeSeries
}

// DeadLetters takes what was refused for good: a [DeadLetterFile], a table, a queue. It is called by several
// goroutines. The letters are valid until it returns; an error means that they are lost.
type DeadLetters interface {
	WriteDeadLetters(ctx context.Context, letters []DeadLetter) error
}

// lettersOf makes letters of all series of req, refused with err, which may be nil.
func lettersOf(ctx context.Context, req *promwire.WriteRequest, err error) []DeadLetter {
	letters := make([]DeadLetter, 0, len(req.Timeseries))
	d := DeadLetter{Time: time.Now(), Tenant: promwire.TenantFromContext(ctx), Status: statusOf(err)}
	if err != nil {
		d.Reason = err.Error()
	}
	for _, ts := range req.Timeseries {
		d.Series = ts
		letters = append(letters, d)
	}
	return letters
}

// bury writes what was refused with err to w.
func bury(ctx context.Context, w promwire.Writer, req *promwire.WriteRequest, err error) (promwire.WriteStats, error) {
	sink, ok := w.(DeadLetters)
	if !ok {
		return w.Write(ctx, req)
	}
	if err := sink.WriteDeadLetters(ctx, lettersOf(ctx, req, err)); err != nil {
		return promwire.WriteStats{}, err
	}
	return req.Stats(), nil
}
