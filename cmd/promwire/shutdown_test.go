package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// TestGracefulEnd ends a server under load: a request whose body is still on its way is taken to its end, the process
// ends with code 0, and whatever was acknowledged is there afterwards.
func TestGracefulEnd(t *testing.T) {
	dir := t.TempDir()
	p := startServe(t, dir, "--log-format", "json")
	writers := newCrashWriters(4)
	slow := writers[3]
	body := encoded(t, slow.request(0))
	pipe, feed := io.Pipe()
	answered := make(chan int, 1)
	go func() { answered <- send(t, p.write, pipe) }()
	if _, err := feed.Write(body[:len(body)/2]); err != nil {
		t.Fatal(err)
	}
	inFlight := `promwire_server_requests_in_flight{operation="write"} 1`
	until(t, "the slow request", func() bool { return strings.Contains(get(t, p.url+"/metrics"), inFlight) })

	var acks atomic.Int64
	var wg sync.WaitGroup
	for _, w := range writers[:3] {
		wg.Go(func() { w.run(context.WithoutCancel(t.Context()), t, p.write, func() { acks.Add(1) }) })
	}
	until(t, "load", func() bool { return acks.Load() > 50 })
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	until(t, "end of listening", func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	if _, err := feed.Write(body[len(body)/2:]); err != nil {
		t.Fatal(err)
	}
	_ = feed.Close()
	if code := <-answered; code != http.StatusNoContent {
		t.Errorf("the request in flight got %d", code)
	}
	slow.acked = 1
	wg.Wait()
	<-p.out
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, p.err)
	}
	for line := range bytes.Lines(p.err.Bytes()) {
		if !json.Valid(line) {
			t.Errorf("a line of the log is no JSON: %s", line)
		}
	}
	t.Logf("%d samples acknowledged and found", checkAcknowledged(t, startServe(t, dir), writers))
}

// encoded returns the body of a write request.
func encoded(t *testing.T, req *promwire.WriteRequest) []byte {
	t.Helper()
	var body []byte
	receiver := http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
	})}
	if _, err := writeOne(t, "http://127.0.0.1/", req, remote.WithHTTPClient(&receiver), remote.WithMessageType(promwire.WriteV1)); err != nil {
		t.Fatal(err)
	}
	return body
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func send(t *testing.T, url string, body io.Reader) (code int) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, body)
	if err != nil {
		t.Error(err)
		return 0
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("Content-Encoding", "snappy")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}
