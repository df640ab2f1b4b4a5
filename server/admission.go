package server

import (
	"context"
	"encoding/binary"
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

// admission decides which requests are worked on, before their bodies are read. It bounds their number, by places for
// which they wait, and the bytes of their bodies, as they came and decompressed.
type admission struct {
	gate  gate
	limit int64 // bytes
	used  atomic.Int64
}

func newAdmission(l WriteLimits) *admission {
	return &admission{gate: newGate(l.MaxConcurrent), limit: int64(l.MaxBytesInFlight)}
}

// enter waits for a place. The caller leaves when it is done.
func (a *admission) enter(ctx context.Context) error {
	if a.gate.tryEnter() {
		return nil
	}
	limited, cancel := context.WithTimeoutCause(ctx, maxWait, errBusy)
	defer cancel()
	err := a.gate.enter(limited)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: no place within %v", errBusy, maxWait)
	}
	return err
}

func (a *admission) leave() { a.gate.leave() }

// claim takes n bytes, which the caller gives back, for a request that holds some already. One that is alone gets what
// it asks for.
func (a *admission) claim(n, held int64) error {
	if used := a.used.Add(n); used > a.limit && used != n+held {
		a.used.Add(-n)
		return fmt.Errorf("%w: %d bytes for the body, of %d in all", errBusy, n, a.limit)
	}
	return nil
}

func (a *admission) release(n int64) { a.used.Add(-n) }

// bodyClaim is how much of a body there may be: what its length says, or as much as is allowed.
func bodyClaim(r *http.Request, maxBody int) int64 {
	if r.ContentLength >= 0 {
		return min(r.ContentLength, int64(maxBody))
	}
	return int64(maxBody)
}

// decodedClaim is how much a body decompresses to: what a snappy block says of itself, or as much as is allowed.
func decodedClaim(body []byte, encoding string, maxDecoded int) int64 {
	switch encoding {
	case "", promwire.EncodingIdentity:
		return 0
	case promwire.EncodingSnappy:
		if size, n := binary.Uvarint(body); n > 0 && size < uint64(maxDecoded) {
			return int64(size)
		}
	}
	return int64(maxDecoded)
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
