package server_test

import (
	"bytes"
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
	"testing/synctest"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/xcompress"
	"github.com/promwire/promwire/server"
)

func TestReadSeriesLimit(t *testing.T) {
	store := long(t, 3, 10)
	store.partSize = 4 // parts are not series
	for _, reader := range []promwire.Reader{readerFunc(store.Read), chunkStore{store}} {
		for _, types := range [][]promwire.ResponseType{wantSamples, wantStream} {
			fits := server.NewReadHandler(reader, server.WithReadLimits(server.ReadLimits{MaxSeries: 3}))
			if w := do(fits, readRequest(types, all, all)); w.Code != 200 {
				t.Errorf("%d: %s", w.Code, w.Body)
			}
			h := server.NewReadHandler(reader, server.WithReadLimits(server.ReadLimits{MaxSeries: 2}))
			expect(t, do(h, readRequest(types, all)), 400, "", "exceeded series limit (2)")
		}
	}
}

// idle yields n series and then waits for the end of its context.
func idle(n int) readerFunc {
	return func(ctx context.Context, q promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
		return endless(n, func(yield func(promwire.TimeSeries, error) bool) {
			<-ctx.Done()
			yield(promwire.TimeSeries{}, fmt.Errorf("the query was interrupted: %w", ctx.Err()))
		})(ctx, q)
	}
}

func TestReadTimeLimit(t *testing.T) {
	for _, tt := range []struct {
		limit, want time.Duration
	}{{0, 2 * time.Minute}, {time.Second, time.Second}} {
		for name, types := range map[string][]promwire.ResponseType{"samples": wantSamples, "stream": wantStream} {
			for _, queries := range []int{1, 3} {
				t.Run(fmt.Sprintf("%s of %d queries, %v", name, queries, tt.limit), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						h := server.NewReadHandler(idle(0), server.WithReadLimits(server.ReadLimits{MaxTime: tt.limit}))
						begin := time.Now()
						w := do(h, readRequest(types, []promwire.Query{all, all, all}[:queries]...))
						expect(t, w, 503, "", fmt.Sprintf("reading took more than %v", tt.want))
						if took := time.Since(begin); took != tt.want {
							t.Errorf("took %v, want %v", took, tt.want)
						}
					})
				})
			}
		}
	}
}

// TestReadTimeLimitEndsStreams, and the client gets to know why.
func TestReadTimeLimitEndsStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, w := server.NewReadHandler(idle(100)), httptest.NewRecorder()
		defer func() {
			if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
				t.Errorf("panic %v, want http.ErrAbortHandler", err)
			}
			if !strings.HasSuffix(w.Body.String(), "reading took more than 2m0s; ask for fewer series or less time") {
				t.Errorf("the stream ends with %q", w.Body.Bytes()[max(0, w.Body.Len()-100):])
			}
		}()
		h.ServeHTTP(w, readRequest(wantStream, all))
	})
}

// TestReadWithoutTimeLimit: a negative limit is none.
func TestReadWithoutTimeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := server.NewReadHandler(readerFunc(func(context.Context, promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
			return func(yield func(promwire.TimeSeries, error) bool) {
				time.Sleep(24 * time.Hour)
				yield(series([]float64{1}, "__name__", "a"), nil)
			}
		}), server.WithReadLimits(server.ReadLimits{MaxTime: -1}))
		samples(t, do(h, readRequest(nil, all)))
	})
}

func TestReadWaitLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := server.NewReadHandler(idle(0), server.WithReadLimits(server.ReadLimits{MaxConcurrent: 1, MaxTime: time.Hour}))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { do(h, readRequest(nil, all).WithContext(ctx)); close(done) }()
		synctest.Wait()
		begin := time.Now()
		w := do(h, readRequest(nil, all))
		expect(t, w, 503, "", "too many requests", "no place within 1m0s")
		if took := time.Since(begin); took != time.Minute || w.Header().Get("Retry-After") != "1" {
			t.Errorf("after %v, Retry-After %q", took, w.Header().Get("Retry-After"))
		}
		cancel()
		<-done
	})
}

func TestReadBytesInFlight(t *testing.T) {
	h := server.NewReadHandler(filled(t), server.WithReadLimits(server.ReadLimits{MaxBytesInFlight: 10}))
	for range 2 { // a second time: the claims were given back
		body, sender := io.Pipe()
		first := make(chan *httptest.ResponseRecorder)
		whole, err := io.ReadAll(readRequest(nil, all).Body)
		if err != nil {
			t.Fatal(err)
		}
		go func() { // alone, it may be too large
			r := rawReadRequest(nil)
			r.Body, r.ContentLength = body, int64(len(whole))
			first <- do(h, r)
		}()
		if _, err := sender.Write(whole[:1]); err != nil { // its body is being read
			t.Fatal(err)
		}
		unread := readRequest(nil, all)
		unread.Body = io.NopCloser(unreadable{t})
		w := do(h, unread)
		expect(t, w, 503, "", "bytes for the body")
		if w.Header().Get("Retry-After") != "1" {
			t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
		}
		if _, err := io.Copy(sender, bytes.NewReader(whole[1:])); err != nil {
			t.Fatal(err)
		}
		sender.Close()
		samples(t, <-first)
	}
}

// A body that trickles in ends with the handler's own bound, on a server that has none.
func TestReadTricklingBody(t *testing.T) {
	srv := httptest.NewServer(server.NewReadHandler(newStore(), server.WithReadLimits(server.ReadLimits{MaxBodyTime: 20 * time.Millisecond})))
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: snappy\r\nContent-Length: 100\r\n\r\nhalf")
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(answer), "HTTP/1.1 408 ") {
		t.Errorf("answer:\n%s", answer)
	}
}

// Two bytes of a message can become a query of two hundred: they are counted before they are decoded.
func TestReadManyQueriesTakeNoMemory(t *testing.T) {
	h := server.NewReadHandler(newStore())
	for name, msg := range map[string][]byte{
		"queries":  bytes.Repeat([]byte{0x0a, 0x00}, 90_000),
		"matchers": field(nil, 1, strings.Repeat("\x1a\x00", 90_000)),
	} {
		body := xcompress.AppendSnappy(nil, msg)
		send := func() { expect(t, do(h, rawReadRequest(body)), 400, "", "90000 "+name+", limit ") }
		send() // buffers are kept
		if used := allocated(send); used > 1<<20 && !raceEnabled {
			t.Errorf("%s: took %d KiB", name, used>>10)
		}
	}
}
