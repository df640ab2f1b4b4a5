package queryapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// places bounds how many queries run at the same time. It is the engine's query tracker.
type places chan struct{}

// GetMaxConcurrent implements [promql.QueryTracker].
func (p places) GetMaxConcurrent() int { return cap(p) }

// Insert waits for a place, as long as ctx does. It implements [promql.QueryTracker].
func (p places) Insert(ctx context.Context, _ string) (int, error) {
	if ctx.Err() == nil {
		select {
		case p <- struct{}{}:
			return 0, nil
		case <-ctx.Done():
		}
	}
	return 0, fmt.Errorf("query timed out in query queue: %w", ctx.Err())
}

// Delete gives the place back. It implements [promql.QueryTracker].
func (p places) Delete(int) { <-p }

// Close implements [promql.QueryTracker].
func (places) Close() error { return nil }

// timeoutStatus answers what ran out of time with 503, wherever that was: the same may go well later. Prometheus' own
// status depends on the place. The type of kinds of errors has no name outside of the API.
func timeoutStatus[kind any](_ kind, err error) (code int, override bool) {
	return http.StatusServiceUnavailable, errors.Is(err, context.DeadlineExceeded)
}
