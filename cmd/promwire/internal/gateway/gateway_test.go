package gateway

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/outlets"
	"github.com/promwire/promwire/cmd/promwire/internal/relay"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
	"github.com/promwire/promwire/server"
	"github.com/promwire/promwire/spool"
)

// front runs a gateway before an engine; finish delivers what waits, and ends it.
func front(t *testing.T, e *Engine) (url string, g *Gateway, finish func()) {
	t.Helper()
	c := Config{Engine: *e, MaxConcurrency: 2, MaxSamples: 50_000_000, Logger: slog.New(slog.DiscardHandler)}
	client, err := remote.NewWriteClient(cmp.Or(e.Write, "http://127.0.0.1:1/api/v1/receive"), remote.WithoutRetry())
	if err != nil {
		t.Fatal(err)
	}
	c.Relay = relay.Config{Targets: []relay.Target{{Name: "upstream", Writer: outlets.Insist(client)}}, Mode: relay.Replicate, Logger: c.Logger}
	if c.Relay.Spool, err = spool.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if g, err = New(c); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(g)
	return s.URL, g, func() {
		s.Close()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := g.End(ctx); err != nil || ctx.Err() != nil {
			t.Errorf("the end: %v, %v", err, ctx.Err())
		}
	}
}

// What is written to the gateway arrives at the engine, for its tenant, also if the engine is down at first; what is read
// through it, in both kinds of answers, is what the engine has, of that tenant.
func TestGateway(t *testing.T) {
	const lo, hi = 1_700_000_000_123, 1_700_009_000_789
	source, memory := filled(t, lo, hi, true), promwiretest.NewMemory(promwiretest.TakeOlder)
	handler := server.NewHandler(memory, server.WithTenant(func(r *http.Request) (string, error) {
		if r.Header.Get(promwire.HeaderTenant) != "team" {
			return "", &promwire.HTTPError{StatusCode: http.StatusUnauthorized}
		}
		return "team", nil
	}))
	open := make(chan struct{})
	e := engine(t, Prometheus, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-open:
			handler.ServeHTTP(w, r)
		default:
			http.Error(w, "starting", http.StatusServiceUnavailable)
		}
	})
	url, g, finish := front(t, e)
	for _, message := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
		c, err := remote.NewWriteClient(url+server.WritePath, remote.WithMessageType(message), remote.WithTenant("team"))
		if err != nil {
			t.Fatal(err)
		}
		matchers, err := promwire.ParseSelector(map[promwire.MessageType]string{promwire.WriteV1: `{i=~".*[02468]"}`, promwire.WriteV2: `{i=~".*[13579]"}`}[message])
		if err != nil {
			t.Fatal(err)
		}
		req := &promwire.WriteRequest{}
		for ts, err := range source.Read(t.Context(), promwire.Query{Start: time.UnixMilli(lo), End: time.UnixMilli(hi), Matchers: matchers}) {
			if err != nil {
				t.Fatal(err)
			}
			req.Timeseries = append(req.Timeseries, ts.Clone())
		}
		if stats, err := c.Write(t.Context(), req); err != nil || stats != req.Stats() || stats.Samples == 0 {
			t.Fatalf("%v, %v", stats, err)
		}
	}
	if got := figures(g); !strings.Contains(got, "promwire_relay_received_requests_total 2\n") || !strings.Contains(got, "promwire_gateway_queries_total 0\n") {
		t.Error(got)
	}
	close(open)
	until(t, func() bool {
		return strings.Contains(figures(g), "pending_samples{write=\"upstream\"} 0\n")
	})
	for _, kind := range []promwire.ResponseType{promwire.ResponseSamples, promwire.ResponseStreamedXORChunks} {
		r, err := remote.NewReadClient(url+server.ReadPath, remote.WithResponseTypes(kind), remote.WithTenant("team"))
		if err != nil {
			t.Fatal(err)
		}
		sameReads(t, r, source, lo, hi)
	}
	if got := send(g, http.MethodGet, "/other", ""); got.Code != http.StatusNotFound {
		t.Errorf("/other: %d", got.Code)
	}
	finish()
}

// figures returns the metrics of a gateway.
func figures(g *Gateway) string {
	var text bytes.Buffer
	g.WriteMetrics(&text)
	return text.String()
}

func until(t *testing.T, ready func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ready(); {
		if time.Now().After(end) {
			t.Fatal("it does not happen")
		}
	}
}

// Where the engine is down, readers are told to come again.
func TestReadFromNobody(t *testing.T) {
	for _, kind := range Kinds {
		e := engine(t, kind, nil)
		e.Query = "http://127.0.0.1:1"
		if e.Read != "" {
			e.Read = "http://127.0.0.1:1/api/v1/read"
		}
		url, _, finish := front(t, e)
		c, err := remote.NewReadClient(url + server.ReadPath)
		if err != nil {
			t.Fatal(err)
		}
		m, err := promwire.NewMatcher(promwire.MatchEqual, "a", "b")
		if err != nil {
			t.Fatal(err)
		}
		var answer *promwire.HTTPError
		for _, err := range c.Read(t.Context(), promwire.Query{Start: time.UnixMilli(1), End: time.UnixMilli(2), Matchers: []promwire.Matcher{m}}) {
			if !errors.As(err, &answer) || answer.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("%s: %v", kind, err)
			}
		}
		if answer == nil {
			t.Errorf("%s: no error", kind)
		}
		finish()
	}
}
