package promhertz

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/cloudwego/hertz/pkg/network"
)

// newRequest copies what hooks may ask for: hertz uses the memory of its request again.
func newRequest(x *exchange) *http.Request {
	c := x.c
	r := new(http.Request).WithContext(&x.ctx)
	r.Method, r.RequestURI, r.Host = string(c.Method()), string(c.Request.RequestURI()), string(c.Host())
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	if !c.Request.Header.IsHTTP11() {
		r.Proto, r.ProtoMinor = "HTTP/1.0", 0
	}
	x.url = url.URL{Path: string(c.Path()), RawQuery: string(c.URI().QueryString())}
	r.URL, r.Header = &x.url, http.Header{}
	c.Request.Header.VisitAll(func(key, value []byte) {
		if name := http.CanonicalHeaderKey(string(key)); name != "Host" { // a field of the request, as in net/http
			r.Header[name] = append(r.Header[name], string(value))
		}
	})
	r.RemoteAddr = c.RemoteAddr().String()
	if secure, ok := c.GetConn().(network.ConnTLSer); ok {
		state := secure.ConnectionState()
		r.TLS = &state
	}
	r.Body, r.ContentLength = &x.body, x.body.length
	for _, p := range c.Params {
		r.SetPathValue(p.Key, strings.Clone(p.Value))
	}
	return r
}
