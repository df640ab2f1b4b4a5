package server_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// wrapped hides all that a connection can do besides writing, as the writers of frameworks do.
type wrapped struct{ http.ResponseWriter }

func (w wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// recovering is the middleware of frameworks that recover from every panic.
func recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { recover() }()
		next.ServeHTTP(wrapped{w}, r)
	})
}

// Where a middleware recovers from the panic that ends a stream, the connection ends all the same.
func TestReadStreamAbortsBehindMiddleware(t *testing.T) {
	fails := map[string]func(yield func(promwire.TimeSeries, error) bool){
		"error": func(yield func(promwire.TimeSeries, error) bool) {
			yield(promwire.TimeSeries{}, errors.New("disk on fire"))
		},
		"panic": func(func(promwire.TimeSeries, error) bool) { panic("disk on fire") },
	}
	for name, fail := range fails {
		for _, http2 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/http2=%v", name, http2), func(t *testing.T) {
				srv := httptest.NewUnstartedServer(recovering(server.NewReadHandler(endless(300, fail))))
				srv.EnableHTTP2 = http2
				srv.StartTLS()
				defer srv.Close()
				for range 2 { // with HTTP/2, the connection is kept
					readBrokenStream(t, srv, http2)
				}
			})
		}
	}
}

func readBrokenStream(t *testing.T, srv *httptest.Server, http2 bool) {
	r := readRequest(wantStream, all)
	r.URL, _ = r.URL.Parse(srv.URL)
	r.RequestURI = ""
	resp, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || (resp.ProtoMajor == 2) != http2 {
		t.Fatalf("%s, status %d", resp.Proto, resp.StatusCode)
	}
	if n, err := io.Copy(io.Discard, resp.Body); err == nil {
		t.Errorf("%d bytes pass for a whole answer", n)
	}
}

// The bound on the time of a body holds where a middleware has wrapped the connection.
func TestWriteTricklingBodyBehindMiddleware(t *testing.T) {
	limits := server.WithWriteLimits(server.WriteLimits{MaxBodyTime: 20 * time.Millisecond})
	srv := httptest.NewServer(recovering(server.NewWriteHandler(newStore(), limits)))
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 100\r\n\r\nhalf", promwire.ContentTypeProtobuf)
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(answer), "HTTP/1.1 408 ") {
		t.Errorf("%v, answer:\n%s", err, answer)
	}
}
