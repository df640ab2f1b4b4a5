package queryapi

import (
	"context"
	"fmt"
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
