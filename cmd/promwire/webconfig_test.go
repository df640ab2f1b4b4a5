package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/remote"
)

// TestWebConfig serves with TLS and passwords: nothing is answered without them, and certificates can be replaced.
func TestWebConfig(t *testing.T) {
	dir := t.TempDir()
	writeCertificate(t, dir, 1)
	hash, err := bcrypt.GenerateFromPassword([]byte("open sesame"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf("tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\nbasic_auth_users:\n  ali: %s\n", hash)
	path := filepath.Join(dir, "web.yml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startServe(t, dir, "--web.config.file", path)
	u, err := url.Parse(p.url)
	if err != nil || u.Scheme != "https" {
		t.Fatalf("%s, %v", p.url, err)
	}
	for _, path := range []string{"/-/healthy", "/-/ready", "/api/v1/write", "/api/v1/read", "/metrics", "/anything", "/"} {
		if code, _ := getTLS(t, dir, p.url+path, nil); code != http.StatusUnauthorized {
			t.Errorf("%s without a password: %d", path, code)
		}
		if code, _ := getTLS(t, dir, p.url+path, url.UserPassword("ali", "wrong")); code != http.StatusUnauthorized {
			t.Errorf("%s with a wrong password: %d", path, code)
		}
	}
	ali := url.UserPassword("ali", "open sesame")
	if code, serial := getTLS(t, dir, p.url+"/-/ready", ali); code != http.StatusOK || serial != 1 {
		t.Errorf("ready: %d, certificate %d", code, serial)
	}
	writeOverTLS(t, dir, p, 1)
	checkReady(t, dir, p.url)
	writeCertificate(t, dir, 2)
	if code, serial := getTLS(t, dir, p.url+"/-/ready", ali); code != http.StatusOK || serial != 2 {
		t.Errorf("after the certificate was replaced: %d, certificate %d", code, serial)
	}
	writeOverTLS(t, dir, p, 2)
}

// checkReady asks by the command whether a server with passwords and a certificate of its own is ready.
func checkReady(t *testing.T, dir, url string) {
	t.Helper()
	withUser := strings.Replace(url, "https://", "https://ali:open%20sesame@", 1)
	for _, c := range []struct {
		url, env, flag, want string
	}{
		{withUser, "", "", "failed to verify certificate"},
		{withUser, "", "", "Hint: SSL_CERT_FILE=FILE"},
		{withUser, "SSL_CERT_FILE=" + filepath.Join(dir, "cert.pem"), "", url + " is ready"},
		{withUser, "", "--insecure", " is ready"},
		{url, "", "--insecure", "it answered 401 Unauthorized"},
	} {
		cmd := exec.Command("promwire", "ready", "--url", c.url)
		if c.flag != "" {
			cmd.Args = append(cmd.Args, c.flag)
		}
		cmd.Env = append(os.Environ(), c.env)
		out, err := cmd.CombinedOutput()
		if !strings.Contains(string(out), c.want) || (err == nil) != strings.HasSuffix(c.want, "is ready") || strings.Contains(string(out), "sesame") {
			t.Errorf("%v: %v, %s", cmd.Args, err, out)
		}
	}
}

func writeOverTLS(t *testing.T, dir string, p *process, v float64) {
	t.Helper()
	client, err := remote.NewWriteClient(p.write, remote.WithBasicAuth("ali", "open sesame"),
		remote.WithTLS(remote.TLS{CAFile: filepath.Join(dir, "cert.pem")}))
	if err != nil {
		t.Fatal(err)
	}
	req := &promwire.WriteRequest{Timeseries: []promwire.TimeSeries{{
		Labels: promwire.LabelsFromStrings("__name__", "m"), Samples: []promwire.Sample{{Timestamp: time.Now().UnixMilli(), Value: v}},
	}}}
	if _, err := client.Write(t.Context(), req); err != nil {
		t.Error(err)
	}
}

// getTLS gets a URL over a new connection that trusts the certificate in dir, and returns the status and the serial number
// of the certificate.
func getTLS(t *testing.T, dir, target string, user *url.Userinfo) (code int, serial int64) {
	t.Helper()
	cert, err := os.ReadFile(filepath.Join(dir, "cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots}}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.URL.User = user
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode, resp.TLS.PeerCertificates[0].SerialNumber.Int64()
}

// writeCertificate writes cert.pem and key.pem for 127.0.0.1.
func writeCertificate(t *testing.T, dir string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: cert}, "key.pem": {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
