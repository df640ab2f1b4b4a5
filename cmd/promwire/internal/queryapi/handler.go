package queryapi

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/route"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/httputil"
	v1 "github.com/prometheus/prometheus/web/api/v1"

	"github.com/promwire/promwire/cmd/promwire/internal/apifront"
	"github.com/promwire/promwire/cmd/promwire/internal/memory"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
)

// defaultSubqueryStep is the step of a subquery that has none.
var defaultSubqueryStep = time.Duration(config.DefaultGlobalConfig.EvaluationInterval)

// Prefix is what the paths of the API begin with.
const Prefix = "/api/v1/"

// Handler answers the API. It is safe for concurrent use.
type Handler struct {
	opts   Options
	store  *tsdbstore.Store
	places *apifront.Places
	forms  *apifront.Forms
	memory *memory.Guard
	engine promql.QueryEngine
	counts *prometheus.CounterVec // of requests
	api    func() http.Handler    // built for the first request: it takes megabytes, and many stores are never asked
	pause  time.Duration          // of clients
}

// New returns a handler for paths that begin with [Prefix], and for [FederatePath]. Paths of Prometheus' API that would write, such as
// /api/v1/write, and those that have nothing to say here are not found. Without a store only [Handler.For] is of use.
func New(store *tsdbstore.Store, o Options) *Handler {
	o = o.withDefaults()
	h := &Handler{
		opts: o, places: apifront.NewPlaces(o.MaxConcurrency), forms: &apifront.Forms{}, memory: memory.NewGuard(o.MaxMemory),
		pause: apifront.ClientPause, counts: newCounts(o.Registerer),
	}
	h.engine = h.newEngine()
	return h.For(store)
}

// For returns a handler for another store that shares engine, places and all bounds with h.
func (h *Handler) For(store *tsdbstore.Store) *Handler {
	c := *h
	c.store = store
	c.api = sync.OnceValue(func() http.Handler {
		router := route.New()
		router.Get(FederatePath, httputil.CompressionHandler{Handler: http.HandlerFunc(c.federate)}.ServeHTTP)
		newAPI(store, h.opts, h.engine).Register(router.WithPrefix(strings.TrimSuffix(Prefix, "/")))
		return router
	})
	return &c
}

func (h *Handler) newEngine() promql.QueryEngine {
	return boundedEngine{maxSteps: h.opts.MaxSamples, memory: h.memory, Engine: promql.NewEngine(promql.EngineOpts{
		Logger:                   h.opts.Logger,
		Reg:                      h.opts.Registerer,
		MaxSamples:               h.opts.MaxSamples,
		Timeout:                  h.opts.Timeout,
		ActiveQueryTracker:       h.places,
		LookbackDelta:            h.opts.LookbackDelta,
		NoStepSubqueryIntervalFn: func(int64) int64 { return defaultSubqueryStep.Milliseconds() },
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		Parser:                   newParser(),
	})}
}

func newAPI(store *tsdbstore.Store, o Options, engine promql.QueryEngine) *v1.API {
	q := store.Queryable()
	none := func(context.Context) v1.ScrapePoolsRetriever { return nil }
	targets := func(context.Context) v1.TargetRetriever { return nil }
	managers := func(context.Context) v1.AlertmanagerRetriever { return nil }
	noRules := func(context.Context) v1.RulesRetriever { return noRules{} }
	ready := func(f http.HandlerFunc) http.HandlerFunc { return f }
	return v1.NewAPI(engine, q, nil, nil, storage.ExemplarQueryable(q), none, targets, managers,
		func() config.Config { return config.DefaultConfig }, o.Flags, v1.GlobalURLOptions{}, ready,
		q, "", false, false, 0, o.Logger, noRules,
		0, 0, 0, false, nil, runtimeInfo(store, o.LastReload), buildInfo(), nil, nil,
		q, nil, nil, false, nil, false, false, false, false, o.LookbackDelta, false, false, retryableStatus, nil,
		v1.OpenAPIOptions{IncludePaths: []string{"/none"}}, newParser())
}
