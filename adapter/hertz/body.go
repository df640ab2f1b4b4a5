package promhertz

import (
	"bytes"
	"io"
	"os"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
)

const (
	// maxChunk bounds what is read at once of a body in chunks: hertz takes so much memory for each read.
	maxChunk = 16 << 10
	// lingering is how long a client may go on sending a body that was refused, before the connection is closed.
	lingering = 500 * time.Millisecond
)

// body is a request's body as it comes.
type body struct {
	c      *app.RequestContext
	reader io.Reader
	length int64 // as announced; -1 if it is not known
	read   int64
	eof    bool
	ctx    *requestContext
}

func (b *body) begin(c *app.RequestContext, ctx *requestContext) {
	b.c, b.ctx, b.length = c, ctx, int64(c.Request.Header.ContentLength())
	if b.length < -1 { // no body
		b.length = 0
	}
	if c.Request.IsBodyStream() {
		b.reader = c.RequestBodyStream()
	} else { // hertz has read it
		memory := c.Request.Body()
		b.reader, b.length = bytes.NewReader(memory), int64(len(memory))
	}
	if b.length == 0 {
		b.end()
	}
}

// Read implements [io.Reader]. It asks hertz for no more than the rest of the body: hertz would read on into the next
// request.
func (b *body) Read(p []byte) (int, error) {
	if b.eof {
		return 0, io.EOF
	}
	most := int64(maxChunk)
	if b.length >= 0 {
		most = b.length - b.read
	}
	n, err := b.reader.Read(p[:min(int64(len(p)), most)])
	b.read += int64(n)
	switch {
	case err == io.EOF && b.length >= 0 && b.read < b.length:
		err = io.ErrUnexpectedEOF
	case err != nil && isTimeout(err):
		err = os.ErrDeadlineExceeded
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

// ended reports whether the connection is where the next request begins.
func (b *body) ended() bool { return b.eof }

// linger takes what the client still sends of a body that nobody wants, for a while: a connection that is closed before
// is reset, and the client may lose the answer. Left to itself, hertz reads a body to its end, however long it is.
func (b *body) linger() {
	if b.c.GetConn().SetReadDeadline(time.Now().Add(lingering)) == nil {
		_, _ = io.Copy(io.Discard, b)
	}
	_ = b.c.Request.CloseBodyStream()
}
