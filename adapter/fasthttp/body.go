package promfasthttp

import (
	"bytes"
	"io"
	"time"

	"github.com/valyala/fasthttp"
)

// lingering is how long a client may go on sending a body that was refused, before it is answered and the connection closed.
const lingering = 500 * time.Millisecond

// body is a request's body as it comes.
type body struct {
	reader io.Reader
	length int64 // as announced; -1 if it is not known
	read   int64
	eof    bool
	ctx    *requestContext
}

func (b *body) begin(rc *fasthttp.RequestCtx, ctx *requestContext) {
	b.ctx, b.length = ctx, int64(rc.Request.Header.ContentLength())
	if b.length < -1 { // no body
		b.length = 0
	}
	if b.reader = rc.RequestBodyStream(); b.reader == nil { // fasthttp has read it
		memory := rc.Request.Body()
		b.reader, b.length = bytes.NewReader(memory), int64(len(memory))
	}
	if b.length == 0 {
		b.end()
	}
}

// Read implements [io.Reader]. A body that ends before its length is an error, which fasthttp does not say.
func (b *body) Read(p []byte) (int, error) {
	if b.eof {
		return 0, io.EOF
	}
	n, err := b.reader.Read(p)
	b.read += int64(n)
	if err == io.EOF && b.length >= 0 && b.read < b.length {
		err = io.ErrUnexpectedEOF
	}
	if err == io.EOF || err == nil && b.read == b.length {
		b.end()
	}
	return n, err
}

// Close implements [io.Closer].
func (b *body) Close() error { return nil }

func (b *body) end() {
	b.eof = true
	b.ctx.bodyEnded()
}

// linger takes what the client still sends of a body that nobody wants, for a while: a connection that is closed before is
// reset, and the client may lose the answer.
func (b *body) linger(rc *fasthttp.RequestCtx) {
	if b.eof || rc.SetReadDeadline(time.Now().Add(lingering)) != nil {
		return
	}
	_, _ = io.Copy(io.Discard, b)
	_ = rc.SetReadDeadline(time.Time{})
}

// ended reports whether the connection is where the next request begins.
func (b *body) ended() bool { return b.eof }
