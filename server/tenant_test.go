package server_test

import (
	"context"
	"iter"
	"net/http"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

func TestTenant(t *testing.T) {
	var got []string
	storage := struct {
		writerFunc
		readerFunc
	}{
		func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
			got = append(got, promwire.TenantFromContext(ctx))
			return req.Stats(), nil
		},
		func(ctx context.Context, _ promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
			got = append(got, promwire.TenantFromContext(ctx))
			return func(func(promwire.TimeSeries, error) bool) {}
		},
	}
	h := server.NewHandler(storage, server.WithTenant(server.TenantFromHeader("x-scope-orgid")))
	msg := encode(t, promwire.WriteV2, many(1))
	for _, values := range [][]string{nil, {"a"}, {"b"}} {
		w := request(promwire.WriteV2, msg)
		w.Header[http.CanonicalHeaderKey(promwire.HeaderTenant)] = values
		expect(t, do(h, w), 204, "1/0/0")
		r := readRequest(nil, all)
		r.URL.Path = server.ReadPath
		r.Header[http.CanonicalHeaderKey(promwire.HeaderTenant)] = values
		expect(t, do(h, r), 200, "")
	}
	if s := strings.Join(got, ","); s != ",,a,a,b,b" {
		t.Errorf("tenants %q", s)
	}
}

func TestTenantRefused(t *testing.T) {
	store := newStore()
	for _, c := range []struct {
		name   string
		of     func(*http.Request) (string, error)
		values []string
		status int
	}{
		{"twice", server.TenantFromHeader("T"), []string{"a", "b"}, 400},
		{"too long", server.TenantFromHeader("T"), []string{strings.Repeat("a", 151)}, 400},
		{"unknown", func(*http.Request) (string, error) { return "", &promwire.HTTPError{StatusCode: 401, Body: "who?"} }, nil, 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(promwire.WriteV2, encode(t, promwire.WriteV2, many(1)))
			r.Header["T"] = c.values
			answer := do(server.NewWriteHandler(store, server.WithTenant(c.of)), r)
			expect(t, answer, c.status, "0/0/0")
			if strings.Count(answer.Body.String(), "bad request") > 1 {
				t.Errorf("it says so twice: %s", answer.Body)
			}
		})
	}
	if store.calls != 0 {
		t.Error("the storage was called")
	}
}
