package gateway

import (
	"net/http"
	"sync/atomic"
)

// Connection is how an engine is connected to.
type Connection struct {
	// Transport connects, with the credentials that do not stand in the URLs.
	Transport http.RoundTripper
	// Header are added to each request, in place of those that clients send.
	Header http.Header
}

// Link is the connection to an engine that is in use. It can be replaced meanwhile: requests that run go on with the
// old one.
type Link struct{ now atomic.Pointer[Connection] }

// NewLink begins with a connection.
func NewLink(c Connection) *Link {
	l := &Link{}
	l.now.Store(&c)
	return l
}

// Replace goes on with another connection.
func (l *Link) Replace(c Connection) {
	old := l.now.Swap(&c)
	if t, ok := old.Transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}

// RoundTrip implements [http.RoundTripper].
func (l *Link) RoundTrip(r *http.Request) (*http.Response, error) {
	c := l.now.Load()
	if len(c.Header) > 0 {
		r = r.Clone(r.Context()) // it is not ours to change
		for name, values := range c.Header {
			r.Header[name] = values
		}
	}
	return c.Transport.RoundTrip(r)
}
