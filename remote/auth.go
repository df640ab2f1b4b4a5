package remote

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/promwire/promwire"
)

// Auth authorizes requests. Implementations are safe for concurrent use. Those that need a library are modules of their
// own, such as adapter/sigv4 and adapter/azuread.
//
// One that also has a method Renew() bool is asked by a write client after an answer 401, at most once for each Write:
// if it has dropped credentials that may have been the reason, the request is sent once more with new ones.
type Auth interface {
	// Authorize changes the headers of req, which is about to be sent: all other headers are set. It is called for each
	// attempt. body is what is going to be sent; it must not be modified or kept. An error ends the attempt, and is
	// retried unless it wraps one that [promwire.Retryable] calls final.
	Authorize(req *http.Request, body []byte) error
}

// WithAuth authorizes every request by a, after all other headers are set. Only one way to authorize can be configured:
// this, [WithBasicAuth], [WithBearerToken], [WithOAuth2] and their likes, user and password in the URL, and an
// Authorization header by [WithHeader] exclude each other. Without any, no such header is sent.
//
// Redirects to another host or scheme are not followed then: the credentials are not for it.
func WithAuth(a Auth) Option {
	return func(e *endpoint) error {
		if a == nil {
			return errors.New("remote: WithAuth: nil")
		}
		return e.setAuth("WithAuth", a)
	}
}

// setAuth makes a the one way to authorize.
func (e *endpoint) setAuth(name string, a Auth) error {
	if e.auth != nil {
		return fmt.Errorf("remote: %s and %s: a request can be authorized in one way only", e.authName, name)
	}
	e.auth, e.authName = a, name
	return nil
}

// secretHeader is an Authorization header that is always the same.
type secretHeader string

func (h secretHeader) Authorize(req *http.Request, _ []byte) error {
	req.Header.Set("Authorization", string(h))
	return nil
}

// String keeps the secret out of what is printed.
func (secretHeader) String() string { return "Authorization: ..." }

// fileHeader is an Authorization header with a secret that is read from a file for each request.
type fileHeader struct {
	path   string
	header func(secret string) string
}

func (h fileHeader) Authorize(req *http.Request, _ []byte) error {
	secret, err := readSecret(h.path)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", h.header(secret))
	return nil
}

// maxSecret bounds what is read of a file with a secret, in bytes.
const maxSecret = 64 << 10

// readSecret returns what a file holds, without blanks and line breaks around it. It is read each time: that takes less
// than the request, and no change goes unnoticed.
func readSecret(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("read secret: %w", err)
	}
	data = bytes.TrimSpace(data)
	switch {
	case len(data) > maxSecret:
		return "", fmt.Errorf("read secret %s: more than %d bytes", path, maxSecret)
	case len(data) == 0:
		return "", fmt.Errorf("read secret %s: the file is empty", path)
	case !validHeaderValue(string(data)):
		return "", fmt.Errorf("read secret %s: it holds control characters", path)
	}
	return string(data), nil
}

func basicHeader(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func bearerHeader(token string) string { return "Bearer " + token }

// WithBasicAuth sends user and password with every request. User and password in the URL do the same.
func WithBasicAuth(user, password string) Option {
	return func(e *endpoint) error {
		if err := checkUser("WithBasicAuth", user); err != nil {
			return err
		}
		return e.setAuth("WithBasicAuth", secretHeader(basicHeader(user, password)))
	}
}

// WithBasicAuthFile is WithBasicAuth with a password from a file, which is read for each request, so that it can be
// replaced. Blanks and line breaks around the password do not count.
func WithBasicAuthFile(user, passwordFile string) Option {
	return func(e *endpoint) error {
		if err := checkUser("WithBasicAuthFile", user); err != nil {
			return err
		}
		return e.setSecretFile("WithBasicAuthFile", passwordFile, func(s string) string { return basicHeader(user, s) })
	}
}

func checkUser(option, user string) error {
	if strings.Contains(user, ":") {
		return fmt.Errorf("remote: %s: a user name cannot hold a colon", option)
	}
	return nil
}

// WithBearerToken sends a token with every request.
func WithBearerToken(token string) Option {
	return func(e *endpoint) error {
		if token == "" || !validHeaderValue(token) {
			return errors.New("remote: WithBearerToken: the token is empty or holds control characters")
		}
		return e.setAuth("WithBearerToken", secretHeader(bearerHeader(token)))
	}
}

// WithBearerTokenFile is WithBearerToken with a token from a file, which is read for each request, so that it can be
// replaced. Blanks and line breaks around the token do not count.
func WithBearerTokenFile(path string) Option {
	return func(e *endpoint) error { return e.setSecretFile("WithBearerTokenFile", path, bearerHeader) }
}

func (e *endpoint) setSecretFile(option, path string, header func(string) string) error {
	if path == "" {
		return fmt.Errorf("remote: %s: no file given", option)
	}
	return e.setAuth(option, fileHeader{path, header})
}

// setUserInfo takes user and password out of the URL and makes them the way to authorize.
func (e *endpoint) setUserInfo(u *url.Userinfo) {
	password, _ := u.Password()
	e.auth, e.authName = secretHeader(basicHeader(u.Username(), password)), "user and password in the URL"
}

// WithTenant sends a tenant with every request, in the header X-Scope-OrgID that Mimir, Cortex and their like expect. A
// tenant in the context of a request ([promwire.ContextWithTenant]) takes its place; without either none is sent.
func WithTenant(tenant string) Option {
	return func(e *endpoint) error {
		if tenant == "" || !validHeaderValue(tenant) {
			return fmt.Errorf("remote: WithTenant: %q is not a header value", tenant)
		}
		e.header.Set(promwire.HeaderTenant, tenant)
		return nil
	}
}

// authorize completes the headers of req.
func (e *endpoint) authorize(req *http.Request, body []byte) error {
	if tenant := promwire.TenantFromContext(req.Context()); tenant != "" {
		if !validHeaderValue(tenant) {
			return fmt.Errorf("%w: tenant %.100q is not a header value", promwire.ErrUnsupported, tenant)
		}
		req.Header.Set(promwire.HeaderTenant, tenant)
	}
	if e.auth == nil {
		return nil
	}
	if err := e.auth.Authorize(req, body); err != nil {
		return fmt.Errorf("authorize: %w", err)
	}
	return nil
}

// renew reports whether a request that was answered with 401 is worth another try with new credentials.
func (e *endpoint) renew() bool {
	r, ok := e.auth.(interface{ Renew() bool })
	return ok && r.Renew()
}
