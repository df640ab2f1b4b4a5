package server

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/promwire/promwire"
)

// maxWait is how long a request waits for a place before it is sent away.
const maxWait = 10 * time.Second

// retryBusyAfter is what a request that is sent away is told to wait.
const retryBusyAfter = time.Second

// errBusy says that the server has too much to do. It is not 429: senders may drop data on that.
var errBusy = fmt.Errorf("%w: too many requests at the same time", promwire.ErrUnavailable)

// admission decides which requests are worked on. Places bound those that are decompressed, decoded and written; bytes
// bound what all bodies hold, as far as they have come, and decompressed. A request is turned away before its body is
// read if it has to be; while its body comes it holds no place, so that slow senders cost others nothing.
type admission struct {
	gate  gate
	limit int64 // bytes
	used  atomic.Int64
}

func newAdmission(l WriteLimits) *admission {
	return &admission{gate: newGate(l.MaxConcurrent), limit: int64(l.MaxBytesInFlight)}
}

// welcome waits until a place is free, without taking it, and looks for room for a body of n bytes.
func (a *admission) welcome(ctx context.Context, n int64) error {
	if used := a.used.Load(); used > 0 && used > a.limit-n {
		return fmt.Errorf("%w: %d bytes for the body, of %d in all", errBusy, n, a.limit)
	}
	if err := a.enter(ctx); err != nil {
		return err
	}
	a.leave()
	return nil
}

// enter waits for a place. The caller leaves when it is done.
func (a *admission) enter(ctx context.Context) error { return a.gate.enterWithin(ctx, maxWait) }

func (a *admission) leave() { a.gate.leave() }

// claims is what one request holds of the bytes in flight.
type claims struct {
	all    *admission
	tenant *tenantWork // nil if the tenant has no limit of its own
	held   int64
}

// add takes n bytes more. A request that is alone gets what it asks for.
func (c *claims) add(n int64) error {
	if c.all == nil {
		return nil
	}
	used := c.all.used.Add(n)
	if used > c.all.limit && used != n+c.held {
		c.all.used.Add(-n)
		return fmt.Errorf("%w: %d bytes for the body, of %d in all", errBusy, n, c.all.limit)
	}
	if c.tenant != nil {
		if err := c.tenant.claim(n, c.held); err != nil {
			c.all.used.Add(-n)
			return err
		}
	}
	c.held += n
	return nil
}

// release gives back n bytes.
func (c *claims) release(n int64) {
	if c.all == nil {
		return
	}
	c.held -= n
	c.all.used.Add(-n)
	if c.tenant != nil {
		c.tenant.used.Add(-n)
	}
}

// announcedBody is how much of a body there may be: what its length says, or as much as is allowed.
func announcedBody(r *http.Request, maxBody int) int64 {
	if r.ContentLength >= 0 {
		return min(r.ContentLength, int64(maxBody))
	}
	return int64(maxBody)
}

// readDeadline is what [http.ResponseController] uses; asked for here, as the controller allocates when it is missing.
type readDeadline interface{ SetReadDeadline(time.Time) error }

// limitBodyTime lets reading the body fail after d, unless the server has a shorter limit of its own. The returned
// connection, if there is one, has a deadline to lift once the body is read: one that passes later would cancel the
// request. After a failure it stays, for net/http reads what is left of a body.
func limitBodyTime(w http.ResponseWriter, r *http.Request, d time.Duration) readDeadline {
	if d < 0 {
		return nil
	}
	c := readDeadlineOf(w)
	if c == nil {
		return nil
	}
	if srv, ok := r.Context().Value(http.ServerContextKey).(*http.Server); ok && srv.ReadTimeout > 0 && srv.ReadTimeout <= d {
		return nil
	}
	if c.SetReadDeadline(time.Now().Add(d)) != nil {
		return nil
	}
	return c
}

// readDeadlineOf finds the connection below what middleware has put around it, or returns nil.
func readDeadlineOf(w http.ResponseWriter) readDeadline {
	for {
		switch t := w.(type) {
		case readDeadline:
			return t
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return nil
		}
	}
}
