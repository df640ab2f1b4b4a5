package queryapi

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/promwire/promwire/cmd/promwire/internal/apifront"
)

func newCounts(r prometheus.Registerer) *prometheus.CounterVec {
	counts := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "promwire_query_requests_total",
		Help: "Requests of the query API and of /federate that are done, by path and status; 499 is a client that did not wait.",
	}, []string{"code", "path"})
	if r != nil {
		r.MustRegister(counts)
	}
	return counts
}

// ServeHTTP implements [http.Handler].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, kind := kindOf(r.URL.Path)
	if kind == unknown {
		http.NotFound(w, r)
		return
	}
	r.Header.Del("Origin") // scripts of other sites get no answers
	out := &outcome{ResponseWriter: w, work: r.Context(), leave: func() {}}
	defer func() { h.counts.WithLabelValues(strconv.Itoa(cmp.Or(out.code, http.StatusOK)), path).Inc() }()
	defer h.forms.Bound(w, r)()
	if err := readForm(r); err != nil {
		apifront.BadForm(err).Answer(out)
		return
	}
	base, done := h.memory.Begin(r.Context())
	defer done()
	out.work = base
	ctx, cancel := context.WithTimeout(base, h.opts.Timeout)
	defer cancel()
	h.run(out, r.WithContext(ctx), path, kind)
}

// run answers when there are a place, if it needs one, and memory.
func (h *Handler) run(out *outcome, r *http.Request, path string, kind kind) {
	if kind == reading {
		if _, err := h.places.Insert(r.Context(), ""); err != nil {
			failed(err).Answer(out)
			return
		}
		out.leave = sync.OnceFunc(func() { h.places.Delete(0) })
		defer out.leave()
	}
	release, refusal := h.checkCosts(r.Context(), path, r.Form.Get("query"))
	if refusal != nil {
		refusal.Answer(out)
		return
	}
	defer release()
	h.answer(out, r, path)
}

// answer answers without bounds but those on clients.
func (h *Handler) answer(w *outcome, r *http.Request, path string) {
	out := apifront.NewSteady(w.work, w, h.pause)
	defer out.End()
	switch {
	case path == "status/config" && r.Method == http.MethodGet:
		answerConfig(out, h.store.Options())
	case path == "metadata" && r.Method == http.MethodGet:
		h.metadata(out, r)
	default:
		h.api().ServeHTTP(out, r)
	}
}
