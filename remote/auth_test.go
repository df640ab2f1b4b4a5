package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/promwire/promwire"
)

// authorizations is a receiver that keeps the Authorization headers that came; "-" for none.
func authorizations(t testing.TB) (rawURL string, seen func() []string) {
	var mu sync.Mutex
	var all []string
	rawURL = newServer(t, func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		h := strings.Join(req.Header.Values("Authorization"), "|")
		if _, given := req.Header["Authorization"]; !given {
			h = "-"
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, h)
	})
	return rawURL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		defer func() { all = nil }()
		return all
	}
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAuthHeaders(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	writeFile(t, file, " pass \n")
	tests := []struct {
		name   string
		user   string // in the URL
		option WriteOption
		want   string
	}{
		{"none", "", nil, "-"},
		{"basic", "", WithBasicAuth("u", "p:1"), "Basic dTpwOjE="},
		{"basic, file", "", WithBasicAuthFile("u", file), "Basic dTpwYXNz"},
		{"bearer", "", WithBearerToken("t0k"), "Bearer t0k"},
		{"bearer, file", "", WithBearerTokenFile(file), "Bearer pass"},
		{"URL", "u:p%3A1@", nil, "Basic dTpwOjE="},
		{"header", "", WithHeader("authorization", "Token x"), "Token x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			address, seen := authorizations(t)
			opts := []WriteOption{WithMessageType(v1)}
			if tt.option != nil {
				opts = append(opts, tt.option)
			}
			c := newWriteClient(t, strings.Replace(address, "http://", "http://"+tt.user, 1), opts...)
			if _, err := c.Write(context.Background(), request("m", 1)); err != nil {
				t.Fatal(err)
			}
			if got := seen(); len(got) != 1 || got[0] != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// The same options work for a read client.
func TestAuthForReading(t *testing.T) {
	address, seen := authorizations(t)
	c, err := NewReadClient(address, WithBearerToken("t0k"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseIdleConnections()
	for range c.Read(context.Background(), promwire.Query{End: time.Unix(1, 0), Matchers: []promwire.Matcher{{Name: "a", Value: "b"}}}) {
	}
	if got := seen(); len(got) != 1 || got[0] != "Bearer t0k" {
		t.Errorf("got %q", got)
	}
}

func TestOneAuthOnly(t *testing.T) {
	all := map[string]WriteOption{
		"WithBasicAuth": WithBasicAuth("u", "p"), "WithBearerToken": WithBearerToken("t"),
		"WithAuth": WithAuth(secretHeader("x")), "WithHeader": WithHeader("Authorization", "x"),
		"WithOAuth2": WithOAuth2(OAuth2{TokenURL: "http://h/", ClientID: "c", ClientSecret: "s"}),
	}
	for a, first := range all {
		for b, second := range all {
			if a == b && a == "WithHeader" { // the second one replaces the first
				continue
			}
			_, err := NewWriteClient("http://host/", first, second)
			if err == nil || !strings.Contains(err.Error(), a) || !strings.Contains(err.Error(), b) {
				t.Errorf("%s and %s: %v", a, b, err)
			}
		}
		if _, err := NewWriteClient("http://u:secret@host/", first); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s and a user in the URL: %v", a, err)
		}
	}
}

func TestAuthOptionsRefuse(t *testing.T) {
	for want, o := range map[string]Option{
		"nil": WithAuth(nil), "colon": WithBasicAuth("a:b", "c"), "WithBearerToken": WithBearerToken("a\nb"),
		"no file": WithBearerTokenFile(""), "TokenURL": WithOAuth2(OAuth2{ClientID: "c", ClientSecret: "s"}),
		"ClientID":            WithOAuth2(OAuth2{TokenURL: "http://h/", ClientSecret: "s"}),
		"either ClientSecret": WithOAuth2(OAuth2{TokenURL: "http://h/", ClientID: "s"}),
		"field of its own": WithOAuth2(OAuth2{
			TokenURL: "http://h/", ClientID: "s", ClientSecret: "s", EndpointParams: url.Values{"scope": {"x"}},
		}),
		"WithTenant": WithTenant("a\nb"),
	} {
		if _, err := NewWriteClient("http://host/", o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Secrets in files are read anew; one that cannot be read is a failure that may pass, and nothing goes out without it.
func TestSecretFileIsReadAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	writeFile(t, file, "one\n")
	address, seen := authorizations(t)
	c := newWriteClient(t, address, WithBearerTokenFile(file), WithMessageType(v1), WithoutRetry())
	for _, secret := range []string{"one", "two"} {
		writeFile(t, file, secret)
		if _, err := c.Write(context.Background(), request("m", 1)); err != nil {
			t.Fatal(err)
		}
		if got := seen(); len(got) != 1 || got[0] != "Bearer "+secret {
			t.Errorf("got %q", got)
		}
	}
	for _, bad := range []string{"", "a\nb", strings.Repeat("x", maxSecret+1)} {
		writeFile(t, file, bad)
		_, err := c.Write(context.Background(), request("m", 1))
		if err == nil || !promwire.Retryable(err) || !strings.Contains(err.Error(), file) || len(seen()) != 0 {
			t.Errorf("%.10q: got %v", bad, err)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(context.Background(), request("m", 1)); !errors.Is(err, os.ErrNotExist) || len(seen()) != 0 {
		t.Errorf("got %v", err)
	}
}

// Credentials go to the host that they are for.
func TestRedirectsDoNotCarryCredentials(t *testing.T) {
	elsewhere := newServer(t, func(_ http.ResponseWriter, req *http.Request) { t.Errorf("elsewhere got %v", req.Header) })
	from := newServer(t, func(w http.ResponseWriter, req *http.Request) {
		http.Redirect(w, req, elsewhere, http.StatusPermanentRedirect)
	})
	for name, secret := range map[string]WriteOption{
		"token": WithBearerToken("t"), "header": WithHeader("X-Api-Key", "t"), "authorization": WithHeader("Authorization", "t"),
	} {
		var answer *promwire.HTTPError
		_, err := newWriteClient(t, from, secret).Write(context.Background(), request("m", 1))
		if !errors.As(err, &answer) || answer.StatusCode != http.StatusPermanentRedirect || !strings.Contains(answer.Body, "credentials") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestTenant(t *testing.T) {
	r := newReceiver(t, good)
	c := newWriteClient(t, r.URL, WithTenant("fixed"))
	for _, ctx := range []context.Context{t.Context(), promwire.ContextWithTenant(t.Context(), "other")} {
		if _, err := c.Write(ctx, request("m", 1)); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := r.all[0].header.Get("X-Scope-OrgID"), r.all[1].header.Get("X-Scope-OrgID"); a != "fixed" || b != "other" {
		t.Errorf("got %q, %q", a, b)
	}
	_, err := c.Write(promwire.ContextWithTenant(t.Context(), "a\nb"), request("m", 1))
	if !errors.Is(err, promwire.ErrUnsupported) || len(r.all) != 2 {
		t.Errorf("got %v", err)
	}
}

// tokenServer gives out tokens t1, t2, ...
type tokenServer struct {
	url   string
	asked atomic.Int64
	form  atomic.Pointer[http.Request]
	fail  atomic.Int64 // a status, 0 for none
	life  string
}

func newTokenServer(t testing.TB, life string) *tokenServer {
	s := &tokenServer{life: life}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if err := req.ParseForm(); err != nil {
			t.Error(err)
		}
		s.form.Store(req)
		n := s.asked.Add(1)
		if status := s.fail.Load(); status != 0 {
			w.WriteHeader(int(status))
			fmt.Fprint(w, `{"error":"invalid_client","error_description":"who are you"}`)
			return
		}
		fmt.Fprintf(w, `{"access_token":"t%d","token_type":"Bearer","expires_in":%s}`, n, s.life)
	}))
	t.Cleanup(srv.Close)
	s.url = srv.URL + "/token?secret=1"
	return s
}

func TestOAuth2(t *testing.T) {
	tokens := newTokenServer(t, "3600")
	address, seen := authorizations(t)
	secret := filepath.Join(t.TempDir(), "secret")
	writeFile(t, secret, "s:e&c\n")
	c := newWriteClient(t, address, WithMessageType(v1), WithoutRetry(), WithOAuth2(OAuth2{
		TokenURL: tokens.url, ClientID: "id", ClientSecretFile: secret, Scopes: []string{"a", "b"},
		EndpointParams: url.Values{"audience": {"x"}},
	}))
	now := time.Unix(1_700_000_000, 0)
	var mu sync.Mutex
	source := c.auth.(*tokenSource)
	source.now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	write := func(after time.Duration, want string, asked int64) {
		t.Helper()
		mu.Lock()
		now = now.Add(after)
		mu.Unlock()
		_, err := c.Write(context.Background(), request("m", 1))
		if got := seen(); want != "" && (err != nil || len(got) != 1 || got[0] != want) || want == "" && (err == nil || len(got) > 0) {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
		if got := tokens.asked.Load(); got != asked {
			t.Fatalf("asked %d times, want %d", got, asked)
		}
	}
	write(0, "Bearer t1", 1)
	form := tokens.form.Load()
	user, password, _ := form.BasicAuth()
	if f := form.PostForm; f.Get("grant_type") != "client_credentials" || f.Get("scope") != "a b" || f.Get("audience") != "x" ||
		user != "id" || password != "s%3Ae%26c" || form.Method != http.MethodPost {
		t.Errorf("asked with %v, %q, %q", f, user, password)
	}
	write(time.Hour-time.Minute-time.Second, "Bearer t1", 1)
	write(time.Second, "Bearer t2", 2) // a minute before the end
	tokens.fail.Store(503)
	write(time.Hour-time.Second, "Bearer t2", 3) // the old one goes on
	write(time.Second, "", 4)
	tokens.fail.Store(0)
	write(0, "Bearer t5", 5)
}

func TestOAuth2Errors(t *testing.T) {
	tokens := newTokenServer(t, `"60"`)
	address, seen := authorizations(t)
	c := newWriteClient(t, address, WithMessageType(v1), WithOAuth2(OAuth2{TokenURL: tokens.url, ClientID: "id", ClientSecret: "hidden"}))
	tokens.fail.Store(401)
	_, err := c.Write(context.Background(), request("m", 1))
	var answer *promwire.HTTPError
	if !errors.As(err, &answer) || answer.StatusCode != http.StatusUnauthorized || promwire.Retryable(err) || tokens.asked.Load() != 1 || len(seen()) != 0 {
		t.Fatalf("got %v after %d", err, tokens.asked.Load())
	}
	if text := err.Error(); !strings.Contains(text, "invalid_client: who are you") || strings.Contains(text, "hidden") || strings.Contains(text, "secret") {
		t.Errorf("got %s", text)
	}
	for _, text := range []string{``, `{}`, `[]`, `{"access_token":"a\nb"}`, `{"access_token":"x","token_type":"mac"}`, strings.Repeat(" ", maxToken+1)} {
		if k, err := parseToken([]byte(text), time.Now()); err == nil {
			t.Errorf("%.30q: %v", text, k)
		}
	}
	for life, want := range map[string]time.Duration{`"60"`: time.Minute, `0`: defaultLife, `-1`: defaultLife, `1e99`: maxLife, `"soon"`: 0, `90`: 90 * time.Second} {
		k, err := parseToken([]byte(`{"access_token":"x","expires_in":`+life+`}`), time.Unix(0, 0))
		if got := k.expires.Sub(time.Unix(0, 0)); want != 0 && (err != nil || got != want) || want == 0 && err == nil {
			t.Errorf("%s: %v, %v", life, got, err)
		}
	}
}

// 401 drops the token, once for each write, and many writes share one new one.
func TestOAuth2Unauthorized(t *testing.T) {
	tokens := newTokenServer(t, "3600")
	var refused atomic.Value
	refused.Store("")
	url := newServer(t, func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		if bad := refused.Load(); bad == "all" || bad == req.Header.Get("Authorization") {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	c := newWriteClient(t, url, WithMessageType(v1), WithOAuth2(OAuth2{TokenURL: tokens.url, ClientID: "id", ClientSecret: "s"}))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := c.Write(context.Background(), request("m", 1)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := tokens.asked.Load(); got != 1 {
		t.Errorf("8 writes asked for %d tokens", got)
	}
	refused.Store("Bearer t1")
	if _, err := c.Write(context.Background(), request("m", 1)); err != nil || tokens.asked.Load() != 2 {
		t.Errorf("got %v, %d tokens", err, tokens.asked.Load())
	}
	refused.Store("all")
	_, err := c.Write(context.Background(), request("m", 1))
	var answer *promwire.HTTPError
	if !errors.As(err, &answer) || answer.StatusCode != http.StatusUnauthorized || tokens.asked.Load() != 3 {
		t.Errorf("got %v, %d tokens", err, tokens.asked.Load())
	}
}

func TestOAuth2SlowEndpoint(t *testing.T) {
	release := make(chan struct{})
	slow := newServer(t, func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		select {
		case <-req.Context().Done():
		case <-release:
		}
	})
	defer close(release)
	c := newWriteClient(t, "http://127.0.0.1:1/", WithoutRetry(), WithOAuth2(OAuth2{
		TokenURL: slow, ClientID: "id", ClientSecret: "s", Timeout: 10 * time.Millisecond,
	}))
	if _, err := c.Write(context.Background(), request("m", 1)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
