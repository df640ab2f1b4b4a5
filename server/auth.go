package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/promwire/promwire"
)

// Verifier says who has sent a request, by its headers and its connection. It must not read the body, and must be safe
// for concurrent use.
//
// An [*AuthError] refuses the request. Any other error says that nobody can tell now: it is answered as a failure of the
// storage would be, so that senders try again ([promwire.ErrUnavailable] as 503, a [*promwire.HTTPError] with its status).
type Verifier func(r *http.Request) (user string, err error)

// AuthError refuses a request. It is answered with 401 and the challenge in the header WWW-Authenticate or, without a
// challenge, with 403.
type AuthError struct {
	// Challenge is what the sender may try instead, such as `Basic realm="promwire"`; "" if nothing helps.
	Challenge string
	// Reason is for the answer and the log; never put credentials in it.
	Reason string
}

// Error implements error.
func (e *AuthError) Error() string { return e.Reason }

// WithAuth lets through only requests that one of the verifiers accepts; they are asked in order, before the body of a
// request is read. One whose method, content type or encoding is wrong is refused for that without asking them. The
// storage finds the user in the context ([UserFromContext]), and [TenantFromUser] makes it the tenant. If all refuse, the
// answer is 401 with the challenges of all or, if none has one, 403. The first verifier that fails otherwise ends the
// request. Default: everybody is let through.
func WithAuth(verifiers ...Verifier) SharedOption {
	return sharedOption(func(c *common) { c.auth = append(c.auth, verifiers...) })
}

// UserFromContext returns the user that a verifier of [WithAuth] has named, "" if there is none.
func UserFromContext(ctx context.Context) string {
	if info, ok := ctx.Value(requestKey{}).(*requestInfo); ok {
		return info.user
	}
	return ""
}

// refusal is what all verifiers say together.
type refusal struct {
	challenges []string
	reasons    []string
}

func (e *refusal) Error() string {
	if len(e.challenges) == 0 {
		return "forbidden: " + strings.Join(e.reasons, "; ")
	}
	return "unauthorized: " + strings.Join(e.reasons, "; ")
}

// challenges returns those of a refusal.
func challenges(err error) []string {
	var refused *refusal
	if errors.As(err, &refused) {
		return refused.challenges
	}
	return nil
}

// authenticate asks the verifiers.
func authenticate(r *http.Request, verifiers []Verifier) (user string, err error) {
	refused := &refusal{}
	for _, verify := range verifiers {
		user, err := verify(r)
		if err == nil {
			return user, nil
		}
		var auth *AuthError
		if !errors.As(err, &auth) {
			return "", &storageError{fmt.Errorf("authentication: %w", err)}
		}
		if auth.Challenge != "" {
			refused.challenges = append(refused.challenges, auth.Challenge)
		}
		refused.reasons = append(refused.reasons, auth.Reason)
	}
	return "", refused
}

// Bearer verifies the token of the header "Authorization: Bearer TOKEN". verify returns whose token it is, and false if
// it is nobody's; an error says that it cannot tell now (see [Verifier]).
func Bearer(verify func(token string) (user string, ok bool, err error)) Verifier {
	return func(r *http.Request) (string, error) {
		token, ok := credentials(r, "Bearer")
		if !ok {
			return "", &AuthError{Challenge: "Bearer", Reason: "no bearer token"}
		}
		user, ok, err := verify(token)
		if err == nil && !ok {
			err = &AuthError{Challenge: `Bearer error="invalid_token"`, Reason: "unknown bearer token"}
		}
		return user, err
	}
}

// BearerTokens verifies bearer tokens against a fixed list: from token to user. It takes the same time whichever token is
// wrong, and however much of it is right. It panics if a token is empty.
func BearerTokens(users map[string]string) Verifier {
	type known struct {
		sum  [sha256.Size]byte
		user string
	}
	var all []known
	for token, user := range users {
		if token == "" {
			panic("server: BearerTokens: an empty token")
		}
		all = append(all, known{sha256.Sum256([]byte(token)), user})
	}
	return Bearer(func(token string) (user string, ok bool, err error) {
		sum := sha256.Sum256([]byte(token))
		for i := range all {
			if subtle.ConstantTimeCompare(sum[:], all[i].sum[:]) == 1 {
				user, ok = all[i].user, true
			}
		}
		return user, ok, nil
	})
}

// Basic verifies user and password of the header "Authorization: Basic ...". verify reports whether they belong together; it should
// take as long for users that it does not know, as the password file of module adapter/htpasswd does. An error says that
// it cannot tell now (see [Verifier]). The user must not be empty.
func Basic(verify func(user, password string) (bool, error)) Verifier {
	const challenge = `Basic realm="promwire", charset="UTF-8"`
	return func(r *http.Request) (string, error) {
		user, password, ok := r.BasicAuth()
		if !ok || user == "" {
			return "", &AuthError{Challenge: challenge, Reason: "no user and password"}
		}
		ok, err := verify(user, password)
		if err == nil && !ok {
			err = &AuthError{Challenge: challenge, Reason: "wrong user or password"}
		}
		if err != nil {
			return "", err
		}
		return user, nil
	}
}

// ClientCertificate verifies the certificate of the sender (mTLS). The server must have checked it against its
// authorities ([crypto/tls.RequireAndVerifyClientCert] or [crypto/tls.VerifyClientCertIfGiven]): one that was not
// verified counts as none. of returns whose certificate it is, and false to refuse it. nil takes the common name of any
// verified certificate that has one.
func ClientCertificate(of func(cert *x509.Certificate) (user string, ok bool)) Verifier {
	if of == nil {
		of = func(cert *x509.Certificate) (string, bool) {
			return cert.Subject.CommonName, cert.Subject.CommonName != ""
		}
	}
	return func(r *http.Request) (string, error) {
		if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 || len(r.TLS.VerifiedChains[0]) == 0 {
			return "", &AuthError{Reason: "no verified client certificate"}
		}
		user, ok := of(r.TLS.VerifiedChains[0][0])
		if !ok {
			return "", &AuthError{Reason: "this client certificate is not allowed here"}
		}
		return user, nil
	}
}

// credentials returns what stands behind the scheme in the header Authorization.
func credentials(r *http.Request, scheme string) (string, bool) {
	header := r.Header.Get("Authorization")
	if len(header) <= len(scheme) || header[len(scheme)] != ' ' || !strings.EqualFold(header[:len(scheme)], scheme) {
		return "", false
	}
	value := strings.TrimSpace(header[len(scheme)+1:])
	return value, value != ""
}

// requestInfo is what the context knows of a request.
type requestInfo struct {
	user string
	r    *http.Request // nil without WithRequestInContext
}

type requestKey struct{}

// WithRequestInContext lets the storage see the request that it works for ([RequestFromContext]): a proxy passes its
// headers on, an audit log wants its address. It costs an allocation for each request. Default: it does not see it.
func WithRequestInContext() SharedOption {
	return sharedOption(func(c *common) { c.raw = true })
}

// RequestFromContext returns the request that a storage works for, nil without [WithRequestInContext]. It is valid
// until the storage returns, and must not be modified; its body is the handler's. Behind servers that are not net/http it
// is what their adapter filled in: method, URL, header, host, remote address and TLS state.
func RequestFromContext(ctx context.Context) *http.Request {
	if info, ok := ctx.Value(requestKey{}).(*requestInfo); ok {
		return info.r
	}
	return nil
}

// enter judges who sends a request, before its body is read, and returns the context for the storage. It fills in user
// and tenant of the statistics.
func (c *common) enter(ctx context.Context, r *http.Request, s *RequestStats) (context.Context, error) {
	if c.auth != nil {
		user, err := authenticate(r, c.auth)
		if err != nil {
			return ctx, err
		}
		s.User = user
	}
	if c.raw || s.User != "" {
		info := &requestInfo{user: s.User}
		if c.raw {
			info.r = r
		}
		ctx = context.WithValue(ctx, requestKey{}, info)
	}
	if c.tenant == nil {
		return ctx, nil
	}
	if s.User != "" {
		r = r.WithContext(ctx) // for UserFromContext
	}
	tenant, err := c.tenant(r)
	if err != nil {
		return ctx, fmt.Errorf("%w: %w", errBadRequest, err)
	}
	if tenant != "" {
		s.Tenant = tenant
		ctx = promwire.ContextWithTenant(ctx, tenant)
	}
	return ctx, nil
}
