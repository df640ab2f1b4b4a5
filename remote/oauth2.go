package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/promwire/promwire"
)

// OAuth2 gets tokens by the client credentials grant (RFC 6749, section 4.4).
type OAuth2 struct {
	// TokenURL is the token endpoint.
	TokenURL string
	ClientID string
	// ClientSecret, or ClientSecretFile, which is read for each token, is sent as basic authentication.
	ClientSecret, ClientSecretFile string
	// Scopes to ask for; none by default.
	Scopes []string
	// EndpointParams are further parameters of the request for a token, such as audience or resource.
	EndpointParams url.Values
	// Client is what the token endpoint is asked with. Default: connections of its own with the settings of
	// [http.DefaultTransport], proxies from the environment included.
	Client *http.Client
	// Timeout bounds a request for a token. Default 30 s.
	Timeout time.Duration
}

// WithOAuth2 sends tokens with every request that it gets from a token endpoint. A token is used until shortly before it
// expires, or until an answer 401, which drops it. If a new token cannot be had before the old one expires, the old one
// goes on. One request for a token at a time is made, whatever the number of writes that wait for it.
func WithOAuth2(o OAuth2) Option {
	return func(e *endpoint) error {
		s, err := newTokens(o)
		if err != nil {
			return err
		}
		return e.setAuth("WithOAuth2", s)
	}
}

const (
	// maxToken bounds the answer of a token endpoint, in bytes.
	maxToken = 1 << 20
	// earlyPart is the part of a token's life (one tenth) before whose end a new one is asked for, earliest before it at most.
	earlyPart, earliest = 10, time.Minute
	// defaultLife is that of a token whose answer does not say it.
	defaultLife = 5 * time.Minute
	maxLife     = 365 * 24 * time.Hour
)

// tokenSource is an [Auth].
type tokenSource struct {
	OAuth2
	params url.Values
	now    func() time.Time
	turn   chan struct{} // holds one element while nobody asks for a token; guards what follows
	state  chan token    // holds the current token
}

// token is one that was given; the zero value is none.
type token struct {
	value          string
	early, expires time.Time
}

func newTokens(o OAuth2) (*tokenSource, error) {
	u, err := url.Parse(o.TokenURL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, errors.New("remote: WithOAuth2: TokenURL is not a full http or https URL")
	case o.ClientID == "":
		return nil, errors.New("remote: WithOAuth2: ClientID is empty")
	case (o.ClientSecret == "") == (o.ClientSecretFile == ""):
		return nil, errors.New("remote: WithOAuth2: give either ClientSecret or ClientSecretFile")
	}
	if o.Client == nil {
		if o.Client, err = newHTTPClient(nil, nil); err != nil {
			return nil, err
		}
	}
	o.Timeout = orDefault(o.Timeout, DefaultWriteTimeout)
	params := url.Values{"grant_type": {"client_credentials"}}
	if len(o.Scopes) > 0 {
		params.Set("scope", strings.Join(o.Scopes, " "))
	}
	for name, values := range o.EndpointParams {
		if name == "grant_type" || name == "scope" || name == "client_id" || name == "client_secret" {
			return nil, fmt.Errorf("remote: WithOAuth2: parameter %q has a field of its own", name)
		}
		params[name] = append([]string(nil), values...)
	}
	t := &tokenSource{OAuth2: o, params: params, now: time.Now, turn: make(chan struct{}, 1), state: make(chan token, 1)}
	t.turn <- struct{}{}
	t.state <- token{}
	return t, nil
}

// String keeps the secret out of what is printed.
func (t *tokenSource) String() string { return "OAuth2 for " + t.ClientID }

// Authorize implements [Auth].
func (t *tokenSource) Authorize(req *http.Request, _ []byte) error {
	value, err := t.get(req.Context())
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", bearerHeader(value))
	return nil
}

// Renew drops the current token.
func (t *tokenSource) Renew() bool {
	dropped := t.exchange(token{})
	return dropped.value != ""
}

func (t *tokenSource) current() token {
	k := <-t.state
	t.state <- k
	return k
}

func (t *tokenSource) exchange(k token) (before token) {
	before = <-t.state
	t.state <- k
	return before
}

// get returns a token that is valid now.
func (t *tokenSource) get(ctx context.Context) (string, error) {
	k, now := t.current(), t.now()
	switch {
	case k.value != "" && now.Before(k.early):
		return k.value, nil
	case k.value != "" && now.Before(k.expires):
		// One of those who come by asks for the next one; the others, and that one if it fails, use what there is.
		select {
		case <-t.turn:
		default:
			return k.value, nil
		}
	default:
		select {
		case <-t.turn:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	defer func() { t.turn <- struct{}{} }()
	if latest := t.current(); latest.value != "" && t.now().Before(latest.early) {
		return latest.value, nil // somebody else was faster
	}
	next, err := t.ask(ctx)
	switch {
	case err == nil:
		t.exchange(next)
		return next.value, nil
	case k.value != "" && t.now().Before(k.expires):
		return k.value, nil
	}
	return "", fmt.Errorf("get token from %s: %w", placeOf(t.TokenURL), err)
}

// ask requests a token.
func (t *tokenSource) ask(ctx context.Context) (token, error) {
	secret := t.ClientSecret
	if t.ClientSecretFile != "" {
		var err error
		if secret, err = readSecret(t.ClientSecretFile); err != nil {
			return token{}, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.TokenURL, strings.NewReader(t.params.Encode()))
	if err != nil {
		return token{}, errors.New("invalid URL")
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	// RFC 6749, section 2.3.1: both are encoded as in a form first.
	req.SetBasicAuth(url.QueryEscape(t.ClientID), url.QueryEscape(secret))
	asked := t.now()
	resp, err := t.Client.Do(req) //nolint:bodyclose // discard closes it
	if err != nil {
		return token{}, bare(err)
	}
	defer discard(resp.Body)
	if resp.StatusCode/100 != 2 {
		return token{}, tokenError(resp, asked)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxToken+1))
	if err != nil {
		return token{}, fmt.Errorf("read the token: %w", err)
	}
	return parseToken(text, asked)
}

// tokenError is the error of an answer that is no token. What the endpoint says may quote the request, but not its
// secret, which is in a header.
func tokenError(resp *http.Response, now time.Time) error {
	e := httpError(resp, now)
	var said struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal([]byte(e.Body), &said) == nil && said.Error != "" {
		e.Body = said.Error
		if said.Description != "" {
			e.Body += ": " + said.Description
		}
	}
	return e
}

// parseToken reads the answer of a token endpoint (RFC 6749, section 5.1).
func parseToken(text []byte, asked time.Time) (token, error) {
	if len(text) > maxToken {
		return token{}, fmt.Errorf("%w: answer has more than %d bytes", promwire.ErrTooLarge, maxToken)
	}
	var given struct {
		AccessToken string      `json:"access_token"`
		TokenType   string      `json:"token_type"`
		ExpiresIn   json.Number `json:"expires_in"` // some write it as a string
	}
	if err := json.Unmarshal(text, &given); err != nil {
		return token{}, fmt.Errorf("answer is not a token: %w", err)
	}
	switch {
	case given.AccessToken == "" || !validHeaderValue(given.AccessToken):
		return token{}, errors.New("answer holds no access_token, or one that is not a header value")
	case given.TokenType != "" && !strings.EqualFold(given.TokenType, "bearer"):
		return token{}, fmt.Errorf("%w: token type %.50q, want bearer", promwire.ErrUnsupported, given.TokenType)
	}
	life := defaultLife
	if seconds, err := given.ExpiresIn.Float64(); err == nil && seconds > 0 {
		life = time.Duration(min(seconds, maxLife.Seconds()) * float64(time.Second))
	}
	return token{
		value: given.AccessToken, expires: asked.Add(life), early: asked.Add(life - min(life/earlyPart, earliest)),
	}, nil
}

// placeOf is a URL without what may be secret in it.
func placeOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "the token endpoint"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// bare takes the URL out of an error of net/http.
func bare(err error) error {
	var request *url.Error
	if errors.As(err, &request) {
		return request.Err
	}
	return err
}
