package remote

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/promwire/promwire"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		value string
		want  time.Duration
	}{
		{"", 0},
		{"7", 7 * time.Second},
		{"0", 0},
		{"-3", 0},
		{"1.5", 0},
		{"soon", 0},
		{"999999", time.Hour},
		{"9223372036854775807", time.Hour},
		{"99999999999999999999999", time.Hour},
		{"-99999999999999999999999", 0},
		{"Sun, 01 Mar 2026 12:00:30 GMT", 30 * time.Second},
		{"Sunday, 01-Mar-26 12:01:00 GMT", time.Minute},
		{"Sun, 01 Mar 2026 11:59:59 GMT", 0},
		{"Sun, 01 Mar 2299 12:00:00 GMT", time.Hour},
	}
	for _, tt := range tests {
		if got := retryAfter(tt.value, now); got != tt.want {
			t.Errorf("%q: got %v, want %v", tt.value, got, tt.want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120")
	f.Add("Sun, 01 Mar 2026 12:00:30 GMT")
	f.Fuzz(func(t *testing.T, value string) {
		if got := retryAfter(value, time.Unix(1_700_000_000, 0)); got < 0 || got > maxRetryAfter {
			t.Errorf("%q: got %v", value, got)
		}
	})
}

func TestHTTPErrors(t *testing.T) {
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   promwire.HTTPError
	}{
		{
			"what would steer a terminal",
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "snappy") // as Prometheus calls its text
				w.WriteHeader(http.StatusBadRequest)
				_, _ = w.Write([]byte("\x1b[2Jsample limit\n"))
			},
			promwire.HTTPError{StatusCode: 400, Body: "[2Jsample limit\n"},
		},
		{
			"compressed",
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				w.WriteHeader(http.StatusBadGateway)
				_, _ = w.Write([]byte("\x1f\x8b\x08"))
			},
			promwire.HTTPError{StatusCode: 502, Body: "(a text in gzip)"},
		},
		{
			"text", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "out of order", http.StatusConflict) },
			promwire.HTTPError{StatusCode: 409, Body: "out of order\n"},
		},
		{"nothing", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, promwire.HTTPError{StatusCode: 502}},
		{
			"retry after", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "17")
				w.WriteHeader(http.StatusTooManyRequests)
			},
			promwire.HTTPError{StatusCode: 429, RetryAfter: 17 * time.Second},
		},
		{
			"huge body", func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusServiceUnavailable)
				_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
			},
			promwire.HTTPError{StatusCode: 503, Body: strings.Repeat("x", 1024)},
		},
		{
			"cut within a rune", func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, "x"+strings.Repeat("é", 1<<10))
			},
			promwire.HTTPError{StatusCode: 400, Body: "x" + strings.Repeat("é", 511)},
		},
		{
			"body cut short", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "100")
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, "half a")
			},
			promwire.HTTPError{StatusCode: 400, Body: "half a"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newServer(t, tt.answer)
			_, err := newWriteClient(t, r, WithMessageType(v1)).Write(context.Background(), request("m", 1))
			var got *promwire.HTTPError
			if !errors.As(err, &got) || *got != tt.want || !utf8.ValidString(got.Body) {
				t.Errorf("got %v, want %v", err, &tt.want)
			}
		})
	}
}

// An endless error answer costs no more than its first bytes and does not hold up the program.
func TestEndlessErrorBody(t *testing.T) {
	url := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		for {
			if _, err := w.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	})
	_, err := newWriteClient(t, url, WithMessageType(v1)).Write(context.Background(), request("m", 1))
	var got *promwire.HTTPError
	if !errors.As(err, &got) || got.StatusCode != http.StatusInternalServerError || len(got.Body) > 1024 {
		t.Errorf("got %v", err)
	}
}

// Remote Write retry rules: 307 and 308 keep POST and body, the others would turn the request into a GET.
func TestRedirects(t *testing.T) {
	target := newReceiver(t, good)
	for _, status := range []int{301, 302, 303, 307, 308} {
		from := newServer(t, func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Location", target.URL+"/moved")
			w.WriteHeader(status)
		})
		before := len(target.messages())
		req := request("m", 3)
		stats, err := newWriteClient(t, from).Write(context.Background(), req)
		if keeps := status >= 307; keeps {
			if err != nil || stats != req.Stats() || len(target.messages()) != before+1 {
				t.Errorf("%d: got %+v, %v", status, stats, err)
			}
			if got := target.all[before]; got.method != "POST" || got.uri != "/moved" || got.message != v2 {
				t.Errorf("%d: target got %s %s %s", status, got.method, got.uri, got.message)
			}
			continue
		}
		var got *promwire.HTTPError
		if !errors.As(err, &got) || got.StatusCode != status || !strings.Contains(got.Body, target.URL+"/moved") {
			t.Errorf("%d: got %v", status, err)
		}
		if len(target.messages()) != before {
			t.Errorf("%d: was followed", status)
		}
	}
}

func TestRedirectLoopEnds(t *testing.T) {
	n := 0
	url := newServer(t, func(w http.ResponseWriter, req *http.Request) {
		n++
		http.Redirect(w, req, "/again", http.StatusPermanentRedirect)
	})
	_, err := newWriteClient(t, url).Write(context.Background(), request("m", 1))
	if err == nil || !strings.Contains(err.Error(), "10 redirects") || n != 10 {
		t.Errorf("got %v after %d requests", err, n)
	}
}

func TestWriteContext(t *testing.T) {
	arrived := make(chan struct{})
	url := newServer(t, func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		arrived <- struct{}{}
		<-req.Context().Done()
	})
	c := newWriteClient(t, url)
	t.Run("cancelled while waiting", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		go func() {
			<-arrived
			cancel(errors.New("shutting down"))
		}()
		stats, err := c.Write(ctx, request("m", 1))
		if !errors.Is(err, context.Canceled) || stats != (promwire.WriteStats{}) || !strings.Contains(err.Error(), "shutting down") {
			t.Errorf("got %+v, %v", stats, err)
		}
	})
	t.Run("over before it begins", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := c.Write(ctx, request("m", 1)); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("timeout", func(t *testing.T) {
		go func() { <-arrived }()
		c := newWriteClient(t, url, WithTimeout(time.Millisecond), WithoutRetry())
		_, err := c.Write(context.Background(), request("m", 1))
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer within 1ms") {
			t.Errorf("got %v", err)
		}
	})
}
