package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/promwire/promwire"
)

// Engine is how an engine is asked.
type Engine struct {
	Endpoints
	// Transport connects to it, with the credentials that do not stand in the URLs; http.DefaultTransport if nil.
	Transport http.RoundTripper
	// Header are added to each request, in place of those that clients send.
	Header http.Header
	// Timeout bounds a query, and the time in which a read makes no progress.
	Timeout time.Duration
	// TempDir is where reads that have to be sorted put what does not fit into memory.
	TempDir string
}

// maxErrorText bounds what is kept of the text of an error, in bytes.
const maxErrorText = 1 << 10

// ask sends a form to a path of the API, such as "query", or asks without one, and returns the answer of a 2xx; the caller closes its body.
func (e *Engine) ask(ctx context.Context, path string, args url.Values) (*http.Response, error) {
	u := strings.TrimSuffix(e.Query, "/") + apiPrefix + path
	method := http.MethodPost
	if args == nil {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, u, strings.NewReader(args.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("User-Agent", "promwire/"+promwire.Version)
	if tenant := promwire.TenantFromContext(ctx); tenant != "" {
		req.Header.Set(promwire.HeaderTenant, tenant)
	}
	e.setHeaders(req)
	client := http.Client{Transport: e.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		defer resp.Body.Close()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorText)) // what came of it is better than nothing
		return nil, &promwire.HTTPError{StatusCode: resp.StatusCode, Body: strings.TrimSpace(string(text))}
	}
	return resp, nil
}

// setHeaders adds the headers that are the gateway's own.
func (e *Engine) setHeaders(req *http.Request) {
	for name, values := range e.Header {
		req.Header[name] = values
	}
}

// unavailable makes a failure that is no answer of the engine one that may pass.
func unavailable(err error) error {
	var answer *promwire.HTTPError
	if err == nil || errors.As(err, &answer) || errors.Is(err, promwire.ErrTooLarge) || errors.Is(err, promwire.ErrUnsupported) {
		return err
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err // with the URL, it would tell who may ask the engine, and where
	}
	return fmt.Errorf("the engine can't be read: %w: %w", promwire.ErrUnavailable, err)
}
