package cli

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"

	"github.com/promwire/promwire/cmd/promwire/internal/queryapi"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
	"github.com/promwire/promwire/cmd/promwire/internal/web"
	"github.com/promwire/promwire/server"
)

const (
	healthyPath = "/-/healthy"
	readyPath   = "/-/ready"
)

// httpServer serves a store once it is opened, and its own health before.
type httpServer struct {
	url      string // without path
	logger   *slog.Logger
	http     *http.Server
	handler  atomic.Pointer[http.Handler] // of the store; nil while it is not ready
	own      *ownMetrics
	pageless bool       // there is no page for people
	failed   chan error // why it does not serve any more
}

func (s *httpServer) writeURL() string { return s.url + server.WritePath }
func (s *httpServer) readURL() string  { return s.url + server.ReadPath }

// ready makes the store reachable.
func (s *httpServer) ready(store *tsdbstore.Store, o queryapi.Options, admin adminFlags) {
	o.Logger, o.Registerer, o.LastReload = s.logger, s.own.registry, s.own.reload.last
	s.own.registry.MustRegister(store.Metrics())
	ui := web.New(store)
	h := ui.Handler(storeHandler{
		remote:  server.NewHandler(ui.Storage(), server.WithLogger(s.logger), ui.Option(), server.WithMetrics(s.own.handlers)),
		queries: queryapi.New(store, o),
		metrics: s.own.page,
		snapshots: snapshotHandler{
			of: func(*http.Request) (snapshotter, func(), error) { return store, func() {}, nil }, enabled: admin.enabled, logger: s.logger,
		},
	})
	s.handler.Store(&h)
}

// storeHandler is what leads to a store.
type storeHandler struct{ remote, queries, metrics, snapshots http.Handler }

// ServeHTTP implements [http.Handler]. Paths are compared as they come: a mux would redirect those that are not clean.
func (h storeHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case server.WritePath, server.PushPath, server.ReadPath:
		h.remote.ServeHTTP(w, r)
	case metricsPath:
		h.metrics.ServeHTTP(w, r)
	case snapshotPath:
		h.snapshots.ServeHTTP(w, r)
	default:
		h.queries.ServeHTTP(w, r)
	}
}

// ServeHTTP implements [http.Handler].
func (s *httpServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := s.handler.Load()
	switch {
	case r.URL.Path == healthyPath:
		_, _ = w.Write([]byte("promwire is healthy\n")) // the prober may be gone
	case h == nil && r.URL.Path == metricsPath:
		s.own.page.ServeHTTP(w, r)
	case h == nil:
		http.Error(w, "promwire is not ready", http.StatusServiceUnavailable)
	case r.URL.Path == readyPath:
		_, _ = w.Write([]byte("promwire is ready\n"))
	default:
		(*h).ServeHTTP(w, r)
	}
}

// stop ends the server: requests that run may finish for a while.
func (s *httpServer) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		s.logger.Warn("some requests did not end in time and are cut off")
		return s.http.Close()
	}
	return err
}
