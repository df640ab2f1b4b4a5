package server_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// pipeListener accepts one connection, whose other end is the client's. Unlike a socket it lives in a test's own time.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { close(l.done); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// serveOnPipe serves h on one connection, and returns the client's end after the request was sent on it.
func serveOnPipe(t *testing.T, h http.Handler) net.Conn {
	l := &pipeListener{make(chan net.Conn, 1), make(chan struct{})}
	client, conn := net.Pipe()
	l.conns <- conn
	srv := &http.Server{Handler: h}
	t.Cleanup(func() { client.Close(); srv.Close() })
	go func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	r := readRequest(wantStream, all)
	r.Host = "test"
	if err := r.Write(client); err != nil {
		t.Fatal(err)
	}
	return client
}

// TestReadGivesUpStalledClients has one place for reads. A client that stops reading must not keep it.
func TestReadGivesUpStalledClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := endless(300, func(func(promwire.TimeSeries, error) bool) {})
		h := server.NewReadHandler(store, server.WithReadLimits(server.ReadLimits{MaxConcurrent: 1, MaxWait: 2 * time.Minute}))
		stalled := serveOnPipe(t, h)
		if _, err := io.ReadFull(stalled, make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if w := do(h, readRequest(wantStream, all)); w.Code != http.StatusOK {
			t.Errorf("the next client got %d: %s", w.Code, w.Body)
		}
		if waited := time.Since(begin); waited != time.Minute {
			t.Errorf("the next client waited for %s, want a minute", waited)
		}
		if _, err := io.Copy(io.Discard, stalled); err != nil {
			t.Logf("the stalled client: %v", err) // its connection is gone, in one way or the other
		}
	})
}

// TestReadBearsSlowClients reads a stream that takes hours.
func TestReadBearsSlowClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := server.NewReadHandler(endless(300, func(func(promwire.TimeSeries, error) bool) {}))
		conn, begin := serveOnPipe(t, h), time.Now()
		answer := &slowConn{conn: conn}
		resp, err := http.ReadResponse(bufio.NewReaderSize(answer, 32<<10), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		frames, reader := 0, promwire.NewFrameReader(resp.Body, 0)
		var c promwire.ChunkedReadResponse
		for err = reader.Next(&c); err == nil; err = reader.Next(&c) {
			frames++
		}
		if !errors.Is(err, io.EOF) || frames != 300 {
			t.Errorf("%d frames of 300, %v", frames, err)
		}
		if took := time.Since(begin); took < 10*time.Minute {
			t.Errorf("took %s only: the test shows nothing", took)
		}
	})
}

// slowConn waits before each read.
type slowConn struct{ conn net.Conn }

func (c *slowConn) Read(p []byte) (int, error) {
	time.Sleep(10 * time.Second)
	return c.conn.Read(p)
}
