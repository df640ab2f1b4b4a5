package tenants

import (
	"context"
	"iter"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
)

var (
	_ promwire.Storage     = (*Set)(nil)
	_ promwire.ChunkReader = (*Set)(nil)
	_ promwire.BodyWriter  = (*Set)(nil)
)

// Write implements [promwire.Writer] for the tenant of ctx.
func (s *Set) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	store, release, err := s.get(promwire.TenantFromContext(ctx), true)
	if err != nil {
		return promwire.WriteStats{}, err
	}
	defer release()
	return store.Write(ctx, req)
}

// WriteBody implements [promwire.BodyWriter] for the tenant of ctx. One that is not there yet begins only if there is something
// in b to store.
func (s *Set) WriteBody(ctx context.Context, b *promwire.Body) (promwire.WriteStats, error) {
	name := promwire.TenantFromContext(ctx)
	store, release, err := s.get(name, false)
	if store == nil && err == nil {
		if begins, err := first(b); !begins {
			return promwire.WriteStats{}, err
		}
		store, release, err = s.get(name, true)
	}
	if err != nil {
		return promwire.WriteStats{}, err
	}
	defer release()
	return store.WriteBody(ctx, b)
}

// Read implements [promwire.Reader] for the tenant of ctx. One that has written nothing has no series.
func (s *Set) Read(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	return read(ctx, s, func(store *tsdbstore.Store) iter.Seq2[promwire.TimeSeries, error] { return store.Read(ctx, q) })
}

// ReadChunks implements [promwire.ChunkReader] for the tenant of ctx.
func (s *Set) ReadChunks(ctx context.Context, q promwire.Query) iter.Seq2[promwire.ChunkedSeries, error] {
	return read(ctx, s, func(store *tsdbstore.Store) iter.Seq2[promwire.ChunkedSeries, error] { return store.ReadChunks(ctx, q) })
}

// read reads from the store of the tenant of ctx, which stays open until the loop ends.
func read[T any](ctx context.Context, s *Set, from func(*tsdbstore.Store) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		store, release, err := s.get(promwire.TenantFromContext(ctx), false)
		defer release()
		switch {
		case err != nil:
			var zero T
			yield(zero, err)
		case store != nil:
			from(store)(yield)
		}
	}
}
