package relay

import (
	"context"
	"sync/atomic"

	"github.com/promwire/promwire"
)

// intake counts what is acknowledged, in front of the spool.
type intake struct {
	next interface {
		promwire.Writer
		promwire.BodyWriter
	}
	requests, samples, failed atomic.Int64
}

// Write implements promwire.Writer.
func (i *intake) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	stats, err := i.next.Write(ctx, req)
	i.count(stats, err)
	return stats, err
}

// WriteBody implements promwire.BodyWriter.
func (i *intake) WriteBody(ctx context.Context, b *promwire.Body) (promwire.WriteStats, error) {
	stats, err := i.next.WriteBody(ctx, b)
	i.count(stats, err)
	return stats, err
}

func (i *intake) count(stats promwire.WriteStats, err error) {
	if err != nil {
		i.failed.Add(1)
		return
	}
	i.requests.Add(1)
	i.samples.Add(int64(stats.Samples + stats.Histograms))
}
