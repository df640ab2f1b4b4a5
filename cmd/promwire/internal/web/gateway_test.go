package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
	"github.com/promwire/promwire/server"
)

// kept takes everything.
type kept struct{ BodyWriter }

func (kept) WriteBody(_ context.Context, b *promwire.Body) (promwire.WriteStats, error) {
	return b.Stats()
}

// The page of a gateway shows its state, and what is written to it.
func TestGateway(t *testing.T) {
	u := NewGateway(func() Gateway { return Gateway{Engine: "mimir at http://mimir:8080", Pending: 7} })
	h := u.Handler(server.NewWriteHandler(u.Tap(kept{}), u.Option()))
	ask := func(path string, into any) {
		t.Helper()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	var s struct {
		Version string
		Gateway Gateway
	}
	if ask(Prefix+"status", &s); s.Gateway.Engine != "mimir at http://mimir:8080" || s.Gateway.Pending != 7 || s.Version != promwire.Version {
		t.Errorf("status %+v", s)
	}
	var live struct{ Requests []shown }
	ask(Prefix+"live", &live) // now somebody looks
	srv := httptest.NewServer(h)
	defer srv.Close()
	c, err := remote.NewWriteClient(srv.URL + server.WritePath)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
		Labels: promwire.LabelsFromStrings("__name__", "gateway_total"), Samples: []promwire.Sample{{Timestamp: 1, Value: 2}},
	}}}); err != nil {
		t.Fatal(err)
	}
	if ask(Prefix+"live", &live); len(live.Requests) != 1 || !strings.Contains(live.Requests[0].Text, "gateway_total") {
		t.Errorf("requests %+v", live.Requests)
	}
}
