package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// roads to a stream: every one of them says in its own way, or not at all, that an answer has ended before its end.
var streamRoads = map[string]func(t *testing.T, h http.Handler) io.Reader{
	"HTTP 1.1": func(t *testing.T, h http.Handler) io.Reader {
		srv := httptest.NewServer(h)
		t.Cleanup(srv.Close)
		return readOver(t, srv, "HTTP/1.1")
	},
	"HTTP 2": func(t *testing.T, h http.Handler) io.Reader {
		srv := httptest.NewUnstartedServer(h)
		srv.EnableHTTP2 = true
		srv.StartTLS()
		t.Cleanup(srv.Close)
		return readOver(t, srv, "HTTP/2.0")
	},
	// The end of the connection is that of the answer.
	"HTTP 1.0": func(t *testing.T, h http.Handler) io.Reader {
		srv := httptest.NewServer(h)
		t.Cleanup(srv.Close)
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		body, err := io.ReadAll(readRequest(wantStream, all).Body)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST / HTTP/1.0\r\nContent-Encoding: snappy\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatal(resp, err)
		}
		return resp.Body
	},
	// A server, or a proxy, that ends every answer well.
	"a server that hides it": func(_ *testing.T, h http.Handler) io.Reader {
		w := httptest.NewRecorder()
		func() {
			defer func() { _ = recover() }()
			h.ServeHTTP(w, readRequest(wantStream, all))
		}()
		return w.Body
	},
}

func readOver(t *testing.T, srv *httptest.Server, proto string) io.Reader {
	t.Helper()
	r := readRequest(wantStream, all)
	r.URL, _ = r.URL.Parse(srv.URL)
	r.RequestURI = ""
	resp, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Proto != proto {
		t.Fatalf("%s %d", resp.Proto, resp.StatusCode)
	}
	return resp.Body
}

// Whoever reads a stream that failed half-way must not take the half for the whole.
func TestReadStreamAborts(t *testing.T) {
	fails := map[string]struct {
		fail func(yield func(promwire.TimeSeries, error) bool)
		text string
	}{
		"error": {func(yield func(promwire.TimeSeries, error) bool) {
			yield(promwire.TimeSeries{}, errors.New("disk on fire"))
		}, "disk on fire"},
		"long error": {func(yield func(promwire.TimeSeries, error) bool) {
			yield(promwire.TimeSeries{}, errors.New("disk on fire "+strings.Repeat("ü\n", 1000)))
		}, "disk on fire"},
		"panic": {func(func(promwire.TimeSeries, error) bool) { panic(http.ErrAbortHandler) }, "panic of the storage"},
		"order": {func(yield func(promwire.TimeSeries, error) bool) {
			yield(series([]float64{1}, "__name__", "a"), nil)
		}, "out of label order"},
	}
	for name, tt := range fails {
		for road, open := range streamRoads {
			t.Run(name+" over "+road, func(t *testing.T) {
				h := server.NewReadHandler(endless(100, tt.fail))
				reader, frames := promwire.NewFrameReader(open(t, h), 0), 0
				var c promwire.ChunkedReadResponse
				err := reader.Next(&c)
				for ; err == nil; err = reader.Next(&c) {
					frames++
				}
				// How much of what was sent arrives before an HTTP/2 stream is reset, nobody knows.
				if errors.Is(err, io.EOF) || frames == 0 || road != "HTTP 2" && (frames < 90 || !strings.Contains(err.Error(), tt.text)) {
					t.Errorf("after %d frames: %v, want a failure that reads %q", frames, err, tt.text)
				}
			})
		}
	}
}

// TestReadStreamEnds: what is whole is so on every road.
func TestReadStreamEnds(t *testing.T) {
	for road, open := range streamRoads {
		h := server.NewReadHandler(endless(100, func(func(promwire.TimeSeries, error) bool) {}))
		reader, frames := promwire.NewFrameReader(open(t, h), 0), 0
		var c promwire.ChunkedReadResponse
		err := reader.Next(&c)
		for ; err == nil; err = reader.Next(&c) {
			frames++
		}
		if !errors.Is(err, io.EOF) || frames != 100 {
			t.Errorf("%s: %d frames, %v", road, frames, err)
		}
	}
}

// A samples answer is whole or not there at all: nothing is sent before the storage has come to its end.
func TestReadSamplesNeverHalf(t *testing.T) {
	h := server.NewReadHandler(readerFunc(func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
		return endless(300, func(yield func(promwire.TimeSeries, error) bool) {
			yield(promwire.TimeSeries{}, errors.New("disk on fire"))
		})(ctx, q)
	}))
	expect(t, do(h, readRequest(wantSamples, all)), 500, "", "disk on fire")
}
