package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/apifront"
	"github.com/promwire/promwire/internal/readable"
)

// queryProxy passes queries on to the engine: those requests of Prometheus' API that only read.
type queryProxy struct {
	engine *Engine
	base   *url.URL // without user
	user   *url.Userinfo
	proxy  httputil.ReverseProxy

	places *apifront.Places
	forms  apifront.Forms
	pause  time.Duration // of clients

	requests, failed atomic.Int64
}

func newQueryProxy(e *Engine, places int, logger *slog.Logger) (*queryProxy, error) {
	base, err := ParseURL(e.Query)
	if err != nil {
		return nil, err
	}
	q := &queryProxy{engine: e, base: base, user: base.User, places: apifront.NewPlaces(places), pause: apifront.ClientPause}
	base.User = nil
	q.proxy = httputil.ReverseProxy{
		Transport: e.Link, Rewrite: q.rewrite, ModifyResponse: q.answer, ErrorHandler: q.fail,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	return q, nil
}

// ServeHTTP implements [http.Handler]. The time of a query begins before it waits for a place.
func (q *queryProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !offered(r.URL.Path) {
		http.NotFound(w, r)
		return
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	defer q.forms.Bound(w, r)()
	if err := bufferForm(w, r); err != nil {
		err.Answer(w)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), q.engine.Timeout)
	defer cancel()
	if _, err := q.places.Insert(ctx, ""); err != nil {
		refuse(w, http.StatusServiceUnavailable, "timeout", err)
		return
	}
	defer q.places.Delete(0)
	q.requests.Add(1)
	out := apifront.NewSteady(r.Context(), w, q.pause)
	defer out.End()
	q.proxy.ServeHTTP(out, r.WithContext(ctx))
}

// bufferForm reads the body, so that nobody holds a place who sends it slowly.
func bufferForm(w http.ResponseWriter, r *http.Request) *apifront.Refusal {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		r.Body, r.ContentLength = http.NoBody, 0
		return nil
	case http.MethodPost:
	default:
		w.Header().Set("Allow", "GET, POST")
		return &apifront.Refusal{Status: http.StatusMethodNotAllowed, Kind: "bad_data", Err: fmt.Errorf("method %.20q: want GET or POST", r.Method)}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return apifront.BadForm(err)
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return nil
}

// passed are the headers of clients that go to the engine. Credentials and cookies do not: they are for the gateway. Nor
// does Origin: scripts of other sites get no answers.
var passed = []string{"Accept", "Accept-Encoding", "Content-Type", "User-Agent", promwire.HeaderTenant}

func (q *queryProxy) rewrite(r *httputil.ProxyRequest) {
	r.SetURL(q.base)
	own := http.Header{"User-Agent": {"promwire/" + promwire.Version}}
	copyHeaders(own, r.In.Header, passed)
	r.Out.Header = own
	if q.user != nil {
		password, _ := q.user.Password()
		r.Out.SetBasicAuth(q.user.Username(), password) // unless the link has other credentials
	}
}

func copyHeaders(to, from http.Header, names []string) {
	for _, name := range names {
		if v := from.Values(name); len(v) > 0 {
			to[http.CanonicalHeaderKey(name)] = v
		}
	}
}

// fail answers when the engine did not.
func (q *queryProxy) fail(w http.ResponseWriter, r *http.Request, err error) {
	q.failed.Add(1)
	var odd *oddAnswer
	switch {
	case errors.As(err, &odd):
		refuse(w, http.StatusBadGateway, "unavailable", err)
	case errors.Is(err, context.DeadlineExceeded):
		refuse(w, http.StatusServiceUnavailable, "timeout", fmt.Errorf("the engine gave no answer within %v", q.engine.Timeout))
	case r.Context().Err() != nil:
		refuse(w, http.StatusServiceUnavailable, "canceled", r.Context().Err())
	default:
		refuse(w, http.StatusBadGateway, "unavailable", fmt.Errorf("the engine can't be reached: %w", readable.Error(err)))
	}
}

func refuse(w http.ResponseWriter, status int, kind string, err error) {
	(&apifront.Refusal{Status: status, Kind: kind, Err: err}).Answer(w)
}
