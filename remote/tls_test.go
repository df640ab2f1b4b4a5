package remote

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/promwire/promwire"
)

// certificates makes an authority and certificates of it in dir.
type certificates struct {
	t   testing.TB
	dir string
	ca  *x509.Certificate
	key *ecdsa.PrivateKey
}

func newCertificates(t testing.TB) *certificates {
	c := &certificates{t: t, dir: t.TempDir()}
	c.key = c.newKey()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &c.key.PublicKey, c.key)
	if err != nil {
		t.Fatal(err)
	}
	if c.ca, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	c.write("ca.pem", "CERTIFICATE", der)
	return c
}

func (c *certificates) newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		c.t.Fatal(err)
	}
	return key
}

func (c *certificates) path(name string) string { return filepath.Join(c.dir, name) }

func (c *certificates) write(name, kind string, der []byte) {
	writeFile(c.t, c.path(name), string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
}

// issue writes name.pem and name.key for this host name or person.
func (c *certificates) issue(name, subject string) {
	key := c.newKey()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: subject}, DNSNames: []string{subject},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, c.ca, &key.PublicKey, c.key)
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(name+".pem", "CERTIFICATE", der)
	if der, err = x509.MarshalECPrivateKey(key); err != nil {
		c.t.Fatal(err)
	}
	c.write(name+".key", "EC PRIVATE KEY", der)
}

// tlsServer answers with HTTP/2 and keeps who came last, and how.
func tlsServer(t testing.TB, certs *certificates, change func(*tls.Config)) (rawURL string, seen *atomic.Value) {
	seen = &atomic.Value{}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		who := "nobody"
		if len(req.TLS.PeerCertificates) > 0 {
			who = req.TLS.PeerCertificates[0].Subject.CommonName
		}
		seen.Store(fmt.Sprintf("%s %s %s", who, req.Proto, tls.VersionName(req.TLS.Version)))
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // failed handshakes are what is tested
	pair, err := tls.LoadX509KeyPair(certs.path("server.pem"), certs.path("server.key"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(certs.ca)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool}
	if change != nil {
		change(srv.TLS)
	}
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv.URL, seen
}

func TestTLS(t *testing.T) {
	certs := newCertificates(t)
	certs.issue("server", "metrics.example")
	certs.issue("client", "first")
	ca := certs.path("ca.pem")
	mutual := func(c *tls.Config) { c.ClientAuth = tls.RequireAndVerifyClientCert }
	old := func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }
	pair := TLS{CAFile: ca, ServerName: "metrics.example", CertFile: certs.path("client.pem"), KeyFile: certs.path("client.key")}
	tests := []struct {
		name   string
		server func(*tls.Config)
		tls    TLS
		want   string // "" for an error
	}{
		{"authority and name", nil, TLS{CAFile: ca, ServerName: "metrics.example"}, "nobody HTTP/2.0 TLS 1.3"},
		{"unknown authority", nil, TLS{ServerName: "metrics.example"}, ""},
		{"other name", nil, TLS{CAFile: ca}, ""},
		{"no verification", nil, TLS{InsecureSkipVerify: true}, "nobody HTTP/2.0 TLS 1.3"},
		{"old version", old, TLS{CAFile: ca, ServerName: "metrics.example"}, "nobody HTTP/2.0 TLS 1.2"},
		{"too old", old, TLS{CAFile: ca, ServerName: "metrics.example", MinVersion: tls.VersionTLS13}, ""},
		{"mutual", mutual, pair, "first HTTP/2.0 TLS 1.3"},
		{"mutual, without a certificate", mutual, TLS{CAFile: ca, ServerName: "metrics.example"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			address, seen := tlsServer(t, certs, tt.server)
			c := newWriteClient(t, address, WithMessageType(v1), WithTLS(tt.tls), WithoutRetry())
			_, err := c.Write(context.Background(), request("m", 1))
			if got, _ := seen.Load().(string); got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
	t.Run("replaced certificate", func(t *testing.T) {
		address, seen := tlsServer(t, certs, mutual)
		c := newWriteClient(t, address, WithMessageType(v1), WithTLS(pair))
		for _, who := range []string{"second", "third"} {
			certs.issue("client", who)
			c.CloseIdleConnections()
			if _, err := c.Write(context.Background(), request("m", 1)); err != nil || !strings.HasPrefix(seen.Load().(string), who) {
				t.Errorf("got %v, %v, want %s", seen.Load(), err, who)
			}
		}
	})
}

// TestUntrusted demands that a certificate that does not hold is not tried again, but may be by those who wait for days.
func TestUntrusted(t *testing.T) {
	certs := newCertificates(t)
	certs.issue("server", "metrics.example")
	for name, opts := range map[string]TLS{
		"unknown authority": {ServerName: "metrics.example"}, "other name": {CAFile: certs.path("ca.pem")},
	} {
		address, _ := tlsServer(t, certs, nil)
		tried := 1
		c := newWriteClient(t, address, WithTLS(opts), WithRetry(RetryOptions{MaxAttempts: -1, OnRetry: func(Retry) { tried++ }}))
		if _, err := c.Write(t.Context(), request("m", 1)); tried != 1 || !promwire.Retryable(err) {
			t.Errorf("%s: tried %d times, %v", name, tried, err)
		}
	}
}

func TestTLSRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.pem")
	writeFile(t, file, "no certificate")
	for want, opts := range map[string][]WriteOption{
		"no such file":    {WithTLS(TLS{CAFile: file + "x"})},
		"no certificate":  {WithTLS(TLS{CAFile: file})},
		"both CertFile":   {WithTLS(TLS{CertFile: file})},
		"client cert":     {WithTLS(TLS{CertFile: file, KeyFile: file})},
		"unknown version": {WithTLS(TLS{MinVersion: 0x9999})},
		"WithHTTPClient":  {WithTLS(TLS{}), WithHTTPClient(http.DefaultClient)},
		"full URL":        {WithProxy("proxy:3128")},
		"scheme":          {WithProxy("ftp://proxy")},
	} {
		if _, err := NewWriteClient("https://host/", opts...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestProxy(t *testing.T) {
	var through atomic.Int64
	proxy := newServer(t, func(w http.ResponseWriter, req *http.Request) {
		through.Add(1)
		_, _ = io.Copy(io.Discard, req.Body)
		if req.URL.Host != "metrics.invalid" || !strings.HasPrefix(req.Header.Get("Proxy-Authorization"), "Basic ") {
			t.Errorf("proxy got %s, %v", req.URL, req.Header)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	withUser, err := url.Parse(proxy)
	if err != nil {
		t.Fatal(err)
	}
	withUser.User = url.UserPassword("u", "secret")
	c := newWriteClient(t, "http://metrics.invalid/write", WithMessageType(v1), WithProxy(withUser.String()))
	if _, err := c.Write(context.Background(), request("m", 1)); err != nil || through.Load() != 1 {
		t.Errorf("got %v, %d requests", err, through.Load())
	}
	direct := newWriteClient(t, proxy, WithProxy(""))
	if got, err := direct.client.Transport.(*http.Transport).Proxy(&http.Request{URL: withUser}); got != nil || err != nil {
		t.Errorf("none: got %v, %v", got, err)
	}
}
