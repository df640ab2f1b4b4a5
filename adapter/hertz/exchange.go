package promhertz

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"runtime/debug"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/common/hlog"
)

// smallAnswer is how much of an answer is collected before it is sent, unless it is flushed, in bytes. It holds the texts
// of most errors, which then have a Content-Length.
const smallAnswer = 2 << 10

// exchange is a request and its answer. It is the [http.ResponseWriter] of the handler.
type exchange struct {
	c       *app.RequestContext
	request *http.Request
	body    body
	ctx     requestContext
	url     url.URL

	header http.Header
	status int
	small  []byte  // of the answer, not yet sent
	answer *answer // from its first bytes on
	failed bool    // the answer must not pass for a whole one
}

func newExchange(ctx context.Context, c *app.RequestContext) *exchange {
	x := &exchange{c: c, header: http.Header{}}
	x.ctx.begin(ctx, c)
	x.body.begin(c, &x.ctx)
	x.request = newRequest(x)
	return x
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
			hlog.CtxErrorf(x.ctx.Context, "panic while answering %s: %v\n%s", x.url.Path, p, debug.Stack())
		}
	}()
	h.ServeHTTP(x, x.request)
}

// end leaves what is left of the answer to hertz, which sends it after its own handlers.
func (x *exchange) end() {
	switch {
	case x.answer != nil: // hertz calls its Finalize
	case x.failed:
		x.c.Response.Header.Reset()
		x.c.SetStatusCode(http.StatusInternalServerError)
		x.c.SetConnectionClose()
		_ = x.c.Request.CloseBodyStream()
	case !x.body.ended(): // hertz would read it to its end, see linger
		length := len(x.small)
		if x.c.IsHead() {
			x.small = nil
		}
		x.begin(length)
	default:
		x.commit()
		x.c.Response.AppendBody(x.small)
	}
}

// commit hands status and header to hertz.
func (x *exchange) commit() {
	response := &x.c.Response
	if !x.body.ended() { // what is left of it must not be taken for the next request
		response.SetConnectionClose()
	}
	response.SetStatusCode(cmp.Or(x.status, http.StatusOK))
	for name, values := range x.header {
		if name == "Content-Length" {
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
}

// begin sends header and what has been collected. The answer has so many bytes; -1 stands for what nobody knows.
func (x *exchange) begin(length int) {
	x.commit()
	x.answer = newAnswer(x, length)
	x.answer.send(x.small)
	x.small = nil
}

// Header implements [http.ResponseWriter].
func (x *exchange) Header() http.Header { return x.header }

// WriteHeader implements [http.ResponseWriter].
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 {
		x.status = status
	}
}

// Write implements [http.ResponseWriter]. What is more than a small answer has been sent when Write returns.
func (x *exchange) Write(p []byte) (int, error) {
	x.WriteHeader(http.StatusOK)
	if x.answer == nil {
		if len(x.small)+len(p) <= smallAnswer {
			x.small = append(x.small, p...)
			return len(p), nil
		}
		x.begin(announced(x.header))
	}
	return x.answer.Write(p)
}

// FlushError is what [http.ResponseController] uses.
func (x *exchange) FlushError() error {
	if x.answer == nil {
		x.begin(announced(x.header))
	}
	return x.answer.Flush()
}

// SetReadDeadline is what [http.ResponseController] uses.
func (x *exchange) SetReadDeadline(t time.Time) error { return x.c.GetConn().SetReadDeadline(t) }

// SetWriteDeadline is what [http.ResponseController] uses.
func (x *exchange) SetWriteDeadline(t time.Time) error { return x.c.GetConn().SetWriteDeadline(t) }
