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
	"github.com/promwire/promwire/internal/readable"
)

// Engine is how an engine is asked.
type Engine struct {
	Endpoints
	// Link connects to it.
	Link *Link
	// Timeout bounds a query, and the time in which a read makes no progress. 0 bounds nothing.
	Timeout time.Duration
	// MaxAnswer bounds an answer of its remote read that has samples, in bytes; 0 is [remote.DefaultMaxResponse].
	MaxAnswer int
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
	ctx, clock := watch(ctx, e.Timeout)
	req, err := http.NewRequestWithContext(ctx, method, u, strings.NewReader(args.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("User-Agent", "promwire/"+promwire.Version)
	if tenant := promwire.TenantFromContext(ctx); tenant != "" {
		req.Header.Set(promwire.HeaderTenant, tenant)
	}
	resp, err := e.client().Do(req)
	if err != nil {
		clock.stop()
		return nil, clock.explain(err)
	}
	resp.Body = &watched{resp.Body, clock}
	if resp.StatusCode/100 != 2 {
		defer resp.Body.Close()
		return nil, &promwire.HTTPError{StatusCode: resp.StatusCode, Body: beginning(resp.Body)}
	}
	return resp, nil
}

// beginning returns the begin of the text of an error.
func beginning(body io.Reader) string {
	text, _ := io.ReadAll(io.LimitReader(body, maxErrorText)) // what came of it is better than nothing
	return strings.TrimSpace(readable.Text(text))
}

// client returns what asks the engine. It follows no redirect: the link would take credentials along.
func (e *Engine) client() *http.Client {
	return &http.Client{Transport: e.Link, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// explained makes a failure to read what the client is told: to ask for less, or something else; that the engine answers
// oddly; or to come again, as it may pass.
func explained(err error) error {
	var answer *promwire.HTTPError
	switch {
	case err == nil || errors.As(err, &answer):
		return err
	case errors.Is(err, promwire.ErrTooLarge) || errors.Is(err, errHistogram):
		return &answered{err, http.StatusUnprocessableEntity}
	case errors.Is(err, promwire.ErrUnsupported):
		return &answered{err, http.StatusBadGateway}
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err // with the URL, it would tell who may ask the engine, and where
	}
	if err = readable.Error(err); errors.Is(err, context.Canceled) {
		return err // the engine is not to blame
	}
	return fmt.Errorf("the engine can't be read: %w: %w", promwire.ErrUnavailable, err)
}

// answered is an error with the status of the answer that tells it.
type answered struct {
	err    error
	status int
}

func (a *answered) Error() string { return a.err.Error() }

func (a *answered) Unwrap() []error { return []error{a.err, &promwire.HTTPError{StatusCode: a.status}} }
