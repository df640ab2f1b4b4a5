package server_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/xcompress"
	"github.com/promwire/promwire/server"
)

// slowSenders opens n connections whose bodies come byte by byte, one each second, and never end. It returns when the
// server has begun to read all of them, and a function that ends them.
func slowSenders(t *testing.T, addr string, n int) (end func()) {
	t.Helper()
	conns := make([]net.Conn, n)
	for i := range conns {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conns[i] = conn
		// "100 Continue" comes when the handler begins to read.
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n", promwire.ContentTypeWriteV2)
	}
	for _, conn := range conns {
		conn.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := io.ReadFull(conn, make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))); err != nil {
			t.Fatal(err)
		}
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(time.Second / time.Duration(n))
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-tick.C:
				conns[i%n].Write([]byte{0})
			case <-stop:
				return
			}
		}
	})
	return func() {
		close(stop)
		wg.Wait()
		for _, conn := range conns {
			conn.Close()
		}
	}
}

// goodSenders sends n requests one after the other on each of several connections, and returns the median of their times.
func goodSenders(t *testing.T, url string, senders, n int, body []byte) time.Duration {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: senders}}
	defer client.CloseIdleConnections()
	times := make([]time.Duration, senders*n)
	var wg sync.WaitGroup
	for sender := range senders {
		wg.Go(func() {
			for i := range n {
				start := time.Now()
				req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				req.Header.Set("Content-Type", promwire.ContentTypeWriteV2)
				resp, err := client.Do(req)
				if err != nil {
					t.Error(err)
					return
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				if resp.StatusCode != http.StatusNoContent {
					t.Errorf("status %d", resp.StatusCode)
					return
				}
				times[sender*n+i] = time.Since(start)
			}
		})
	}
	wg.Wait()
	slices.Sort(times)
	return times[len(times)/2]
}

// Senders that are slow hold no places: others are served beside them, though there are many more of them than places. With
// PROMWIRE_SLOW_SENDERS=1000 (make slow), there are as many, and the median time of 100 good senders stays within twice what
// it is without them.
func TestWriteSlowSenders(t *testing.T) {
	slow, good, n := 40, 4, 5
	heavy := os.Getenv("PROMWIRE_SLOW_SENDERS")
	if heavy != "" {
		var err error
		if slow, err = strconv.Atoi(heavy); err != nil {
			t.Fatal(err)
		}
		good, n = 100, 60
	}
	srv := httptest.NewServer(server.NewWriteHandler(newStore(), server.WithWriteLimits(server.WriteLimits{MaxConcurrent: 8})))
	defer srv.Close()
	body := xcompress.AppendSnappy(nil, encode(t, promwire.WriteV2, many(500)))
	goodSenders(t, srv.URL, good, n, body)
	before := goodSenders(t, srv.URL, good, n, body)
	end := slowSenders(t, srv.Listener.Addr().String(), slow)
	beside := goodSenders(t, srv.URL, good, n, body)
	end()
	after := goodSenders(t, srv.URL, good, n, body)
	t.Logf("median of %d senders: %v before, %v beside %d slow ones, %v after", good, before, beside, slow, after)
	if heavy != "" && beside > before+after { // twice the mean
		t.Errorf("beside slow senders it takes more than twice as long")
	}
}
