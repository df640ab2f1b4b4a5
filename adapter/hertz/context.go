package promhertz

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/cloudwego/hertz/pkg/app"
	"github.com/cloudwego/hertz/pkg/network"
	"github.com/cloudwego/hertz/pkg/network/standard"
)

// requestContext ends with the request, and when the client goes away. To notice that takes a goroutine, so it begins when
// somebody asks, and not before the body is read, which uses the same connection.
type requestContext struct {
	context.Context // ends with cancel
	cancel          context.CancelFunc
	conn            network.Conn // nil if it can't be watched

	mu       sync.Mutex
	asked    bool
	readable bool // the body has been read
	over     bool
	watching chan struct{} // closed by the watch as it ends; nil if there is none
}

func (x *requestContext) begin(parent context.Context, c *app.RequestContext) {
	x.Context, x.cancel = context.WithCancel(parent)
	if c.Request.IsBodyStream() && watchable(c.GetConn()) { // without streams, hertz itself may be watching
		x.conn = c.GetConn()
	}
}

// watchable reports whether a wait for the client's next byte ends with the read deadline. It does not with netpoll, which
// tells hertz of clients that have gone.
func watchable(conn network.Conn) bool {
	switch conn.(type) {
	case *standard.Conn, *standard.TLSConn:
		return true
	}
	_, ok := conn.(interface{ AbortBlockingRead() }) // such a connection with hertz's own watch
	return ok
}

// Done implements [context.Context].
func (x *requestContext) Done() <-chan struct{} {
	x.ask()
	return x.Context.Done()
}

// Err implements [context.Context].
func (x *requestContext) Err() error {
	x.ask()
	return x.Context.Err()
}

func (x *requestContext) ask() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.asked = true
	x.watch()
}

func (x *requestContext) bodyEnded() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.readable = true
	x.watch()
}

// watch begins to watch the connection if it is time. What comes meanwhile, the next request, stays in hertz's buffer.
func (x *requestContext) watch() {
	if !x.asked || !x.readable || x.over || x.watching != nil || x.conn == nil {
		return
	}
	x.watching = make(chan struct{})
	_ = x.conn.SetReadDeadline(time.Time{})
	go func() {
		defer close(x.watching)
		_, err := x.conn.Peek(1)
		if err != nil && !isTimeout(err) {
			x.cancel()
		}
	}()
}

// isTimeout reports whether a read deadline has passed. netpoll has an error of its own for that.
func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// end is called when the handler has ended. Nobody uses the connection behind hertz's back any more.
func (x *requestContext) end() {
	x.mu.Lock()
	x.over = true
	watching := x.watching
	x.mu.Unlock()
	if watching != nil {
		_ = x.conn.SetReadDeadline(time.Unix(1, 0)) // wakes the watch
		<-watching
		_ = x.conn.SetReadDeadline(time.Time{}) // hertz sets its own for the next request
	}
	x.cancel()
}
