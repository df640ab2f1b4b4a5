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
	"strings"
	"sync/atomic"

	"github.com/promwire/promwire"
)

// queryProxy passes queries on to the engine: those requests of Prometheus' API that only read.
type queryProxy struct {
	engine *Engine
	base   *url.URL // without user
	user   *url.Userinfo
	proxy  httputil.ReverseProxy

	requests, failed atomic.Int64
}

// maxForm bounds the parameters of a request in its body, in bytes.
const maxForm = 1 << 20

func newQueryProxy(e *Engine, logger *slog.Logger) (*queryProxy, error) {
	base, err := ParseURL(e.Query)
	if err != nil {
		return nil, err
	}
	q := &queryProxy{engine: e, base: base, user: base.User}
	base.User = nil
	q.proxy = httputil.ReverseProxy{
		Transport: e.Transport, Rewrite: q.rewrite, ModifyResponse: q.answer, ErrorHandler: q.fail,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	return q, nil
}

// ServeHTTP implements [http.Handler].
func (q *queryProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !offered(r.URL.Path) {
		http.NotFound(w, r)
		return
	}
	if err := bufferForm(w, r); err != nil {
		refuse(w, err)
		return
	}
	q.requests.Add(1)
	ctx, cancel := context.WithTimeout(r.Context(), q.engine.Timeout)
	defer cancel()
	q.proxy.ServeHTTP(w, r.WithContext(ctx))
}

// bufferForm reads the body, so that it is bounded before anything is asked of the engine.
func bufferForm(w http.ResponseWriter, r *http.Request) *refusal {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		r.Body, r.ContentLength = http.NoBody, 0
		return nil
	case http.MethodPost:
	default:
		w.Header().Set("Allow", "GET, POST")
		return &refusal{http.StatusMethodNotAllowed, "bad_data", fmt.Errorf("method %.20q: want GET or POST", r.Method)}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		err = fmt.Errorf("the parameters have more than %d bytes: ask for less at once", maxForm)
		return &refusal{http.StatusRequestEntityTooLarge, "bad_data", err}
	case err != nil:
		return &refusal{http.StatusBadRequest, "bad_data", fmt.Errorf("error reading the parameters: %w", err)}
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
	for _, name := range passed {
		if v := r.In.Header.Values(name); len(v) > 0 {
			own[http.CanonicalHeaderKey(name)] = v
		}
	}
	r.Out.Header = own
	q.engine.setHeaders(r.Out)
	if q.user != nil && own.Get("Authorization") == "" {
		password, _ := q.user.Password()
		r.Out.SetBasicAuth(q.user.Username(), password)
	}
}

// answer lets answers of the engine through, errors too, without what is between it and the gateway only.
func (q *queryProxy) answer(resp *http.Response) error {
	for name := range resp.Header {
		if strings.HasPrefix(name, "Access-Control-") {
			resp.Header.Del(name)
		}
	}
	resp.Header.Del("Set-Cookie")
	resp.Header.Del("Www-Authenticate")
	switch {
	case resp.StatusCode/100 == 3:
		return fmt.Errorf("the engine answers with %d, a redirect: is its URL right?", resp.StatusCode)
	case resp.StatusCode >= 500:
		q.failed.Add(1)
	}
	return nil
}

// fail answers when the engine did not.
func (q *queryProxy) fail(w http.ResponseWriter, r *http.Request, err error) {
	q.failed.Add(1)
	if errors.Is(err, context.DeadlineExceeded) {
		refuse(w, &refusal{http.StatusServiceUnavailable, "timeout", fmt.Errorf("the engine gave no answer within %v", q.engine.Timeout)})
		return
	}
	if r.Context().Err() != nil {
		refuse(w, &refusal{http.StatusServiceUnavailable, "canceled", r.Context().Err()})
		return
	}
	refuse(w, &refusal{http.StatusBadGateway, "unavailable", fmt.Errorf("the engine can't be reached: %w", err)})
}
