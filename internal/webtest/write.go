package webtest

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/server"
)

func writtenHeaders(t *testing.T, s Server) {
	url := s.Start(t, promwiretest.NewMemory(promwiretest.RefuseOlder))
	req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{
		{Labels: promwire.LabelsFromStrings("__name__", "good"), Samples: []promwire.Sample{{Timestamp: 1000, Value: 1}, {Timestamp: 2000, Value: 2}}},
		{Labels: promwire.LabelsFromStrings("bad", "no name"), Samples: []promwire.Sample{{Timestamp: 1000, Value: 1}}},
	}}
	for range 2 {
		c := dial(t, url)
		body := writeBody(t, promwire.WriteV2, req)
		c.send(head(server.WritePath, promwire.ContentTypeWriteV2, len(body)), string(body))
		checkWritten(t, c.expect(http.StatusBadRequest, "metric name"), "2")
		good := smallBody(t, promwire.WriteV2)
		c.send(head(server.PushPath, promwire.ContentTypeWriteV2, len(good)), string(good))
		checkWritten(t, c.expect(http.StatusNoContent, ""), fmt.Sprint(workload.Small().Stats().Samples))
	}
}

func checkWritten(t *testing.T, resp *http.Response, samples string) {
	t.Helper()
	if got := resp.Header.Get(promwire.HeaderSamplesWritten); got != samples {
		t.Errorf("written samples %q, want %q", got, samples)
	}
	for _, name := range []string{promwire.HeaderHistogramsWritten, promwire.HeaderExemplarsWritten} {
		if resp.Header.Get(name) == "" {
			t.Errorf("no header %s", name)
		}
	}
}

// counted counts the calls of a storage that takes everything.
func counted() (*storage, *atomic.Int32) {
	calls := new(atomic.Int32)
	return &storage{write: func(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
		calls.Add(1)
		return req.Stats(), nil
	}}, calls
}

func refusedBeforeBody(t *testing.T, s Server) {
	store, calls := counted()
	url := s.Start(t, store, withWriteLimits(server.WriteLimits{MaxBodyBytes: 1 << 20}))
	prefetched := strings.Repeat("x", s.Prefetched)
	for _, check := range []struct {
		head   string
		status int
		text   string
	}{
		{head(server.WritePath, "text/plain", 1<<20), 415, "content type"},
		{strings.Replace(head(server.WritePath, promwire.ContentTypeWriteV2, 1<<20), "snappy", "br", 1), 415, "content encoding"},
		{head(server.WritePath, promwire.ContentTypeWriteV2, 1<<20+1), 413, "limit"},
		{strings.Replace(head(server.WritePath, promwire.ContentTypeWriteV2, 1<<20), "POST", "PUT", 1), 405, "method"},
		{head(server.ReadPath, promwire.ContentTypeProtobuf, 1<<30), 413, "limit"},
	} {
		c := dial(t, url)
		c.send(check.head, prefetched)
		c.expect(check.status, check.text)
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("the storage was called %d times", n)
	}
}

// refusedInBody sends more than is allowed without saying so before.
func refusedInBody(t *testing.T, s Server) {
	store, calls := counted()
	url := s.Start(t, store, withWriteLimits(server.WriteLimits{MaxBodyBytes: 10_000}))
	c := dial(t, url)
	c.send(strings.Replace(head(server.WritePath, promwire.ContentTypeWriteV2, 0), "Content-Length: 0", "Transfer-Encoding: chunked", 1),
		"4000\r\n", strings.Repeat("x", 0x4000), "\r\n0\r\n\r\n")
	c.expect(http.StatusRequestEntityTooLarge, "more than 10000 bytes")

	body := string(smallBody(t, promwire.WriteV2)) // in chunks of two bytes, and within the limits
	c = dial(t, url)
	c.send(strings.Replace(head(server.WritePath, promwire.ContentTypeWriteV2, 0), "Content-Length: 0", "Transfer-Encoding: chunked", 1))
	for len(body) > 0 {
		n := min(2, len(body))
		c.send(fmt.Sprintf("%x\r\n%s\r\n", n, body[:n]))
		body = body[n:]
	}
	c.send("0\r\n\r\n")
	c.expect(http.StatusNoContent, "")
	if n := calls.Load(); n != 1 {
		t.Errorf("the storage was called %d times", n)
	}
}

// busy fills the server with one request. The next one is sent away before its body comes.
func busy(t *testing.T, s Server) {
	entered, leave := make(chan struct{}), make(chan struct{})
	store := &storage{write: func(_ context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
		close(entered)
		<-leave
		return req.Stats(), nil
	}}
	url := s.Start(t, store, withWriteLimits(server.WriteLimits{MaxBytesInFlight: 1000}))
	first, second := dial(t, url), dial(t, url)
	body := smallBody(t, promwire.WriteV2)
	first.send(head(server.WritePath, promwire.ContentTypeWriteV2, len(body)), string(body))
	<-entered
	second.send(head(server.WritePath, promwire.ContentTypeWriteV2, 1<<20), strings.Repeat("x", s.Prefetched))
	resp := second.expect(http.StatusServiceUnavailable, "")
	if resp.Header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
	close(leave)
	first.expect(http.StatusNoContent, "")
}

func slowBody(t *testing.T, s Server) {
	store, calls := counted()
	url := s.Start(t, store, withWriteLimits(server.WriteLimits{MaxBodyTime: 30 * time.Millisecond}))
	c := dial(t, url)
	c.send(head(server.WritePath, promwire.ContentTypeWriteV2, 1<<20), strings.Repeat("x", s.Prefetched+1))
	c.expect(http.StatusRequestTimeout, "")
	if n := calls.Load(); n != 0 {
		t.Errorf("the storage was called %d times", n)
	}
	fast := dial(t, url) // and the limit is gone once a body is there
	for range 2 {
		body := smallBody(t, promwire.WriteV2)
		fast.send(head(server.WritePath, promwire.ContentTypeWriteV2, len(body)), string(body))
		fast.expect(http.StatusNoContent, "")
		<-time.After(60 * time.Millisecond) // longer than a body may take: the next request must find no deadline left over
	}
}

func truncatedBody(t *testing.T, s Server) {
	store, calls := counted()
	url := s.Start(t, store)
	c := dial(t, url)
	c.send(head(server.WritePath, promwire.ContentTypeWriteV2, s.Prefetched+1000), strings.Repeat("x", s.Prefetched+100))
	if half, ok := c.Conn.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
		t.Fatal("the connection can't be closed half")
	}
	if answer, err := c.reader.ReadString('\n'); err == nil && !strings.Contains(answer, " 400 ") {
		t.Errorf("answer %q", answer) // or none, which is as good: nobody waits for it
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("the storage was called %d times", n)
	}
}

// nextRequest refuses a request by its headers. What is left of its body must not be taken for a request.
func nextRequest(t *testing.T, s Server) {
	store, calls := counted()
	url := s.Start(t, store)
	body := string(smallBody(t, promwire.WriteV2))
	smuggled := head(server.WritePath, promwire.ContentTypeWriteV2, len(body)) + body
	for _, filler := range []int{0, 10_000, 100_000} {
		calls.Store(0)
		c := dial(t, url)
		hidden := strings.Repeat("x", filler) + smuggled
		c.send(head(server.WritePath, "text/plain", len(hidden)), hidden)
		c.expect(http.StatusUnsupportedMediaType, "")
		if n := calls.Load(); n != 0 {
			t.Fatalf("filler %d: the body was taken for a request", filler)
		}
		// The connection may be closed now. If not, it works.
		if _, err := c.Write([]byte(smuggled)); err != nil {
			continue
		}
		if _, err := c.reader.Peek(1); err == nil {
			c.expect(http.StatusNoContent, "")
		}
		if n := calls.Load(); n > 1 {
			t.Fatalf("filler %d: the body was taken for a request", filler)
		}
	}
}
