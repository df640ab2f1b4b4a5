package main

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// wire is a connection to a server that can be cut, as networks are: what is on its way then is neither lost nor
// refused, it does not come on until the wire is mended, and nobody is told.
type wire struct {
	URL    string
	ln     net.Listener
	server string
	group  sync.WaitGroup

	mu     sync.Mutex
	whole  chan struct{} // closed while the wire carries
	conns  map[net.Conn]bool
	closed bool
}

// newWire makes a wire to the server of a URL, with a URL of its own that has the same path.
func newWire(t *testing.T, to string) *wire {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{ln: ln, server: u.Host, whole: make(chan struct{}), conns: map[net.Conn]bool{}}
	close(w.whole)
	u.Host = ln.Addr().String()
	w.URL = u.String()
	w.group.Go(w.accept)
	t.Cleanup(w.close)
	return w
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.whole = make(chan struct{})
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.whole)
}

// carries returns a channel that is closed as soon as the wire is whole.
func (w *wire) carries() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.whole
}

func (w *wire) accept() {
	for {
		near, err := w.ln.Accept()
		if err != nil {
			return
		}
		w.group.Go(func() { w.join(near) })
	}
}

// join carries bytes of one connection both ways until one side ends it.
func (w *wire) join(near net.Conn) {
	if !w.keep(near) {
		return
	}
	defer w.end(near)
	<-w.carries()
	far, err := net.Dial("tcp", w.server)
	if err != nil || !w.keep(far) {
		return
	}
	defer w.end(far)
	var back sync.WaitGroup
	back.Go(func() { w.carry(near, far) })
	w.carry(far, near)
	back.Wait()
}

func (w *wire) carry(to, from net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		<-w.carries()
		if n > 0 {
			if _, failed := to.Write(buf[:n]); failed != nil {
				err = failed
			}
		}
		if err != nil {
			if c, ok := to.(*net.TCPConn); ok && err == io.EOF {
				_ = c.CloseWrite()
				return
			}
			_ = to.Close()
			_ = from.Close()
			return
		}
	}
}

// keep notes a connection, or closes it if the wire is closed.
func (w *wire) keep(c net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		_ = c.Close()
		return false
	}
	w.conns[c] = true
	return true
}

func (w *wire) end(c net.Conn) {
	_ = c.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, c)
}

func (w *wire) close() {
	_ = w.ln.Close()
	w.mu.Lock()
	w.closed = true
	for c := range w.conns {
		_ = c.Close()
	}
	select {
	case <-w.whole:
	default:
		close(w.whole)
	}
	w.mu.Unlock()
	w.group.Wait()
}
