package server_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// slowStore holds requests until it is told to go on.
type slowStore struct{ begun, goOn chan struct{} }

func (s slowStore) Write(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	s.begun <- struct{}{}
	<-s.goOn
	return req.Stats(), nil
}

// unreadable fails the test when a body is read.
type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func TestWritePlaces(t *testing.T) {
	msg := encode(t, promwire.WriteV2, many(1))
	synctest.Test(t, func(t *testing.T) {
		store := slowStore{make(chan struct{}), make(chan struct{})}
		h := server.NewWriteHandler(store, server.WithWriteLimits(server.WriteLimits{MaxConcurrent: 1}))
		first := make(chan *httptest.ResponseRecorder)
		go func() { first <- do(h, request(promwire.WriteV2, msg)) }()
		<-store.begun

		late := request(promwire.WriteV2, msg)
		late.Body = io.NopCloser(unreadable{t})
		start := time.Now()
		w := do(h, late)
		expect(t, w, 503, "0/0/0", "too many requests", "no place within 10s")
		if time.Since(start) != 10*time.Second || w.Header().Get("Retry-After") != "1" {
			t.Errorf("after %v, Retry-After %q", time.Since(start), w.Header().Get("Retry-After"))
		}
		second := make(chan *httptest.ResponseRecorder)
		go func() { second <- do(h, request(promwire.WriteV2, msg)) }()
		synctest.Wait()
		store.goOn <- struct{}{}
		expect(t, <-first, 204, "1/0/0")
		<-store.begun
		store.goOn <- struct{}{}
		expect(t, <-second, 204, "1/0/0")
	})
}

func TestWriteBytesInFlight(t *testing.T) {
	store := slowStore{make(chan struct{}), make(chan struct{})}
	msg := encode(t, promwire.WriteV1, many(100))
	h := server.NewWriteHandler(store, server.WithWriteLimits(server.WriteLimits{MaxBytesInFlight: len(msg)}))
	first := make(chan *httptest.ResponseRecorder)
	for range 2 { // a second time: the claims were given back
		go func() { first <- do(h, request(promwire.WriteV1, msg)) }() // alone, it may be too large
		<-store.begun
		unread := request(promwire.WriteV1, msg)
		unread.Body = io.NopCloser(unreadable{t})
		w := do(h, unread)
		expect(t, w, 503, "", "bytes for the body")
		if w.Header().Get("Retry-After") != "1" {
			t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
		}
		store.goOn <- struct{}{}
		expect(t, <-first, 204, "")
	}
}

// A body that trickles in ends with the handler's own bound, on a server that has none.
func TestWriteTricklingBody(t *testing.T) {
	store := newStore()
	srv := httptest.NewServer(server.NewWriteHandler(store, server.WithWriteLimits(server.WriteLimits{MaxBodyTime: 20 * time.Millisecond})))
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 100\r\n\r\nhalf", promwire.ContentTypeProtobuf)
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(answer), "HTTP/1.1 408 ") || store.calls != 0 {
		t.Errorf("%d calls, answer:\n%s", store.calls, answer)
	}
}

// The bound on the body does not outlive it: a storage may take longer.
func TestWriteSlowStorageFastBody(t *testing.T) {
	slow := writerFunc(func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
		select {
		case <-ctx.Done():
			return promwire.WriteStats{}, ctx.Err()
		case <-time.After(60 * time.Millisecond):
			return req.Stats(), nil
		}
	})
	srv := httptest.NewServer(server.NewWriteHandler(slow, server.WithWriteLimits(server.WriteLimits{MaxBodyTime: 20 * time.Millisecond})))
	defer srv.Close()
	resp := post(srv.URL, promwire.ContentTypeWriteV2, encode(t, promwire.WriteV2, many(1)))
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		t.Errorf("status %d", resp.StatusCode)
	}
}
