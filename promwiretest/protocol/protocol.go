package protocol

import (
	"context"
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The defaults of the options.
const (
	DefaultWritePath = "/api/v1/write"
	DefaultReadPath  = "/api/v1/read"
	DefaultTimeout   = 10 * time.Second
	DefaultSettle    = 3 * time.Second
)

// Option configures [Check] and [Run].
type Option func(*config)

type config struct {
	write, read string
	client      *http.Client
	header      http.Header
	timeout     time.Duration
	settle      time.Duration
	only, not   []string
}

// WithWritePath sets the path of remote write, or its whole URL. "" means that there is none. Default
// [DefaultWritePath].
func WithWritePath(path string) Option { return func(c *config) { c.write = path } }

// WithReadPath sets the path of remote read, or its whole URL. "" means that there is none: then the answers to writes
// are judged, and not what was stored. Default [DefaultReadPath].
func WithReadPath(path string) Option { return func(c *config) { c.read = path } }

// WithClient sets the HTTP client, for TLS and proxies. Redirects are its business. Default: one of its own, without
// cookies and compression.
func WithClient(client *http.Client) Option { return func(c *config) { c.client = client } }

// WithHeader sends a header with every request, such as Authorization or X-Scope-OrgID.
func WithHeader(name, value string) Option { return func(c *config) { c.header.Set(name, value) } }

// WithTimeout bounds each request. Default [DefaultTimeout].
func WithTimeout(d time.Duration) Option { return func(c *config) { c.timeout = d } }

// WithSettle sets for how long data may stay invisible to reads after they were acknowledged. Default [DefaultSettle].
func WithSettle(d time.Duration) Option { return func(c *config) { c.settle = d } }

// WithChecks runs only the checks whose names are among these or begin with one of them and a slash, besides those that
// find out what the endpoint has.
func WithChecks(names ...string) Option { return func(c *config) { c.only = append(c.only, names...) } }

// WithoutChecks leaves out checks, named as for [WithChecks].
func WithoutChecks(names ...string) Option {
	return func(c *config) { c.not = append(c.not, names...) }
}

// Check runs the checks against an endpoint, such as http://127.0.0.1:9201, one after the other, and reports what
// came. It ends early, with what it has, when ctx does. It keeps no more than 16 MiB of an answer.
func Check(ctx context.Context, endpoint string, opts ...Option) Report {
	c := config{
		write: DefaultWritePath, read: DefaultReadPath, header: http.Header{}, timeout: DefaultTimeout, settle: DefaultSettle,
	}
	for _, o := range opts {
		o(&c)
	}
	if c.client == nil {
		transport := &http.Transport{DisableCompression: true, Proxy: http.ProxyFromEnvironment}
		defer transport.CloseIdleConnections()
		c.client = &http.Client{Transport: transport}
	}
	t := &target{
		config: c, run: rand.Text()[:12], now: time.Now().Truncate(time.Second).UnixMilli(),
		writeURL: join(endpoint, c.write), readURL: join(endpoint, c.read),
	}
	report := Report{WriteURL: t.writeURL, ReadURL: t.readURL}
	for _, check := range checks() {
		if ctx.Err() != nil || !c.wants(check) {
			continue
		}
		report.Results = append(report.Results, t.do(ctx, check))
	}
	return report
}

// T is what [Run] needs of a test; a *testing.T has it.
type T interface {
	Helper()
	Errorf(format string, args ...any)
	Logf(format string, args ...any)
}

// Run runs the checks as [Check] does, fails the test for each that fails, and logs warnings.
func Run(t T, endpoint string, opts ...Option) Report {
	t.Helper()
	report := Check(context.Background(), endpoint, opts...)
	passed := 0
	for _, result := range report.Results {
		switch result.Verdict {
		case Fail:
			t.Errorf("%s", result)
		case Warn:
			t.Logf("%s", result)
		case Pass:
			passed++
		}
	}
	if passed == 0 {
		t.Errorf("no check of %s passed", endpoint)
	}
	return report
}

func join(endpoint, path string) string {
	if path == "" || strings.Contains(path, "://") {
		return path
	}
	return strings.TrimRight(endpoint, "/") + "/" + strings.TrimLeft(path, "/")
}

func (c *config) wants(k check) bool {
	named := func(prefix string) bool { return k.name == prefix || strings.HasPrefix(k.name, prefix+"/") }
	switch {
	case slices.ContainsFunc(c.not, named):
		return false
	case len(c.only) == 0, k.finds:
		return true
	default:
		return slices.ContainsFunc(c.only, named)
	}
}
