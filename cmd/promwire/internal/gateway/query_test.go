package gateway

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/apifront"
)

func proxy(t *testing.T, e *Engine) *queryProxy {
	t.Helper()
	q, err := newQueryProxy(e, 2, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func send(h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// A query goes to the engine as it came, with the engine's credentials instead of the client's.
func TestQuery(t *testing.T) {
	var got *http.Request
	var form string
	e := engine(t, Mimir, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got, form = r, string(body)
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = io.WriteString(w, `{"status":"error","errorType":"execution"}`)
	})
	e.Link.Replace(Connection{http.DefaultTransport, http.Header{
		"Authorization": {"Bearer own"}, http.CanonicalHeaderKey(promwire.HeaderTenant): {"fixed"},
	}})
	q := proxy(t, e)
	answer := send(q, http.MethodPost, "/api/v1/query_range?x=%3b&y=1", "query=up%7B%7D",
		"Content-Type", "application/x-www-form-urlencoded", "Authorization", "Bearer theirs", "Cookie", "c=d", "Origin", "http://evil",
		"X-Forwarded-For", "1.2.3.4", "Connection", "Upgrade", "Upgrade", "websocket", promwire.HeaderTenant, "team", "User-Agent", "grafana")
	if answer.Code != http.StatusUnprocessableEntity || answer.Body.String() != `{"status":"error","errorType":"execution"}` {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if got.URL.Path != "/prometheus/api/v1/query_range" || got.URL.RawQuery != "x=%3b&y=1" || form != "query=up%7B%7D" {
		t.Errorf("asked for %s with %q", got.URL, form)
	}
	for name, want := range map[string]string{
		"Authorization": "Bearer own", "Cookie": "", "Origin": "", "X-Forwarded-For": "", promwire.HeaderTenant: "fixed",
		"User-Agent": "grafana", "Content-Type": "application/x-www-form-urlencoded", "Upgrade": "", "Connection": "",
	} {
		if v := got.Header.Get(name); v != want {
			t.Errorf("%s is %q, want %q", name, v, want)
		}
	}
	if answer.Header().Get("Access-Control-Allow-Origin")+answer.Header().Get("Set-Cookie") != "" {
		t.Errorf("answered with %v", answer.Header())
	}
}

// The password of the URL is the gateway's own.
func TestQueryUser(t *testing.T) {
	e := engine(t, Prometheus, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, user+" "+password+" "+r.URL.EscapedPath())
	})
	e.Query = strings.Replace(e.Query, "http://", "http://me:secret@", 1)
	if got := send(proxy(t, e), http.MethodGet, "/api/v1/label/a%20b/values", "").Body.String(); got != "me secret /api/v1/label/a%20b/values" {
		t.Errorf("got %q", got)
	}
}

// Only what reads series goes to the engine.
func TestQueryPaths(t *testing.T) {
	var asked []string
	e := engine(t, Prometheus, func(_ http.ResponseWriter, r *http.Request) { asked = append(asked, r.URL.Path) })
	q := proxy(t, e)
	for _, path := range []string{
		"/api/v1/admin/tsdb/delete_series", "/api/v1/status/config", "/api/v1/status/flags", "/api/v1/write", "/api/v1/", "/api/v1/query/",
		"/api/v1/import", "/api/v1/label/../values", "/api/v1/label/a/b/values", "/api/v1/label//values", "/api/v1/label/%2e%2e%2fadmin/values",
		"/api/v1/targets", "/api/v1//query", "/api/v1/stores", "/federate", "/api/v2/query",
	} {
		if got := send(q, http.MethodGet, path, ""); got.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
	if got := send(q, http.MethodDelete, "/api/v1/query", ""); got.Code != http.StatusMethodNotAllowed {
		t.Errorf("DELETE: %d", got.Code)
	}
	if got := send(q, http.MethodPost, "/api/v1/query", strings.Repeat("x", apifront.MaxForm+1)); got.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a long form: %d", got.Code)
	}
	want := []string{"/api/v1/query", "/api/v1/label/__name__/values", "/api/v1/series"}
	for _, path := range want {
		send(q, http.MethodGet, path, "")
	}
	if !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
}

// An engine that does not answer is told in the form of the API.
func TestQueryFails(t *testing.T) {
	hangs := engine(t, Prometheus, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	hangs.Timeout = time.Millisecond
	redirects := engine(t, Prometheus, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.1:9/secret", http.StatusFound)
	})
	down := engine(t, Prometheus, nil)
	down.Query = "http://127.0.0.1:1"
	for _, c := range []struct {
		e      *Engine
		status int
		kind   string
	}{{hangs, http.StatusServiceUnavailable, "timeout"}, {redirects, http.StatusBadGateway, "unavailable"}, {down, http.StatusBadGateway, "unavailable"}} {
		q := proxy(t, c.e)
		got := send(q, http.MethodGet, "/api/v1/query?query=1", "")
		var body map[string]string
		if err := json.Unmarshal(got.Body.Bytes(), &body); err != nil || got.Code != c.status || body["errorType"] != c.kind || body["status"] != "error" || body["error"] == "" {
			t.Errorf("%d %s, %v, want %d %s", got.Code, got.Body, err, c.status, c.kind)
		}
		if q.failed.Load() != 1 || got.Header().Get("Location") != "" {
			t.Errorf("%d failures, header %v", q.failed.Load(), got.Header())
		}
	}
}

// What an engine says before its answer reaches nobody: it has headers that answers must not have.
func TestEarlyHints(t *testing.T) {
	e := engine(t, Prometheus, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "a=b")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{}")
	})
	url, _, finish := front(t, e)
	defer finish()
	trace := &httptrace.ClientTrace{Got1xxResponse: func(status int, h textproto.MIMEHeader) error {
		t.Errorf("%d %v", status, h)
		return nil
	}}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, url+"/api/v1/query?query=up", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "{}" || resp.Header.Get("Set-Cookie") != "" {
		t.Errorf("%s, %v, %v", body, resp.Header, err)
	}
}
