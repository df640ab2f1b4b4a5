package gateway

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/outlets"
	"github.com/promwire/promwire/cmd/promwire/internal/relay"
	"github.com/promwire/promwire/server"
)

// Config is what a gateway does.
type Config struct {
	Engine Engine
	// Relay takes writes: its one target is the engine.
	Relay relay.Config
	// MaxConcurrency is how many queries are passed on at the same time; others wait, as long as a query may take. Reads are
	// bounded apart, by the same number, or [server.DefaultMaxConcurrent] if that is less.
	MaxConcurrency int
	// MaxSamples bounds a read that is answered with samples, which are held in memory: at the default, 50,000,000, by a GiB.
	MaxSamples int
	// Options are more options of the handler for reads.
	Options []server.ReadOption
	Logger  *slog.Logger
}

// Gateway is the front of an engine. It is safe for concurrent use.
type Gateway struct {
	engine Engine
	relay  *relay.Relay
	read   http.Handler
	query  *queryProxy
}

// bytesOfSample is what a sample of an answer may have, with its part of the labels: a GiB for 50,000,000 of them.
const bytesOfSample = 22

// New begins to deliver what the spool holds. It closes the spool if it fails.
func New(c Config) (*Gateway, error) {
	g := &Gateway{engine: c.Engine}
	limits := server.ReadLimits{MaxTime: c.Engine.Timeout, MaxConcurrent: min(c.MaxConcurrency, server.DefaultMaxConcurrent), MaxSamples: c.MaxSamples}
	limits.MaxResponseBytes = min(min(c.MaxSamples, server.DefaultMaxSamples)*bytesOfSample, server.DefaultMaxResponseBytes)
	g.engine.MaxAnswer = limits.MaxResponseBytes
	reader, err := g.engine.Reader()
	if err == nil {
		g.query, err = newQueryProxy(&g.engine, c.MaxConcurrency, outlets.Limited(c.Logger))
	}
	if err != nil {
		return nil, errors.Join(err, c.Relay.Spool.Close())
	}
	g.read = server.NewReadHandler(reader, append([]server.ReadOption{
		server.WithLogger(outlets.Limited(c.Logger)), server.WithTenant(server.TenantFromHeader(promwire.HeaderTenant)),
		server.WithReadLimits(limits),
		server.WithAnyOrder(), // a Prometheus with external labels has none
	}, c.Options...)...)
	if g.relay, err = relay.New(c.Relay); err != nil {
		return nil, err
	}
	return g, nil
}

// ServeHTTP implements [http.Handler]. It answers whether the engine can be reached or not: writes wait for it in the
// spool, and readers are told.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case path == server.WritePath || path == server.PushPath || path == relay.ReceivePath:
		g.relay.ServeHTTP(w, r)
	case path == server.ReadPath:
		g.read.ServeHTTP(w, r)
	case strings.HasPrefix(path, apiPrefix):
		g.query.ServeHTTP(w, r)
	default:
		http.NotFound(w, r)
	}
}

// WriteMetrics writes figures as text 0.0.4.
func (g *Gateway) WriteMetrics(w io.Writer) {
	g.relay.WriteMetrics(w)
	write := func(name, kind, help string, v int64) {
		outlets.WriteMetric(w, "promwire_gateway_"+name, kind, help, v)
	}
	q := g.query
	write("queries_total", "counter", "Queries passed on to the engine.", q.requests.Load())
	write("failed_queries_total", "counter", "Queries that the engine did not answer, or with 5xx.", q.failed.Load())
	write("queries_in_flight", "gauge", "Queries that are at the engine.", int64(q.places.Running()))
	write("queries_waiting", "gauge", "Queries that wait, as --query.max-concurrency are at the engine.", q.places.Waiting())
	write("refused_queries_total", "counter", "Queries that waited in vain, and were answered with 503.", q.places.Refused())
}

// Reconnect goes on with another connection, and another way to write; what waits goes out by it, and what is on its way
// may be sent again. After an error all is as before.
func (g *Gateway) Reconnect(target relay.Target, c Connection) error {
	if err := g.relay.Change([]relay.Target{target}); err != nil {
		return err
	}
	g.engine.Link.Replace(c)
	return nil
}

// State is how a gateway is.
type State struct {
	outlets.Figures
	SpoolBytes int64
}

// State returns how the gateway is.
func (g *Gateway) State() State { return State{g.relay.Figures()[0], g.relay.SpoolBytes()} }

// End delivers what it can until ctx ends, and closes the spool. Nothing may be received any more. What is left goes out
// with the next run.
func (g *Gateway) End(ctx context.Context) error { return g.relay.End(ctx) }
