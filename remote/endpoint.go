package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/readable"
)

// endpoint is what both clients are made of: where to send, how, and with which headers. It does not change once its
// client is made.
type endpoint struct {
	url     *url.URL
	name    string // the URL without user info and query, for errors
	client  *http.Client
	header  http.Header
	timeout time.Duration
	late    error // what to say when timeout is over
	// logs is nil for none. It is a function so that programs without a logger don't link log/slog's machinery.
	logs func(ctx context.Context, level slog.Level, msg string, args ...any)

	auth     Auth   // nil for none
	authName string // where it comes from
	tls      *tls.Config
	proxy    func(*http.Request) (*url.URL, error)
}

// drainLimit bounds what is read of an answer that nobody needs, so that its connection can be used again.
const drainLimit = 64 << 10

// maxRedirects is the number of redirects that one request follows, as in net/http.
const maxRedirects = 10

func newEndpoint(rawURL string, timeout time.Duration) (endpoint, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		var parse *url.Error
		if errors.As(err, &parse) {
			err = parse.Err // parse itself repeats the URL, password and all
		}
		return endpoint{}, fmt.Errorf("remote: invalid URL: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return endpoint{}, fmt.Errorf("remote: URL has scheme %q, want http or https: give the full endpoint", u.Scheme)
	}
	if u.Hostname() == "" {
		return endpoint{}, errors.New("remote: URL has no host: give the full endpoint, such as http://host:9090/api/v1/write")
	}
	name := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	e := endpoint{
		url:     u,
		name:    name.String(),
		header:  http.Header{"User-Agent": {"promwire/" + promwire.Version}},
		timeout: timeout,
	}
	if u.User != nil {
		e.setUserInfo(u.User)
		u.User = nil
	}
	return e, nil
}

// finish completes e once all options are applied.
func (e *endpoint) finish() error {
	e.late = fmt.Errorf("no answer within %v: %w", e.timeout, context.DeadlineExceeded)
	if e.header.Get("Authorization") != "" {
		if err := e.setAuth("WithHeader(Authorization)", secretHeader(e.header.Get("Authorization"))); err != nil {
			return err
		}
		e.header.Del("Authorization")
	}
	switch {
	case e.client == nil:
		var err error
		if e.client, err = newHTTPClient(e.tls, e.proxy); err != nil {
			return err
		}
	case e.tls != nil || e.proxy != nil:
		return errors.New("remote: WithTLS and WithProxy need connections of the client's own: " +
			"with WithHTTPClient, set them in its transport")
	}
	client := http.Client{Transport: e.client.Transport, Jar: e.client.Jar, Timeout: e.client.Timeout}
	client.CheckRedirect = e.keepPost(e.client.CheckRedirect)
	e.client = &client
	return nil
}

func (e *endpoint) log(ctx context.Context, level slog.Level, msg string, args ...any) {
	if e.logs != nil {
		e.logs(ctx, level, msg, append(args, "endpoint", e.name)...)
	}
}

// keepPost lets redirects through that keep method and body (307, 308). Others would turn the request into a GET
// without a body: they are the answer instead, and so an error. So are those that lead credentials elsewhere.
func (e *endpoint) keepPost(next func(*http.Request, []*http.Request) error) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		elsewhere := req.URL.Host != e.url.Host || req.URL.Scheme != e.url.Scheme
		if req.Method != http.MethodPost || elsewhere && e.hasSecrets() {
			return http.ErrUseLastResponse
		}
		if next != nil {
			return next(req, via)
		}
		if len(via) >= maxRedirects {
			return fmt.Errorf("%w: stopped after %d redirects", promwire.ErrUnsupported, maxRedirects)
		}
		return nil
	}
}

// hasSecrets reports whether requests carry credentials, or headers that may be some, such as an API key: net/http would
// carry all of them along but Authorization.
func (e *endpoint) hasSecrets() bool {
	for name := range e.header {
		if name != "User-Agent" && name != promwire.HeaderTenant {
			return true
		}
	}
	return e.auth != nil
}

// post sends p and returns the answer whatever its status; the caller closes its body. header belongs to the request
// from now on: cookie jars and wrapped transports write into it.
func (e *endpoint) post(ctx context.Context, header http.Header, p *payload) (*http.Response, error) {
	target := e.url
	if e.auth != nil { // which may look at it, and must not change ours
		own := *e.url
		target = &own
	}
	req := (&http.Request{
		Method:        http.MethodPost,
		URL:           target,
		Host:          e.url.Host,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        header,
		ContentLength: int64(len(p.compressed)),
		// For redirects, and for a connection that turns out to be closed before the first byte of the answer.
		GetBody: func() (io.ReadCloser, error) { return p.reader(), nil },
	}).WithContext(ctx)
	if err := e.authorize(req, p.compressed); err != nil {
		return nil, err
	}
	req.Body = p.reader()
	return e.client.Do(req)
}

// discard reads what is left of an answer, within bounds, and closes it.
func discard(body io.ReadCloser) {
	if body != http.NoBody {
		_, _ = io.CopyN(io.Discard, body, drainLimit)
	}
	_ = body.Close()
}

// named says which endpoint err is about.
func (e *endpoint) named(verb string, err error) error {
	return fmt.Errorf("remote %s %s: %w", verb, e.name, err)
}

// failed is named for a request that got no answer, or half of one. If ctx is over, errors.Is finds its error.
func (e *endpoint) failed(ctx context.Context, verb string, err error) error {
	err = readable.Error(bare(err)) // with the URL, it would repeat the query
	if cancelled := ctx.Err(); cancelled != nil && !errors.Is(err, cancelled) {
		err = fmt.Errorf("%w: %w", cancelled, err)
	}
	return e.named(verb, err)
}

// CloseIdleConnections closes the connections that no request uses. A client needs no other closing.
func (e *endpoint) CloseIdleConnections() { e.client.CloseIdleConnections() }
