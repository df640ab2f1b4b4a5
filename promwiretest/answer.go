package promwiretest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/promwire/promwire"
)

// watchedWriter notes the status of an answer before it goes out.
type watchedWriter struct {
	http.ResponseWriter
	call *call
}

// WriteHeader implements [http.ResponseWriter].
func (w *watchedWriter) WriteHeader(status int) {
	w.call.log.update(func() { w.call.entry.Status = status })
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for [http.ResponseController].
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// savedAnswer is an answer that is not sent yet.
type savedAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *savedAnswer) Header() http.Header { return a.header }

func (a *savedAnswer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *savedAnswer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

// run lets the handler work and keeps its answer.
func run(r *http.Request, next http.Handler) *savedAnswer {
	a := &savedAnswer{header: http.Header{}}
	next.ServeHTTP(a, r)
	return a
}

// raw is the answer as HTTP/1.1 sends it.
func (a *savedAnswer) raw() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", a.status, http.StatusText(a.status))
	a.header.Set("Connection", "close")
	if a.status != http.StatusNoContent {
		a.header.Set("Content-Length", strconv.Itoa(a.body.Len()))
	}
	_ = a.header.Write(&b) // a buffer takes everything
	b.WriteString("\r\n")
	b.Write(a.body.Bytes())
	return b.Bytes()
}

// withoutWritten answers without Written headers.
func withoutWritten(w http.ResponseWriter, r *http.Request, next http.Handler) {
	a := run(r, next)
	for name, values := range a.header {
		w.Header()[name] = values
	}
	setWritten(w.Header(), nil)
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.Bytes()) // a sender that has gone is no failure here
}

// setWritten sets the Written headers, or takes them out.
func setWritten(h http.Header, written *promwire.WriteStats) {
	if written == nil {
		h.Del(promwire.HeaderSamplesWritten)
		h.Del(promwire.HeaderHistogramsWritten)
		h.Del(promwire.HeaderExemplarsWritten)
		return
	}
	h.Set(promwire.HeaderSamplesWritten, strconv.Itoa(written.Samples))
	h.Set(promwire.HeaderHistogramsWritten, strconv.Itoa(written.Histograms))
	h.Set(promwire.HeaderExemplarsWritten, strconv.Itoa(written.Exemplars))
}

// hijack takes the connection over; nil if it has gone.
func hijack(w http.ResponseWriter) net.Conn {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil
	}
	return conn
}

// reset ends the connection with a reset.
func reset(w http.ResponseWriter) {
	conn := hijack(w)
	if conn == nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // without it the end is an orderly one, as good a fault
	}
	_ = conn.Close()
}

// sendRaw writes bytes to the connection, one by one if there is a pause between them, and closes it.
func sendRaw(w http.ResponseWriter, raw []byte, pause time.Duration, c *call) {
	conn := hijack(w)
	if conn == nil {
		return
	}
	defer conn.Close()
	if pause == 0 {
		_, _ = conn.Write(raw) // a sender that has gone is no failure here
		return
	}
	for i := range raw {
		if !sleep(pause, c.stop) {
			return
		}
		if _, err := conn.Write(raw[i : i+1]); err != nil {
			return
		}
	}
}

// slowReader reads a few bytes at a time.
type slowReader struct {
	r     io.Reader
	piece int
	pause time.Duration
	stop  <-chan struct{}
}

// Read implements io.Reader.
func (s *slowReader) Read(p []byte) (int, error) {
	if !sleep(s.pause, s.stop) {
		return 0, net.ErrClosed
	}
	return s.r.Read(p[:min(len(p), max(s.piece, 1))])
}

// sleep waits, and reports whether it was for the whole time.
func sleep(d time.Duration, stop <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-stop:
		return false
	}
}
