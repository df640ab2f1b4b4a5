package cli

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"github.com/spf13/pflag"
)

// hostFlags say by which names a listener may be asked. Whoever has a web page can let the name of its site lead to 127.0.0.1
// (DNS rebinding): for the browser, page and listener are the same site then, and nothing but the name gives it away.
type hostFlags struct{ allowed []string }

func (f *hostFlags) register(flags *pflag.FlagSet) {
	flags.StringSliceVar(&f.allowed, "web.allowed-hosts", nil, "`NAME`s by which it may be asked besides IP addresses and localhost, like metrics.example or *.example; *: any (repeatable, or separated by commas; default: any, but on the loopback interface that of --listen)")
}

// check refuses what is no name.
func (f *hostFlags) check() error {
	for _, name := range f.allowed {
		rest := strings.TrimPrefix(name, "*.")
		if name != "*" && (rest == "" || strings.ContainsAny(rest, "*:/[] \t")) {
			return usagef("--web.allowed-hosts %q: want a name without a port, like metrics.example or *.example, or *", name)
		}
	}
	return nil
}

// before lets only requests for allowed hosts through to next, and none that a browser sends for the page of another site. addr is
// what ln was asked to listen on. What is refused is counted.
func (f *hostFlags) before(next http.Handler, ln net.Listener, addr string, refused *prometheus.CounterVec) http.Handler {
	names := f.names(ln, addr)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name := hostName(r.Host); !allowed(name, names) {
			refused.WithLabelValues(refusedHost).Inc()
			http.Error(w, fmt.Sprintf("%.100q is no name of this server; if it should be, start it with --web.allowed-hosts=%.100s", name, name), http.StatusMisdirectedRequest)
			return
		}
		if foreign(r) {
			refused.WithLabelValues(refusedOrigin).Inc()
			http.Error(w, fmt.Sprintf("not for pages of other sites: %.100q is none of %.100q", r.Header.Get("Origin"), r.Host), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Why requests are refused before any handler.
const (
	refusedHost   = "host"
	refusedOrigin = "origin"
)

// newRefused returns the counter of requests that are refused before any handler.
func newRefused() *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "promwire_http_refused_total", Help: "Requests refused before any handler: under a name that is not the server's (host), for pages of other sites (origin).",
	}, []string{"reason"})
	c.WithLabelValues(refusedHost)
	c.WithLabelValues(refusedOrigin)
	return c
}

// withRefused adds the counter to the figures of next, which are text 0.0.4.
func withRefused(next http.Handler, refused *prometheus.CounterVec) http.Handler {
	own := prometheus.NewRegistry()
	own.MustRegister(refused)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		if r.URL.Path != metricsPath {
			return
		}
		families, _ := own.Gather() // nothing can fail
		for _, f := range families {
			_, _ = expfmt.MetricFamilyToText(w, f) // the prober may be gone
		}
	})
}

// names returns by which names ln may be asked, nil for any.
func (f *hostFlags) names(ln net.Listener, addr string) []string {
	tcp, ok := ln.Addr().(*net.TCPAddr)
	if loopback := ok && tcp.IP.IsLoopback(); slices.Contains(f.allowed, "*") || len(f.allowed) == 0 && !loopback {
		return nil
	}
	names := []string{"localhost", "*.localhost", hostName(addr)}
	for _, name := range f.allowed {
		names = append(names, hostName(name))
	}
	return names
}

// foreign says that a browser sends r for a page of another origin, which could change something by it, or keep the server busy with
// what it can't even read. Links to this server are no such requests, nor is anything that no browser sends.
func foreign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return false
	case "": // browsers send it over TLS and to the loopback interface only
		origin := r.Header.Get("Origin")
		u, err := url.Parse(origin)
		return origin != "" && (err != nil || !strings.EqualFold(u.Host, r.Host))
	default:
		reading := r.Method == http.MethodGet || r.Method == http.MethodHead
		link := r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
		return !reading || !link
	}
}

// hostName returns the name of a header Host or an address, without the port.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// allowed says whether a name is an IP address or one of names; nil are all. A request without a name comes from no browser.
func allowed(name string, names []string) bool {
	if _, err := netip.ParseAddr(name); err == nil || name == "" || names == nil {
		return true
	}
	return slices.ContainsFunc(names, func(n string) bool {
		below, any := strings.CutPrefix(n, "*")
		return name == n || any && strings.HasSuffix(name, below)
	})
}
