package cli

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/queryapi"
	"github.com/promwire/promwire/cmd/promwire/internal/tenants"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
	"github.com/promwire/promwire/server"
)

// tenantFlags say whether there is a store for each tenant.
type tenantFlags struct {
	on    bool
	limit int
	idle  duration
}

func (f *tenantFlags) register(flags *pflag.FlagSet) {
	flags.BoolVar(&f.on, "multi-tenant", false, "keep a store for each tenant, named by the header "+promwire.HeaderTenant+", which is believed")
	flags.IntVar(&f.limit, "max-tenants", 50, "how many tenants there may be with --multi-tenant; each takes memory and a folder")
	f.idle = duration(time.Hour)
	flags.Var(&f.idle, "tenant-idle", "with --multi-tenant, how long the store of a tenant stays open without a request; the next one opens it again; 0: always")
}

// checkUse refuses flags that mean nothing without --multi-tenant.
func (f *tenantFlags) checkUse(flags *pflag.FlagSet) error {
	for _, name := range []string{"max-tenants", "tenant-idle"} {
		if flags.Changed(name) && !f.on {
			return usagef("--%s is for use with --multi-tenant", name)
		}
	}
	return nil
}

// check refuses numbers that make no sense, and data that were stored the other way.
func (f *tenantFlags) check(data string) error {
	if f.limit < 1 || f.limit > 10_000 {
		return usagef("--max-tenants %d: want 1 to 10000", f.limit)
	}
	if _, err := os.Stat(filepath.Join(data, tenants.Dir)); err == nil && !f.on {
		return usagef("--data %s holds the data of tenants: use --multi-tenant, or %s as --data for one of them", data, filepath.Join(data, tenants.Dir, "NAME"))
	}
	return nil
}

// readyForTenants makes the stores of all tenants reachable. There is no page.
func (s *httpServer) readyForTenants(set *tenants.Set, o queryapi.Options, idle time.Duration, admin adminFlags) {
	o.Logger, o.Registerer, o.LastReload, s.pageless = s.logger, s.own.registry, s.own.reload.last, true
	s.own.registry.MustRegister(set.Metrics())
	queries := &tenantQueries{set: set, shared: queryapi.New(nil, o), of: map[*tsdbstore.Store]*queryapi.Handler{}}
	if idle > 0 {
		set.CloseIdle(idle, queries.forget)
	}
	h := http.Handler(tenantHandler{set: set, metrics: s.own.page, next: storeHandler{
		remote: server.NewHandler(set, server.WithLogger(s.logger), server.WithMetrics(s.own.handlers),
			server.WithTenant(server.TenantFromHeader(promwire.HeaderTenant))),
		queries: queries,
		snapshots: snapshotHandler{
			of:      func(r *http.Request) (snapshotter, func(), error) { return storeOf(set, r) },
			enabled: admin.enabled, logger: s.logger,
		},
	}})
	s.handler.Store(&h)
}

// tenantHandler lets through only requests of tenants.
type tenantHandler struct {
	set           *tenants.Set
	metrics, next http.Handler
}

// ServeHTTP implements [http.Handler].
func (h tenantHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if path == metricsPath { // of the server, not of a tenant
		h.metrics.ServeHTTP(w, r)
		return
	}
	if !strings.HasPrefix(path, queryapi.Prefix) && path != queryapi.FederatePath {
		http.NotFound(w, r)
		return
	}
	name := r.Header.Get(promwire.HeaderTenant)
	switch values := r.Header.Values(promwire.HeaderTenant); {
	case name == "":
		http.Error(w, "no tenant: send the header "+promwire.HeaderTenant, http.StatusUnauthorized)
		return
	case len(values) > 1:
		http.Error(w, fmt.Sprintf("header %s is there %d times", promwire.HeaderTenant, len(values)), http.StatusBadRequest)
		return
	}
	if err := tenants.CheckName(name); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if path == server.WritePath || path == server.PushPath {
		if err := h.set.Full(name); err != nil {
			http.Error(w, err.Error(), http.StatusTooManyRequests)
			return
		}
	}
	h.next.ServeHTTP(w, r)
}

// storeOf returns the store of the tenant that a request is for. It stays open until release is called.
func storeOf(set *tenants.Set, r *http.Request) (store *tsdbstore.Store, release func(), err error) {
	name := r.Header.Get(promwire.HeaderTenant)
	store, release, err = set.Store(name)
	if err == nil && store == nil {
		err = fmt.Errorf("tenant %q has written nothing yet", name)
	}
	return store, release, err
}

// tenantQueries answers the query API for each tenant, within bounds that hold for all together.
type tenantQueries struct {
	set    *tenants.Set
	shared *queryapi.Handler

	mu sync.Mutex
	of map[*tsdbstore.Store]*queryapi.Handler
}

// ServeHTTP implements [http.Handler].
func (q *tenantQueries) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	store, release, err := storeOf(q.set, r)
	defer release()
	if err != nil {
		notOpen(w, err)
		return
	}
	q.handler(store).ServeHTTP(w, r)
}

func (q *tenantQueries) handler(store *tsdbstore.Store) *queryapi.Handler {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.of[store]
	if h == nil {
		h = q.shared.For(store)
		q.of[store] = h
	}
	return h
}

func (q *tenantQueries) forget(store *tsdbstore.Store) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.of, store)
}
