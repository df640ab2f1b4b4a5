package cli

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestAllowedHosts checks by which names a listener is reached.
func TestAllowedHosts(t *testing.T) {
	const loopback, everywhere = "127.0.0.1", "0.0.0.0"
	for _, c := range []struct {
		bound, listen, flag, host string
		ok                        bool
	}{
		{loopback, "127.0.0.1:9201", "", "127.0.0.1:9201", true},
		{loopback, "127.0.0.1:9201", "", "192.0.2.1", true},
		{loopback, "127.0.0.1:9201", "", "[::1]:9201", true},
		{loopback, "127.0.0.1:9201", "", "[::1]", true},
		{loopback, "127.0.0.1:9201", "", "LocalHost.:80", true},
		{loopback, "127.0.0.1:9201", "", "promwire.localhost", true},
		{loopback, "127.0.0.1:9201", "", "", true}, // HTTP/1.0
		{loopback, "127.0.0.1:9201", "", "rebound.example:9201", false},
		{loopback, "127.0.0.1:9201", "", "127.0.0.1.rebound.example", false},
		{loopback, "127.0.0.1:9201", "", "notlocalhost", false},
		{loopback, "127.0.0.1:9201", "", "localhost.rebound.example", false},
		{loopback, "127.0.0.1:9201", "", ":9201:", false},
		{"::1", "[::1]:9201", "", "rebound.example", false},
		{loopback, "Box:9201", "", "box:80", true},
		{loopback, "box:9201", "", "box.example", false},
		{everywhere, ":9201", "", "anything.example", true},
		{everywhere, ":9201", "metrics.example", "anything.example", false},
		{everywhere, ":9201", "metrics.example", "metrics.example", true},
		{loopback, ":9201", "a.example,Metrics.example", "metrics.example:443", true},
		{loopback, ":9201", "*.example", "metrics.example", true},
		{loopback, ":9201", "*.example", "example", false},
		{loopback, ":9201", "*.example", "badexample", false},
		{loopback, ":9201", "*", "anything.example", true},
	} {
		f := hostFlags{}
		if c.flag != "" {
			f.allowed = strings.Split(c.flag, ",")
		}
		if err := f.check(); err != nil {
			t.Error(err)
		}
		r, w := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder()
		r.Host = c.host
		f.before(http.NotFoundHandler(), boundTo(c.bound), c.listen, newRefused()).ServeHTTP(w, r)
		want := map[bool]int{true: http.StatusNotFound, false: http.StatusMisdirectedRequest}[c.ok]
		if w.Code != want || !c.ok && !strings.Contains(w.Body.String(), "start it with --web.allowed-hosts") {
			t.Errorf("%+v: %d %s", c, w.Code, w.Body)
		}
	}
	for _, name := range []string{"", "http://a", "a:80", "a*", "*.", "*.*", "**", "[::1]", "a b"} {
		if err := (&hostFlags{allowed: []string{name}}).check(); err == nil {
			t.Errorf("%q is taken for a name", name)
		}
	}
}

// boundTo is a listener at an IP address.
type boundTo string

func (boundTo) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (boundTo) Close() error              { return nil }
func (b boundTo) Addr() net.Addr          { return &net.TCPAddr{IP: net.ParseIP(string(b)), Port: 9201} }

// TestOtherOrigins sends what browsers send for pages of a listener itself, of others, and what no browser sends.
func TestOtherOrigins(t *testing.T) {
	for _, c := range []struct {
		method, site, mode, origin string
		ok                         bool
	}{
		{"POST", "", "", "", true},
		{"POST", "same-origin", "cors", "http://127.0.0.1:9201", true},
		{"POST", "same-origin", "cors", "https://proxy.example", true}, // a proxy that does not pass Host on
		{"POST", "none", "navigate", "null", true},
		{"POST", "", "", "http://127.0.0.1:9201", true}, // an old browser, or no TLS
		{"POST", "cross-site", "no-cors", "http://evil.example", false},
		{"POST", "cross-site", "navigate", "null", false}, // a form
		{"POST", "same-site", "cors", "http://127.0.0.1:3000", false},
		{"POST", "", "", "http://evil.example", false},
		{"POST", "", "", "http://127.0.0.1:3000", false},
		{"POST", "", "", "null", false},
		{"PUT", "cross-site", "cors", "http://evil.example", false},
		{"DELETE", "", "", "http://evil.example", false},
		{"GET", "", "", "", true},
		{"GET", "none", "navigate", "", true},
		{"GET", "cross-site", "navigate", "", true}, // a link
		{"GET", "cross-site", "navigate/iframe", "", false},
		{"GET", "same-origin", "no-cors", "", true},
		{"GET", "cross-site", "no-cors", "", false}, // an image
		{"HEAD", "same-site", "no-cors", "", false},
		{"GET", "cross-site", "cors", "http://evil.example", false},
		{"GET", "cross-site", "websocket", "http://evil.example", false},
		{"OPTIONS", "cross-site", "cors", "http://evil.example", false},
		{"GET", "", "", "http://evil.example", false}, // no TLS
		{"GET", "", "", "http://127.0.0.1:9201", true},
	} {
		for _, f := range []hostFlags{{}, {allowed: []string{"*"}}} {
			r, w := httptest.NewRequest(c.method, "/", nil), httptest.NewRecorder()
			r.Host = "127.0.0.1:9201"
			mode, dest, _ := strings.Cut(c.mode, "/")
			if mode == "navigate" && dest == "" {
				dest = "document"
			}
			for name, value := range map[string]string{"Sec-Fetch-Site": c.site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest, "Origin": c.origin} {
				if value != "" {
					r.Header.Set(name, value)
				}
			}
			f.before(http.NotFoundHandler(), boundTo("127.0.0.1"), "127.0.0.1:9201", newRefused()).ServeHTTP(w, r)
			want := map[bool]int{true: http.StatusNotFound, false: http.StatusForbidden}[c.ok]
			if w.Code != want || !c.ok && !strings.Contains(w.Body.String(), "not for pages of other sites") {
				t.Errorf("%+v: %d %s", c, w.Code, w.Body)
			}
		}
	}
}
