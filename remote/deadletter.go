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
