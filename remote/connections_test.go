package remote

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/promwire/promwire"
)

// newCountingServer is newServer, and counts connections.
func newCountingServer(t *testing.T, handle http.HandlerFunc) (string, *atomic.Int64) {
	t.Helper()
	opened := &atomic.Int64{}
	s := httptest.NewUnstartedServer(handle)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s.URL, opened
}

// One connection serves all requests, also after errors with a body.
func TestWriteReusesTheConnection(t *testing.T) {
	n := 0
	url, opened := newCountingServer(t, func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		if n++; n%2 == 0 {
			http.Error(w, strings.Repeat("too many words ", 2000), http.StatusServiceUnavailable)
		}
	})
	c := newWriteClient(t, url, WithMessageType(promwire.WriteV1), WithoutRetry())
	for i := range 10 {
		if _, err := c.Write(context.Background(), request("m", 1)); (err != nil) != (i%2 == 1) {
			t.Fatalf("request %d: got %v", i, err)
		}
	}
	if got := opened.Load(); n != 10 || got != 1 {
		t.Errorf("%d requests took %d connections", n, got)
	}
}

func TestReadReusesTheConnection(t *testing.T) {
	n := 0
	answers := []http.HandlerFunc{
		samplesAnswered(samplesBody(promwire.TimeSeries{Labels: named(1), Samples: floats(0, 1, 5000)})),
		streamAnswered(frame(named(1), xor(floats(0, 1, 5000)...)...), frame(named(2), xor(floats(0, 1, 5000)...)...)),
		func(w http.ResponseWriter, req *http.Request) {
			_, _ = io.Copy(io.Discard, req.Body)
			http.Error(w, strings.Repeat("too many words ", 2000), http.StatusServiceUnavailable)
		},
	}
	url, opened := newCountingServer(t, func(w http.ResponseWriter, req *http.Request) {
		answers[n%3](w, req)
		n++
	})
	c := newReadClient(t, url)
	for i := range 9 {
		if _, err := collect(c.Read(context.Background(), query(t, 0, 1<<40))); (err != nil) != (i%3 == 2) {
			t.Fatalf("request %d: got %v", i, err)
		}
	}
	if got := opened.Load(); n != 9 || got != 1 {
		t.Errorf("%d requests took %d connections", n, got)
	}
}
