package relay

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/promwire/promwire"
)

// intake counts what is acknowledged, in front of the spool, and tells senders when to come again while the spool takes
// nothing.
type intake struct {
	next                      Intake
	logger                    *slog.Logger
	requests, samples, failed atomic.Int64
	closed                    atomic.Bool // the spool did not take the last request
}

// Write implements promwire.Writer.
func (i *intake) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	stats, err := i.next.Write(ctx, req)
	return stats, i.note(stats, err)
}

// WriteBody implements promwire.BodyWriter.
func (i *intake) WriteBody(ctx context.Context, b *promwire.Body) (promwire.WriteStats, error) {
	stats, err := i.next.WriteBody(ctx, b)
	return stats, i.note(stats, err)
}

// note counts what became of a request, and logs when the spool begins and ends to take nothing. It returns the error
// for the sender.
func (i *intake) note(stats promwire.WriteStats, err error) error {
	switch {
	case err == nil:
		i.requests.Add(1)
		i.samples.Add(int64(stats.Samples + stats.Histograms))
		if i.closed.Swap(false) {
			i.logger.Info("the spool takes requests again")
		}
		return nil
	case errors.Is(err, promwire.ErrUnavailable):
		if !i.closed.Swap(true) {
			i.logger.Error("the spool takes no requests, senders are told to come again", "error", err)
		}
		err = &later{err}
	}
	i.failed.Add(1)
	return err
}

// comeAgainAfter is how long a sender is asked to wait while the spool takes nothing.
const comeAgainAfter = 5 * time.Second

// later is an error of the spool, with the answer that the sender gets.
type later struct{ err error }

func (l *later) Error() string { return l.err.Error() }

func (l *later) Unwrap() []error {
	return []error{l.err, &promwire.HTTPError{StatusCode: http.StatusServiceUnavailable, RetryAfter: comeAgainAfter}}
}
