package promfasthttp

import (
	"context"
	"net"
	"sync"
	"syscall"
	"time"
)

// requestContext ends with the request, and when the client goes away. To notice that takes a goroutine, so it begins when
// somebody asks, and not before the body is read, which uses the same connection.
type requestContext struct {
	context.Context // ends with cancel
	cancel          context.CancelFunc
	conn            net.Conn

	mu       sync.Mutex
	asked    bool
	readable bool // the body has been read
	over     bool
	watching chan struct{} // closed by the watch as it ends; nil if there is none
}

func (c *requestContext) begin(parent context.Context, conn net.Conn) {
	c.Context, c.cancel = context.WithCancel(parent)
	c.conn = conn
}

// Done implements [context.Context].
func (c *requestContext) Done() <-chan struct{} {
	c.ask()
	return c.Context.Done()
}

// Err implements [context.Context].
func (c *requestContext) Err() error {
	c.ask()
	return c.Context.Err()
}

func (c *requestContext) ask() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = true
	c.watch()
}

func (c *requestContext) bodyEnded() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.readable = true
	c.watch()
}

// watch begins to watch the connection if it is time.
func (c *requestContext) watch() {
	if !c.asked || !c.readable || c.over || c.watching != nil {
		return
	}
	raw := rawConn(c.conn)
	if raw == nil {
		return
	}
	c.watching = make(chan struct{})
	go func() {
		defer close(c.watching)
		if gone(raw) {
			c.cancel()
		}
	}()
}

// end is called when the handler has ended. Nobody uses the connection behind fasthttp's back any more.
func (c *requestContext) end() {
	c.mu.Lock()
	c.over = true
	watching := c.watching
	c.mu.Unlock()
	if watching != nil {
		_ = c.conn.SetReadDeadline(time.Unix(1, 0)) // wakes the watch
		<-watching
		_ = c.conn.SetReadDeadline(time.Time{}) // fasthttp sets its own for the next request
	}
	c.cancel()
}

// rawConn returns the connection as the system knows it, nil if it can't be had.
func rawConn(conn net.Conn) syscall.RawConn {
	if _, ok := conn.(*net.TCPConn); !ok {
		return nil
	}
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}
