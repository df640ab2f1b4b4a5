package tenants

import (
	"context"
	"iter"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/promwire/promwire"
)

var (
	_ promwire.Storage     = (*Set)(nil)
	_ promwire.ChunkReader = (*Set)(nil)
	_ promwire.BodyWriter  = (*Set)(nil)
)

// Write implements [promwire.Writer] for the tenant of ctx.
func (s *Set) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	store, err := s.get(promwire.TenantFromContext(ctx), true)
	if err != nil {
		return promwire.WriteStats{}, err
	}
	return store.Write(ctx, req)
}

// WriteBody implements [promwire.BodyWriter] for the tenant of ctx.
func (s *Set) WriteBody(ctx context.Context, b *promwire.Body) (promwire.WriteStats, error) {
	store, err := s.get(promwire.TenantFromContext(ctx), true)
	if err != nil {
		return promwire.WriteStats{}, err
	}
	return store.WriteBody(ctx, b)
}

// Read implements [promwire.Reader] for the tenant of ctx. One that has written nothing has no series.
func (s *Set) Read(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	store, err := s.get(promwire.TenantFromContext(ctx), false)
	if store == nil {
		return none[promwire.TimeSeries](err)
	}
	return store.Read(ctx, q)
}

// ReadChunks implements [promwire.ChunkReader] for the tenant of ctx.
func (s *Set) ReadChunks(ctx context.Context, q promwire.Query) iter.Seq2[promwire.ChunkedSeries, error] {
	store, err := s.get(promwire.TenantFromContext(ctx), false)
	if store == nil {
		return none[promwire.ChunkedSeries](err)
	}
	return store.ReadChunks(ctx, q)
}

// none yields nothing but an error, if there is one.
func none[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if err != nil {
			var zero T
			yield(zero, err)
		}
	}
}

// Metrics are those of all stores, with the label tenant, and the number of tenants.
func (s *Set) Metrics() prometheus.Collector { return setMetrics{s} }

type setMetrics struct{ s *Set }

// Describe implements [prometheus.Collector].
func (setMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements [prometheus.Collector].
func (m setMetrics) Collect(ch chan<- prometheus.Metric) {
	for _, t := range m.s.all() {
		prometheus.WrapCollectorWith(prometheus.Labels{"tenant": t.name}, t.store.Metrics()).Collect(ch)
	}
}
