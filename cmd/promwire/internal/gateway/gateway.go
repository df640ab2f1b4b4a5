package gateway

import (
	"context"
	"errors"
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

// New begins to deliver what the spool holds. It closes the spool if it fails.
func New(c Config) (*Gateway, error) {
	g := &Gateway{engine: c.Engine}
	reader, err := g.engine.Reader()
	if err == nil {
		g.query, err = newQueryProxy(&g.engine, outlets.Limited(c.Logger))
	}
	if err != nil {
		return nil, errors.Join(err, c.Relay.Spool.Close())
	}
	g.read = server.NewReadHandler(reader, append([]server.ReadOption{
		server.WithLogger(outlets.Limited(c.Logger)), server.WithTenant(server.TenantFromHeader(promwire.HeaderTenant)),
		server.WithReadLimits(server.ReadLimits{MaxTime: g.engine.Timeout}),
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
	case path == "/metrics":
		g.relay.ServeHTTP(w, r)
		outlets.WriteMetric(w, "promwire_gateway_queries_total", "counter", "Queries passed on to the engine.", g.query.requests.Load())
		outlets.WriteMetric(w, "promwire_gateway_failed_queries_total", "counter", "Those of them that the engine did not answer, or with 5xx.", g.query.failed.Load())
	case strings.HasPrefix(path, apiPrefix):
		g.query.ServeHTTP(w, r)
	default:
		http.NotFound(w, r)
	}
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
