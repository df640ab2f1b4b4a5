package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/formats"
	"github.com/promwire/promwire/cmd/promwire/internal/transfer/order"
	"github.com/promwire/promwire/remote"
)

// Reader returns what answers reads: the engine's own remote read where it has one, otherwise its export
// (VictoriaMetrics) or its queries (Thanos).
func (e *Engine) Reader() (promwire.Reader, error) {
	if e.Read == "" {
		if e.Kind == VictoriaMetrics {
			return &exportReader{e}, nil
		}
		return &rangeReader{e}, nil
	}
	client, err := remote.NewReadClient(e.Read, remote.WithHTTPClient(e.client()), remote.WithTimeout(e.Timeout),
		remote.WithMaxResponse(cmp.Or(e.MaxAnswer, remote.DefaultMaxResponse)))
	if err != nil {
		return nil, err
	}
	return &remoteReader{client}, nil
}

// remoteReader reads from an engine that has remote read.
type remoteReader struct{ client *remote.ReadClient }

// Read implements promwire.Reader.
func (r *remoteReader) Read(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	return explainedAll(r.client.Read(ctx, q))
}

// ReadChunks implements promwire.ChunkReader.
func (r *remoteReader) ReadChunks(ctx context.Context, q promwire.Query) iter.Seq2[promwire.ChunkedSeries, error] {
	return explainedAll(r.client.ReadChunks(ctx, q))
}

func explainedAll[T any](all iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for ts, err := range all {
			if !yield(ts, explained(err)) {
				return
			}
		}
	}
}

const (
	// sortMemory bounds the points of a read that are sorted in memory, in bytes; the rest waits on disk.
	sortMemory = 32 << 20
	// maxPoints bounds the points of a read, so that one can't fill the disk: these are some 2 GiB.
	maxPoints = 100_000_000
)

// collector takes points in any order.
type collector struct {
	sorter *order.Sorter
	lo, hi int64 // the range that is wanted, in milliseconds, inclusive
}

// add takes a sample, if it is in the range.
func (c *collector) add(ls promwire.Labels, s promwire.Sample) error {
	if s.Timestamp < c.lo || s.Timestamp > c.hi {
		return nil
	}
	if c.sorter.Len() >= maxPoints {
		return fmt.Errorf("%w: a read of more than %d samples: ask for fewer series or less time", promwire.ErrTooLarge, maxPoints)
	}
	return c.sorter.Add(&formats.Point{Labels: ls, Sample: s})
}

// sorted yields what fetch adds in the order of a promwire.Reader.
func (e *Engine) sorted(q promwire.Query, fetch func(*collector) error) iter.Seq2[promwire.TimeSeries, error] {
	return func(yield func(promwire.TimeSeries, error) bool) {
		c := collector{sorter: order.New(order.Options{Memory: sortMemory, Dir: e.TempDir, WholeSeries: true})}
		if c.lo, c.hi = q.Range(); c.lo > c.hi || len(q.Matchers) == 0 {
			return
		}
		if err := fetch(&c); err != nil {
			yield(promwire.TimeSeries{}, errors.Join(explained(err), c.sorter.Close()))
			return
		}
		for ts, err := range c.sorter.All(nil) {
			if !yield(ts, err) || err != nil {
				_ = c.sorter.Close() // nobody listens any more
				return
			}
		}
		if err := c.sorter.Close(); err != nil {
			yield(promwire.TimeSeries{}, err)
		}
	}
}
