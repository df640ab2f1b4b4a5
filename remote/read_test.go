package remote

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/xcompress"
)

func TestReadRequest(t *testing.T) {
	var header http.Header
	var method, uri string
	var got promwire.ReadRequest
	url := newServer(t, func(w http.ResponseWriter, req *http.Request) {
		header, method, uri = req.Header, req.Method, req.RequestURI
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		message, err := xcompress.AppendDecoded(nil, body, 1<<20)
		if err != nil {
			t.Error(err)
		}
		if err := got.UnmarshalProto(message); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", promwire.ContentTypeStream)
	})
	q := query(t, 1000, 5000)
	q.Hints = promwire.ReadHints{Func: "rate", Step: 15 * time.Millisecond}
	c := newReadClient(t, url+"/read?db=x", WithUserAgent("app/1"), WithHeader("X-Scope-OrgID", "7"))
	if series, err := collect(c.Read(context.Background(), q)); err != nil || series != nil {
		t.Fatalf("got %v, %v, want nothing", series, err)
	}
	for name, value := range map[string]string{
		"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", "Accept-Encoding": "snappy",
		"X-Prometheus-Remote-Read-Version": "0.1.0", "User-Agent": "app/1 promwire/" + promwire.Version, "X-Scope-Orgid": "7",
	} {
		if h := header[name]; len(h) != 1 || h[0] != value {
			t.Errorf("%s: got %q, want %q", name, h, value)
		}
	}
	if method != "POST" || uri != "/read?db=x" {
		t.Errorf("got %s %s", method, uri)
	}
	if len(got.Queries) != 1 || len(got.AcceptedResponseTypes) != 2 ||
		got.AcceptedResponseTypes[0] != promwire.ResponseStreamedXORChunks || got.AcceptedResponseTypes[1] != promwire.ResponseSamples {
		t.Fatalf("got %+v", got)
	}
	g := got.Queries[0]
	if lo, hi := g.Range(); lo != 1000 || hi != 5000 || g.Matchers[0].String() != `__name__="m"` || g.Hints.Func != "rate" {
		t.Errorf("got query %+v", g)
	}
}

func TestNewReadClientRefuses(t *testing.T) {
	tests := []struct {
		name, url string
		option    ReadOption
	}{
		{"no host", "http:///read", WithTimeout(0)},
		{"no response type", "http://host/read", WithResponseTypes()},
		{"unknown response type", "http://host/read", WithResponseTypes(7)},
		{"no size", "http://host/read", WithMaxResponse(0)},
		{"reserved header", "http://host/read", WithHeader("Accept-Encoding", "gzip")},
	}
	for _, tt := range tests {
		if c, err := NewReadClient(tt.url, tt.option); err == nil {
			t.Errorf("%s: got %v, want an error", tt.name, c)
		}
	}
}

// A query that selects nothing is not sent.
func TestReadNothing(t *testing.T) {
	c := newReadClient(t, newServer(t, func(http.ResponseWriter, *http.Request) { t.Error("got a request") }))
	for name, q := range map[string]promwire.Query{
		"no matchers":      {Start: time.UnixMilli(1), End: time.UnixMilli(2)},
		"end before start": query(t, 2, 1),
	} {
		if series, err := collect(c.Read(context.Background(), q)); err != nil || series != nil {
			t.Errorf("%s: got %v, %v", name, series, err)
		}
		for range c.ReadChunks(context.Background(), q) {
			t.Errorf("%s: got chunks", name)
		}
	}
}

func TestReadRefusesAnswers(t *testing.T) {
	answer := func(status int, header map[string]string, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for name, value := range header {
				w.Header().Set(name, value)
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	protobuf := map[string]string{"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
	stream := map[string]string{"Content-Type": promwire.ContentTypeStream}
	tests := []struct {
		name   string
		answer http.HandlerFunc
		status int   // of an HTTPError
		is     error // in the chain
		text   string
	}{
		// The Prometheus server leaves the headers of a good answer on error texts.
		{"400 with the headers of an answer", answer(400, protobuf, "exceeded sample limit (3)"), 400, nil, "sample limit (3)"},
		{"500 on a stream", answer(500, stream, "storage is gone"), 500, nil, "storage is gone"},
		{"302", answer(302, map[string]string{"Location": "/login"}, ""), 302, nil, "/login"},
		{"HTML", answer(200, map[string]string{"Content-Type": "text/html"}, "<html>"), 0, promwire.ErrUnsupported, "text/html"},
		{"no type", answer(204, nil, ""), 0, promwire.ErrUnsupported, `""`},
		{"other message", answer(200, map[string]string{"Content-Type": "application/x-protobuf;proto=x.Y"}, ""), 0, promwire.ErrUnsupported, "x.Y"},
		{
			"gzip stream", answer(200, map[string]string{"Content-Type": promwire.ContentTypeStream, "Content-Encoding": "snappy"}, ""),
			0, promwire.ErrUnsupported, "snappy",
		},
		{
			"zstd samples", answer(200, map[string]string{"Content-Type": "application/x-protobuf", "Content-Encoding": "zstd"}, ""),
			0, promwire.ErrUnsupported, "zstd",
		},
		{"error text in a stream", answer(200, stream, "opening storage failed: disk"), 0, nil, "opening storage failed"},
		{"snappy cut", answer(200, protobuf, "\x05\x08\x01"), 0, nil, "snappy"},
		{"empty samples body", answer(200, protobuf, ""), 0, nil, "snappy"},
		{"not protobuf", answer(200, protobuf, "\x02\x04\x0a\x09"), 0, nil, "prometheus.ReadResponse"},
		{"two results", answer(200, protobuf, "\x04\x0c\x0a\x00\x0a\x00"), 0, nil, "more than one result"},
		{"announces 4 GiB", answer(200, protobuf, "\xff\xff\xff\xff\x0f\x00"), 0, promwire.ErrTooLarge, "limit"},
		{"huge frame", answer(200, stream, "\xff\xff\xff\xff\x0f1234"), 0, promwire.ErrTooLarge, "frame"},
		{"frame cut", answer(200, stream, string(frame(named(1), xor(floats(0, 1, 9)...)...)[:20])), 0, io.ErrUnexpectedEOF, "truncated"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url := newServer(t, tt.answer)
			series, err := read(t, url+"/read?key=secret", 0, 100)
			var got *promwire.HTTPError
			if errors.As(err, &got) != (tt.status != 0) || got != nil && got.StatusCode != tt.status {
				t.Errorf("got %v, want HTTPError %d", err, tt.status)
			}
			if err == nil || tt.is != nil && !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.text) ||
				!strings.Contains(err.Error(), url+"/read:") || strings.Contains(err.Error(), "secret") {
				t.Errorf("got error %v, want %v with %q", err, tt.is, tt.text)
			}
			if series != nil {
				t.Errorf("got series %v", series)
			}
			n := 0
			for _, err := range newReadClient(t, url).ReadChunks(context.Background(), query(t, 0, 100)) {
				if n++; err == nil {
					t.Error("ReadChunks: got no error")
				}
			}
			if n != 1 {
				t.Errorf("ReadChunks: got %d items, want one error", n)
			}
		})
	}
}

// Wherever a stream breaks off, the read fails, even at the end of a frame.
func TestTruncatedStream(t *testing.T) {
	whole := append(frame(named(1), xor(floats(0, 1, 3)...)...), frame(named(2), xor(floats(0, 1, 3)...)...)...)
	for cut := range len(whole) {
		url := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", promwire.ContentTypeStream)
			_, _ = w.Write(whole[:cut])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		})
		if _, err := read(t, url, 0, 100); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut at %d: got %v, want an unexpected end", cut, err)
		}
	}
}

func TestTruncatedSamples(t *testing.T) {
	body := samplesBody(promwire.TimeSeries{Labels: named(1), Samples: floats(0, 1, 50)})
	url := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-protobuf")
		w.Header().Set("Content-Encoding", "snappy")
		_, _ = w.Write(body[:len(body)/2])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	if series, err := read(t, url, 0, 100); !errors.Is(err, io.ErrUnexpectedEOF) || series != nil {
		t.Errorf("got %v, %v", series, err)
	}
}

func TestMaxResponse(t *testing.T) {
	body := samplesBody(promwire.TimeSeries{Labels: named(1), Samples: floats(0, 1, 1000)})
	tests := []struct {
		name  string
		limit int
		known bool // Content-Length is sent
	}{
		{"announced length", len(body) - 1, true},
		{"body", len(body) - 1, false},
		{"decompressed", len(body), false},
	}
	for _, tt := range tests {
		url := newServer(t, func(w http.ResponseWriter, req *http.Request) {
			if !tt.known {
				w.(http.Flusher).Flush()
			}
			samplesAnswered(body)(w, req)
		})
		if !tt.known {
			url = newServer(t, func(w http.ResponseWriter, req *http.Request) {
				w.Header().Set("Content-Type", "application/x-protobuf")
				w.(http.Flusher).Flush()
				_, _ = w.Write(body)
			})
		}
		c := newReadClient(t, url, WithMaxResponse(tt.limit))
		if series, err := collect(c.Read(context.Background(), query(t, 0, 100))); !errors.Is(err, promwire.ErrTooLarge) || series != nil {
			t.Errorf("%s: got %v, %v", tt.name, series, err)
		}
	}
}

// hanging answers with one frame and then nothing more, until the client goes.
func hanging(gone chan<- struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		streamAnswered(frame(named(1), xor(floats(0, 1, 3)...)...), frame(named(2), xor(floats(0, 1, 3)...)...))(w, req)
		<-req.Context().Done()
		gone <- struct{}{}
	}
}

func TestReadContext(t *testing.T) {
	gone := make(chan struct{}, 1)
	c := newReadClient(t, newServer(t, hanging(gone)))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n := 0
	for ts, err := range c.Read(ctx, query(t, 0, 100)) {
		switch n++; {
		case n == 1 && (err != nil || !ts.Labels.Equal(named(1))):
			t.Fatalf("got %v, %v", ts, err)
		case n == 1:
			cancel()
		case n == 2 && (!errors.Is(err, context.Canceled) || ts.Labels != nil):
			t.Errorf("got %v, %v", ts, err)
		}
	}
	if n != 2 {
		t.Errorf("got %d items, want a series and an error", n)
	}
	<-gone
}

// Leaving the loop ends the request at once: the server notices.
func TestLeavingTheLoopEndsTheRequest(t *testing.T) {
	gone := make(chan struct{}, 1)
	c := newReadClient(t, newServer(t, hanging(gone)))
	for range c.Read(context.Background(), query(t, 0, 100)) {
		break
	}
	<-gone
	for range c.ReadChunks(context.Background(), query(t, 0, 100)) {
		break
	}
	<-gone
}

func TestReadTimeout(t *testing.T) {
	gone := make(chan struct{}, 1)
	c := newReadClient(t, newServer(t, hanging(gone)), WithTimeout(50*time.Millisecond))
	_, err := collect(c.Read(context.Background(), query(t, 0, 100)))
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer within 50ms") {
		t.Errorf("in the middle: got %v", err)
	}
	<-gone
	c = newReadClient(t, newServer(t, func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		<-req.Context().Done()
	}), WithTimeout(time.Millisecond))
	if _, err = collect(c.Read(context.Background(), query(t, 0, 100))); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("before the answer: got %v", err)
	}
}

func TestParallelReads(t *testing.T) {
	var series []promwire.TimeSeries
	var frames [][]byte
	for i := range 50 {
		ts := promwire.TimeSeries{Labels: named(i), Samples: floats(int64(i), 7, 20*i+1)}
		series, frames = append(series, ts), append(frames, frame(ts.Labels, xor(ts.Samples...)...))
	}
	want := text(series)
	clients := []*ReadClient{
		newReadClient(t, newServer(t, samplesAnswered(samplesBody(series...)))), newReadClient(t, newServer(t, streamAnswered(frames...))),
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 5 {
				got, err := collect(clients[i%2].Read(context.Background(), query(t, 0, 1<<40)))
				if err != nil || text(got) != want {
					t.Errorf("client %d: got %d series, %v", i%2, len(got), err)
				}
			}
		})
	}
	wg.Wait()
}
