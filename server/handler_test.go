package server_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

func TestHandlerPaths(t *testing.T) {
	var logged bytes.Buffer
	store := newStore()
	h := server.NewHandler(store,
		server.WithLogger(slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		server.WithWriteLimits(server.WriteLimits{MaxSeries: 5}),
		server.WithReadLimits(server.ReadLimits{MaxSamples: 5}),
		server.WithNames(promwire.LegacyNames))
	for i, path := range []string{server.WritePath, server.PushPath} {
		r := request(promwire.WriteV2, encode(t, promwire.WriteV2, &promwire.WriteRequest{
			Timeseries: []promwire.TimeSeries{series([]float64{1, 2}, "__name__", fmt.Sprint("m", i))},
		}))
		r.URL.Path = path
		expect(t, do(h, r), 204, "2/0/0")
	}
	read := readRequest(nil, all)
	read.URL.Path = server.ReadPath
	if got := text(samples(t, do(h, read))); got != "0: m0 1@1000 2@2000 m1 1@1000 2@2000\n" {
		t.Errorf("read %s", got)
	}

	expect(t, write(t, h, promwire.WriteV2, many(6)), 413, "0/0/0", "more than 5 series")
	write(t, h, promwire.WriteV1, &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{series([]float64{1, 2}, "__name__", "m2")}})
	expect(t, do(h, readRequest(nil, all)), 400, "", "exceeded sample limit (5)")
	expect(t, write(t, h, promwire.WriteV1, &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{raw("__name__", "a b")}}), 400, "")
	for _, path := range []string{server.WritePath, server.ReadPath} {
		if !strings.Contains(logged.String(), "path="+path) {
			t.Errorf("nothing logged for %s: %s", path, &logged)
		}
	}
	elsewhere := httptest.NewRequest(http.MethodPost, "/api/v1/query", nil)
	if w := do(h, elsewhere); w.Code != 404 {
		t.Errorf("status %d for another path", w.Code)
	}
}

// A body that stops coming ends with the server's read timeout, and the storage sees nothing of it.
func TestWriteSlowBody(t *testing.T) {
	store := newStore()
	srv := httptest.NewUnstartedServer(server.NewWriteHandler(store))
	srv.Config.ReadTimeout = 20 * time.Millisecond
	srv.Start()
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 100\r\n\r\nhalf", promwire.ContentTypeWriteV2)
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"HTTP/1.1 408 ", promwire.HeaderSamplesWritten + ": 0\r\n", "reading the body"} {
		if !strings.Contains(string(answer), part) {
			t.Errorf("answer lacks %q:\n%s", part, answer)
		}
	}
	if store.calls != 0 {
		t.Error("the storage was called")
	}
}

// A client that goes away in the middle of its body leaves nothing behind, and the next one is served.
func TestWriteBodyCutOff(t *testing.T) {
	store := newStore()
	srv := httptest.NewServer(server.NewWriteHandler(store))
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(conn)
	conn.Close()
	if !strings.Contains(string(answer), "400 Bad Request") || !strings.Contains(string(answer), "body ended before its Content-Length") {
		t.Errorf("answer: %s", answer)
	}
	r := request(promwire.WriteV2, encode(t, promwire.WriteV2, many(2)))
	r.URL, _ = r.URL.Parse(srv.URL)
	r.RequestURI = ""
	resp, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent || len(store.series) != 2 {
		t.Errorf("status %d, %d series", resp.StatusCode, len(store.series))
	}
}
