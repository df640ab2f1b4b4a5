package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/tsdbstore"
	"github.com/promwire/promwire/server"
)

// Prefix is what the paths of the page's files and data begin with; the page itself is at /.
const Prefix = "/ui/"

// UI is the page and what it knows of the requests. It is safe for concurrent use.
type UI struct {
	watch   watch
	traffic traffic
	ring    ring
	visits  visits
	now     func() time.Time
	started time.Time
	store   *tsdbstore.Store // nil for a gateway,
	gateway func() Gateway   // which has this instead
	files   map[string]*file
}

// New returns the page of a store.
func New(store *tsdbstore.Store) *UI {
	u := &UI{now: time.Now, store: store, files: embedded()}
	u.begin()
	return u
}

func (u *UI) begin() {
	u.started = u.now()
	u.traffic.init()
	u.visits.ui = u
}

// Option has the handlers of a storage tell the page of their requests. It costs them no allocation.
func (u *UI) Option() server.SharedOption { return server.WithTrace(u.visits.begin) }

// Storage returns the store for the handlers: what is written is also shown to those who look at the page.
func (u *UI) Storage() promwire.Storage { return tapped{u.store} }

// Handler serves the page, and leaves all other paths to next.
func (u *UI) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" || strings.HasPrefix(r.URL.Path, Prefix) {
			u.serve(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
