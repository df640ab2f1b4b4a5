package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
)

// babble runs a server that answers each request with a text that is no HTTP.
func babble(t *testing.T, text string) (url string) {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 64<<10))
			_, _ = io.WriteString(c, text)
			_ = c.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, c) // what is left unread would reset the connection, and the text would be lost
			_ = c.Close()
		}
	}()
	return "http://" + ln.Addr().String()
}

// What a server says in place of an answer does not become an error of megabytes.
func TestGarbageAnswer(t *testing.T) {
	url := babble(t, strings.Repeat("\x00\xff", 1<<20)+"\r\n")
	w, err := NewWriteClient(url, WithRetry(RetryOptions{MaxAttempts: 1}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(t.Context(), &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
		Labels: promwire.LabelsFromStrings(promwire.MetricName, "a"), Samples: []promwire.Sample{{Timestamp: 1, Value: 1}},
	}}})
	checkShort(t, err)
	r, err := NewReadClient(url)
	if err != nil {
		t.Fatal(err)
	}
	q := promwire.Query{Start: time.UnixMilli(1), End: time.UnixMilli(2), Matchers: []promwire.Matcher{{Type: promwire.MatchEqual, Name: "a", Value: "b"}}}
	for _, err = range r.Read(t.Context(), q) {
		break
	}
	checkShort(t, err)
}

func checkShort(t *testing.T, err error) {
	t.Helper()
	if err == nil || len(err.Error()) > 2<<10 || !strings.Contains(err.Error(), "malformed HTTP") {
		t.Errorf("%.300v", err)
	}
}

// An error that is cut short is found by what it is.
func TestLongErrorKeepsKind(t *testing.T) {
	e, err := newEndpoint("http://127.0.0.1:1", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	long := errors.Join(errors.New(strings.Repeat("x", 1<<20)), &promwire.HTTPError{StatusCode: 401}, context.DeadlineExceeded)
	err = e.failed(t.Context(), "write", long)
	var answer *promwire.HTTPError
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &answer) || len(err.Error()) > 2<<10 {
		t.Errorf("%.300v", err)
	}
}
