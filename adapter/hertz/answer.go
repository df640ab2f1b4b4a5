package promhertz

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/cloudwego/hertz/pkg/network"
	"github.com/cloudwego/hertz/pkg/protocol/http1/resp"
)

var newline = []byte("\r\n")

var errBroken = errors.New("the answer broke off")

// answer sends what the handler writes from the handler's memory. It takes the place of hertz's own writers of responses,
// which copy each piece.
type answer struct {
	x       *exchange
	conn    network.Writer
	chunked bool
	head    []byte // of a chunk
	ended   bool
	err     error // the client takes no more
}

// newAnswer sends the header, which is complete but for the length; -1 stands for what nobody knows.
func newAnswer(x *exchange, length int) *answer {
	a := &answer{x: x, conn: x.c.GetWriter()}
	header := &x.c.Response.Header
	if length < 0 && !x.c.Request.Header.IsHTTP11() {
		length = -2 // the end of the connection is that of the answer
	}
	if x.c.Request.Header.ConnectionClose() || length == -2 {
		header.SetConnectionClose(true)
	}
	a.chunked = length == -1
	header.SetContentLength(length)
	a.err = resp.WriteHeader(header, a.conn)
	x.c.Response.HijackWriter(a)
	return a
}

// announced returns the length that the handler gave its answer.
func announced(h http.Header) int {
	if n, err := strconv.Atoi(h.Get("Content-Length")); err == nil {
		return n
	}
	return -1
}

// Write implements [network.ExtWriter]. It returns when the system has p.
func (a *answer) Write(p []byte) (int, error) {
	a.send(p)
	if err := a.Flush(); err != nil {
		return 0, err
	}
	return len(p), nil
}

// send takes p, which has to stay until the next Flush.
func (a *answer) send(p []byte) {
	switch {
	case len(p) == 0: // a chunk of no bytes would be the last one
	case a.chunked:
		a.head = append(strconv.AppendInt(a.head[:0], int64(len(p)), 16), newline...)
		a.put(a.head) // hertz copies what is as short
		a.put(p)
		a.put(newline)
	default:
		a.put(p)
	}
}

func (a *answer) put(p []byte) {
	if a.err == nil {
		_, a.err = a.conn.WriteBinary(p)
	}
}

// Flush implements [network.ExtWriter].
func (a *answer) Flush() error {
	if a.err == nil {
		a.err = a.conn.Flush()
	}
	return a.err
}

// Finalize implements [network.ExtWriter]. hertz calls it when all its handlers have ended, and closes the connection if it
// fails.
func (a *answer) Finalize() error {
	if a.ended {
		return a.err
	}
	a.ended = true
	if a.x.failed {
		a.err = errors.Join(a.err, errBroken)
		return a.err
	}
	if a.chunked {
		a.put([]byte("0\r\n\r\n"))
	}
	if err := a.Flush(); err != nil {
		return err
	}
	if !a.x.body.ended() {
		a.x.body.linger()
	}
	return nil
}
