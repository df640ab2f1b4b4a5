package server_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/server"
)

// seen is a storage that notes users and tenants.
type seen struct{ users, tenants []string }

func (s *seen) note(ctx context.Context) {
	s.users = append(s.users, server.UserFromContext(ctx))
	s.tenants = append(s.tenants, promwire.TenantFromContext(ctx))
}

func (s *seen) Write(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
	s.note(ctx)
	return req.Stats(), nil
}

func (s *seen) Read(ctx context.Context, _ promwire.Query) iter.Seq2[promwire.TimeSeries, error] {
	s.note(ctx)
	return func(func(promwire.TimeSeries, error) bool) {}
}

var errDown = errors.New("directory is down")

func verifiers() []server.Verifier {
	return []server.Verifier{
		server.BearerTokens(map[string]string{"secret": "robot", "other": "robot 2"}),
		server.Basic(func(user, password string) (bool, error) {
			if user == "error" {
				return false, errDown
			}
			return user == "ann" && password == "pass", nil
		}),
		server.ClientCertificate(nil),
	}
}

func TestAuth(t *testing.T) {
	cert := &x509.Certificate{Subject: pkix.Name{CommonName: "agent"}}
	verified := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}, VerifiedChains: [][]*x509.Certificate{{cert}}}
	unverified := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}
	tests := []struct {
		name   string
		header string
		tls    *tls.ConnectionState
		status int
		user   string
		text   string
	}{
		{"none", "", nil, 401, "", "unauthorized: no bearer token"},
		{"bearer", "Bearer secret", nil, 0, "robot", ""},
		{"bearer, another one", "bearer  other", nil, 0, "robot 2", ""},
		{"bearer, wrong", "Bearer secreT", nil, 401, "", "unknown bearer token"},
		{"bearer, longer", "Bearer secret1", nil, 401, "", "unknown bearer token"},
		{"bearer, empty", "Bearer ", nil, 401, "", "no bearer token"},
		{"basic", "Basic YW5uOnBhc3M=", nil, 0, "ann", ""},
		{"basic, wrong", "Basic YW5uOnBhc3Q=", nil, 401, "", "wrong user or password"},
		{"basic, garbage", "Basic !", nil, 401, "", "no user and password"},
		{"basic, cannot tell", "Basic ZXJyb3I6eA==", nil, 500, "", "directory is down"},
		{"certificate", "", verified, 0, "agent", ""},
		{"certificate that nobody has verified", "", unverified, 401, "", "no verified client certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := &seen{}
			h := server.NewHandler(store, server.WithAuth(verifiers()...), server.WithTenant(server.TenantFromUser()))
			for _, read := range []bool{false, true} {
				r, success := request(promwire.WriteV2, encode(t, promwire.WriteV2, many(1))), 204
				if read {
					r, success = readRequest(nil, all), 200
					r.URL.Path = server.ReadPath
				}
				r.TLS = tt.tls
				if tt.header != "" {
					r.Header.Set("Authorization", tt.header)
				}
				if tt.status != 0 {
					r.Body = io.NopCloser(untouched{t})
				}
				w := do(h, r)
				want := tt.status
				if want == 0 {
					want = success
				}
				if w.Code != want || !strings.Contains(w.Body.String(), tt.text) {
					t.Errorf("read %v: answer %d: %s", read, w.Code, w.Body)
				}
				challenges := strings.Join(w.Header()["Www-Authenticate"], ", ")
				if (want == 401) != (strings.Contains(challenges, "Bearer") && strings.Contains(challenges, `Basic realm="promwire"`)) {
					t.Errorf("challenges %q", challenges)
				}
			}
			if tt.status != 0 && len(store.users) > 0 || tt.status == 0 && (len(store.users) != 2 ||
				!slices.Equal(slices.Compact(store.users), []string{tt.user}) || !slices.Equal(slices.Compact(store.tenants), []string{tt.user})) {
				t.Errorf("storage saw users %q, tenants %q", store.users, store.tenants)
			}
		})
	}
}

func TestAuthForbidden(t *testing.T) {
	h := server.NewWriteHandler(discard, server.WithAuth(server.ClientCertificate(func(c *x509.Certificate) (string, bool) {
		return c.Subject.CommonName, c.Subject.CommonName == "agent"
	})))
	other := &x509.Certificate{Subject: pkix.Name{CommonName: "other"}}
	for _, state := range []*tls.ConnectionState{nil, {VerifiedChains: [][]*x509.Certificate{{other}}}} {
		r := request(promwire.WriteV2, nil)
		r.TLS = state
		w := do(h, r)
		expect(t, w, 403, "0/0/0", "forbidden: ", "client certificate")
		if got := w.Header()["Www-Authenticate"]; len(got) > 0 {
			t.Errorf("challenges %q", got)
		}
	}
}

func TestRequestInContext(t *testing.T) {
	var got []*http.Request
	w := writerFunc(func(ctx context.Context, req *promwire.WriteRequest) (promwire.WriteStats, error) {
		got = append(got, server.RequestFromContext(ctx))
		return req.Stats(), nil
	})
	r := request(promwire.WriteV1, encode(t, promwire.WriteV1, many(1)))
	r.Header.Set("X-Forwarded-For", "192.0.2.7")
	do(server.NewWriteHandler(w, server.WithRequestInContext()), r)
	write(t, server.NewWriteHandler(w), promwire.WriteV1, many(1))
	if len(got) != 2 || got[0] == nil || got[0].Header.Get("X-Forwarded-For") != "192.0.2.7" || got[0].RemoteAddr != r.RemoteAddr || got[1] != nil {
		t.Errorf("storage saw %v", got)
	}
}
