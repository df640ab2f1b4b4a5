package webtest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
	"github.com/promwire/promwire/internal/xcompress"
	"github.com/promwire/promwire/server"
)

// patience bounds each check, so that a server that hangs fails instead of the whole run.
var noDeadline time.Time

const patience = 20 * time.Second

// everything selects all series.
var everything = promwire.Query{
	Start: time.UnixMilli(0), End: time.UnixMilli(math.MaxInt32 * 1000),
	Matchers: []promwire.Matcher{{Type: promwire.MatchRegexp, Name: "__name__", Value: ".+"}},
}

// writeBody encodes a request.
func writeBody(tb testing.TB, t promwire.MessageType, req *promwire.WriteRequest) []byte {
	tb.Helper()
	msg, err := req.AppendProto(nil, t)
	if err != nil {
		tb.Fatal(err)
	}
	return xcompress.AppendSnappy(nil, msg)
}

// smallBody is a request of some hundred bytes.
func smallBody(tb testing.TB, t promwire.MessageType) []byte {
	return writeBody(tb, t, workload.Small())
}

// readBody asks for everything.
func readBody(types ...promwire.ResponseType) []byte {
	req := promwire.ReadRequest{Queries: []promwire.Query{everything}, AcceptedResponseTypes: types}
	return xcompress.AppendSnappy(nil, req.AppendProto(nil))
}

// head is the beginning of a POST request, up to the blank line, which more headers may precede.
func head(path, contentType string, length int, more ...string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: test\r\nContent-Type: %s\r\nContent-Encoding: snappy\r\nContent-Length: %d\r\n%s\r\n",
		path, contentType, length, strings.Join(more, ""))
}

func post(tb testing.TB, url, path, contentType string, body []byte, header ...string) *http.Response {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, url+path, bytes.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Content-Encoding", "snappy")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { resp.Body.Close() })
	return resp
}

// conn is a connection on which requests are written byte by byte.
type conn struct {
	net.Conn
	tb     testing.TB
	reader *bufio.Reader
}

func dial(tb testing.TB, url string) *conn {
	tb.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		tb.Fatal(err)
	}
	return &conn{c, tb, bufio.NewReader(c)}
}

func (c *conn) send(parts ...string) {
	c.tb.Helper()
	for _, p := range parts {
		if _, err := io.WriteString(c, p); err != nil {
			c.tb.Fatal(err)
		}
	}
}

// answer reads the next answer, text included.
func (c *conn) answer() (*http.Response, string) {
	c.tb.Helper()
	resp, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		c.tb.Fatalf("no answer: %v", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.tb.Fatalf("status %d, and then %v", resp.StatusCode, err)
	}
	return resp, string(text)
}

// expect reads the next answer and checks status and text.
func (c *conn) expect(status int, part string) *http.Response {
	c.tb.Helper()
	resp, text := c.answer()
	if resp.StatusCode != status || !strings.Contains(text, part) {
		c.tb.Fatalf("status %d, want %d with %q; text: %s", resp.StatusCode, status, part, text)
	}
	return resp
}

func withWriteLimits(l server.WriteLimits) server.Option { return server.WithWriteLimits(l) }
