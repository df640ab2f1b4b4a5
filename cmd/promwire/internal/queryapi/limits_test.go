package queryapi

import (
	"bytes"
	"context"
	"errors"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/promwire/promwire/cmd/promwire/internal/apifront"
)

// TestMaxSamples demands that a query that takes too many samples fails as in Prometheus.
func TestMaxSamples(t *testing.T) {
	h := New(newStore(t), Options{MaxSamples: 100})
	get(h, "query", params("query", "requests_total[1h]", "time", "1772366400")).
		demand(t, 422, `"errorType":"execution"`, "query processing would load too many samples into memory")
	get(h, "query", params("query", "requests_total[10m]", "time", "1772366400")).demand(t, 200)
}

// TestTimeout ends queries that take too long, in the engine and while they wait for a place.
func TestTimeout(t *testing.T) {
	store := newStore(t)
	h := New(store, Options{Timeout: 1})
	for _, path := range []string{"query", "labels", "label/instance/values", "parse_query"} {
		get(h, path, params("query", "requests_total")).demand(t, 503, "query timed out in query queue")
	}
	h = New(store, Options{Timeout: long})
	get(h, "query", params("query", "requests_total", "timeout", "0.000000001")).demand(t, 503)
	h = New(store, Options{Timeout: 20 * time.Millisecond})
	get(h, "query_range", params("query", "sum_over_time(sum_over_time(requests_total[1h:1s])[1d:1s])", "start", "1772360000", "end", "1772366400", "step", "1")).
		demand(t, 503, `"errorType":"timeout"`, "query timed out in ")
}

// TestWaiting ends the wait for a place after the timeout of the server, or that of the request.
func TestWaiting(t *testing.T) {
	h := New(newStore(t), Options{Timeout: 50 * time.Millisecond, MaxConcurrency: 1})
	if _, err := h.places.Insert(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"query", "query_range", "labels", "series", "label/a/values", "query_exemplars", "parse_query", "status/tsdb", "metadata", "rules"} {
		v := params("query", "up", "match[]", "up", "start", "1", "end", "2", "step", "1")
		got := get(h, path, v)
		got.demand(t, 503, `"errorType":"timeout"`, `"error":"query timed out in query queue: 1 queries run already`)
	}
	h.opts.Timeout = long
	get(h, "query", params("query", "up", "timeout", "50ms")).demand(t, 503, `"errorType":"timeout"`)
}

// TestPlaces gives as many queries a place as there are; others wait as long as their client does.
func TestPlaces(t *testing.T) {
	h := New(newStore(t), Options{Timeout: long, MaxConcurrency: 2})
	for range 2 {
		if _, err := h.places.Insert(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for path, code := range map[string]int{"query?query=up": 499, "labels": 499} {
		r := httptest.NewRequest(http.MethodGet, Prefix+path, nil).WithContext(ctx)
		ask(h, r).demand(t, code, `"status":"error"`)
	}
	get(h, "status/buildinfo", nil).demand(t, 200) // needs no place
	h.places.Delete(0)
	get(h, "query", params("query", "up")).demand(t, 200)
	get(h, "labels", nil).demand(t, 200)
}

// TestParallel runs many queries in few places; each gets its answer, and all places are free again.
func TestParallel(t *testing.T) {
	h := New(newStore(t), Options{Timeout: long, MaxConcurrency: 3})
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			switch i % 4 {
			case 0:
				post(h, "query", params("query", "sum(rate(requests_total[5m]))", "time", "1772366400")).demand(t, 200, `"4"`)
			case 1:
				get(h, "labels", nil).demand(t, 200, "instance")
			case 2:
				get(h, "query", params("query", "sum(")).demand(t, 400)
			default:
				get(h, "series", params("match[]", "up")).demand(t, 200, "up")
			}
		})
	}
	all.Wait()
	if n := h.places.Running(); n != 0 {
		t.Errorf("%d places are still taken", n)
	}
}

// TestHugeForms bounds parameters before anything is made of them.
func TestHugeForms(t *testing.T) {
	h := New(newStore(t), Options{})
	huge := params("query", `"`+strings.Repeat("x", apifront.MaxForm)+`"`)
	post(h, "query", huge).demand(t, 413, `"errorType":"bad_data"`, "the parameters have more than 1048576 bytes")
	post(h, "series", params("match[]", strings.Repeat("x", apifront.MaxForm))).demand(t, 413)
	post(h, "query", params("query", `"`+strings.Repeat("x", apifront.MaxForm/2)+`"`, "time", "1")).demand(t, 200, `"resultType":"string"`)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	_ = form.WriteField("query", "1+1")
	_ = form.Close()
	r := httptest.NewRequest(http.MethodPost, Prefix+"query", &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	ask(h, r).demand(t, 200, `"2"`)
	r = httptest.NewRequest(http.MethodPost, Prefix+"query", strings.NewReader("query=%zz"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	ask(h, r).demand(t, 400, "error parsing form values")
}

// TestDeepNesting sends queries that would overflow the stack, which ends a process, and the deepest that are taken.
func TestDeepNesting(t *testing.T) {
	h := New(newStore(t), Options{})
	for _, deep := range []string{"(", "-", "abs(", "1+", "up or ", "# '\n-", "`a`+", "{a='b'}+"} {
		for _, path := range []string{"query", "format_query", "parse_query", "query_exemplars"} {
			post(h, path, params("query", strings.Repeat(deep, 300_000/len(deep))+"1")).demand(t, 400, "bytes besides strings, limit 16384")
		}
	}
	for _, deep := range []string{"(", "abs(", "1+", "up or "} {
		n := maxExpr / 4 / len(deep)
		query := strings.Repeat(deep, n) + "vector(1)" + strings.Repeat(")", n*strings.Count(deep, "("))
		if len(query) > maxExpr {
			query = query[len(deep)*n/2 : len(query)-n/2]
		}
		post(h, "query", params("query", query)).demand(t, 200)
		for _, path := range []string{"parse_query", "format_query"} {
			post(h, path, params("query", query)).demand(t, 400, "it nests too deep for its length")
		}
	}
	post(h, "format_query", params("query", strings.Repeat("1+", 400)+"1")).demand(t, 200)
}

// TestWaitingToRun does the same for a query that got a place to be parsed, and waits for another one to run.
func TestWaitingToRun(t *testing.T) {
	h := New(newStore(t), Options{MaxConcurrency: 1})
	q, err := h.engine.NewInstantQuery(t.Context(), h.store.Queryable(), nil, "up", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if _, err := h.places.Insert(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := q.Exec(ctx).Err; !errors.As(err, new(promql.ErrQueryTimeout)) || !strings.Contains(err.Error(), "1 queries run already") {
		t.Error(err)
	}
}
