package promfasthttp

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"
)

// smallAnswer is how much of an answer is collected before it is sent, unless it is flushed, in bytes. It holds the texts
// of most errors, which then have a Content-Length.
const smallAnswer = 2 << 10

// exchange is a request and its answer. It is the [http.ResponseWriter] of the handler.
type exchange struct {
	rc      *fasthttp.RequestCtx
	request *http.Request
	body    body
	ctx     requestContext
	url     url.URL

	header http.Header
	status int
	small  []byte            // of the answer, not yet sent
	yield  func([]byte) bool // sends a part of an answer; nil where all of it is collected
	begun  bool              // a part has been sent
	failed bool              // the answer must not pass for a whole one
}

func newExchange(ctx context.Context, rc *fasthttp.RequestCtx) *exchange {
	x := &exchange{rc: rc, header: http.Header{}}
	x.ctx.begin(ctx, rc.Conn())
	x.body.begin(rc, &x.ctx)
	x.request = newRequest(x)
	return x
}

// newRequest copies what hooks may ask for: fasthttp uses the memory of its request again.
func newRequest(x *exchange) *http.Request {
	rc := x.rc
	r := new(http.Request).WithContext(&x.ctx)
	r.Method, r.RequestURI, r.Host = string(rc.Method()), string(rc.RequestURI()), string(rc.Host())
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	if !rc.Request.Header.IsHTTP11() {
		r.Proto, r.ProtoMinor = "HTTP/1.0", 0
	}
	x.url = url.URL{Path: string(rc.Path()), RawQuery: string(rc.URI().QueryString())}
	r.URL, r.Header = &x.url, copyHeader(rc)
	r.RemoteAddr = rc.RemoteAddr().String()
	r.TLS = rc.TLSConnectionState()
	r.Body, r.ContentLength = &x.body, x.body.length
	rc.VisitUserValues(func(key []byte, value any) {
		if s, ok := value.(string); ok {
			r.SetPathValue(string(key), string([]byte(s)))
		}
	})
	return r
}

// copyHeader copies the header of the request into one piece of memory, as net/http does.
func copyHeader(rc *fasthttp.RequestCtx) http.Header {
	size, n := 0, 0
	for key, value := range rc.Request.Header.All() {
		size, n = size+len(key)+len(value), n+1
	}
	buf := make([]byte, 0, size)
	for key, value := range rc.Request.Header.All() {
		buf = append(append(buf, key...), value...)
	}
	text, values := string(buf), make([]string, 0, n)
	header := make(http.Header, n)
	for key, value := range rc.Request.Header.All() {
		name := http.CanonicalHeaderKey(text[:len(key)])
		given := text[len(key) : len(key)+len(value)]
		text = text[len(key)+len(value):]
		switch {
		case name == "Host": // a field of the request, as in net/http
		case len(header[name]) > 0:
			header[name] = append(header[name], given)
		default:
			values = append(values, given)
			header[name] = values[len(values)-1:][:1:1]
		}
	}
	return header
}

// run lets h answer. A panic ends this request only.
func (x *exchange) run(h http.Handler) {
	defer func() {
		p := recover()
		x.ctx.end()
		if p == nil {
			return
		}
		x.failed = true
		if err, ok := p.(error); !ok || err != http.ErrAbortHandler { //nolint:errorlint // as net/http compares it
			x.rc.Logger().Printf("panic while answering %s: %v\n%s", x.url.Path, p, debug.Stack())
		}
	}()
	h.ServeHTTP(x, x.request)
}

// commit hands status and header to fasthttp, and returns the length of the answer: what the handler says, or else size.
func (x *exchange) commit(size int) int {
	response := &x.rc.Response
	if x.failed { // and nothing is sent yet
		x.small = x.small[:0]
		response.SetStatusCode(http.StatusInternalServerError)
		response.SetConnectionClose()
		return 0
	}
	if !x.body.ended() { // what is left of it must not be taken for the next request
		response.SetConnectionClose()
	}
	response.SetStatusCode(cmp.Or(x.status, http.StatusOK))
	for name, values := range x.header {
		if name == "Content-Length" {
			if n, err := strconv.Atoi(values[0]); err == nil {
				size = n
			}
			continue
		}
		for i, value := range values {
			if i == 0 {
				response.Header.Set(name, value)
			} else {
				response.Header.Add(name, value)
			}
		}
	}
	return size
}

// Header implements [http.ResponseWriter].
func (x *exchange) Header() http.Header { return x.header }

// WriteHeader implements [http.ResponseWriter].
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 {
		x.status = status
	}
}

// Write implements [http.ResponseWriter]. Where the answer is sent as it comes, p is sent when Write returns.
func (x *exchange) Write(p []byte) (int, error) {
	x.WriteHeader(http.StatusOK)
	if x.yield == nil || len(x.small)+len(p) <= smallAnswer {
		x.small = append(x.small, p...)
		return len(p), nil
	}
	if err := x.FlushError(); err != nil {
		return 0, err
	}
	return len(p), x.send(p)
}

// send returns when fasthttp has taken p.
func (x *exchange) send(p []byte) error {
	x.begun = true
	if !x.yield(p) {
		return errGone
	}
	return nil
}

// FlushError is what [http.ResponseController] uses.
func (x *exchange) FlushError() error {
	if x.yield == nil || len(x.small) == 0 {
		return nil
	}
	err := x.send(x.small)
	x.small = x.small[:0]
	return err
}

// SetReadDeadline is what [http.ResponseController] uses.
func (x *exchange) SetReadDeadline(t time.Time) error { return x.rc.SetReadDeadline(t) }

// SetWriteDeadline is what [http.ResponseController] uses.
func (x *exchange) SetWriteDeadline(t time.Time) error { return x.rc.SetWriteDeadline(t) }
