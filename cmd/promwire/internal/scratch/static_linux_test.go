package scratch

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"debug/elf"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestStaticBinary demands that the program needs no loader and no library, and tells its size.
func TestStaticBinary(t *testing.T) {
	file, err := elf.Open(binary(t))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the binary is linked dynamically: it has %v", p.Type)
		}
	}
	info, err := os.Stat(binary(t))
	if err != nil {
		t.Fatal(err)
	}
	const most = 60 << 20
	if info.Size() > most {
		t.Errorf("the binary has %d MB, docs/operations.md says 51", info.Size()>>20)
	}
	t.Logf("the binary has %.1f MB", float64(info.Size())/(1<<20))
}

// TestStaticRoot serves, pushes and queries in an empty root.
func TestStaticRoot(t *testing.T) {
	r := newRoot(t)
	s := r.serve(t)
	r.run(t, 0, s.url+" is ready", nil, "ready", "--url", s.url, "--wait", "30s")
	write := s.url + "/api/v1/write"
	r.run(t, 0, "samples written: 1", nil, "push", "--url", write, "jobs_total", "5", "--type", "counter", "--time", "-5m")
	r.run(t, 0, "samples written: 1", nil, "push", "--url", write, "now_total", "7")
	r.run(t, 0, "now_total  7", []string{"TZ=Europe/Berlin"}, "query", "--url", s.url, "now_total") // there are no time zones
	r.run(t, 0, "{}", nil, "query", "--url", s.url, "hour()")
	r.run(t, 0, "now_total 7", nil, "read", "--url", s.url+"/api/v1/read", "--match", "now_total")
	for path, want := range map[string]string{
		"/": "<title>promwire</title>", "/metrics": "promwire_build_info", "/ui/status": `"dir":"/data"`,
		"/api/v1/status/runtimeinfo": `"CWD":"/"`,
	} {
		if text := get(t, s.url+path); !strings.Contains(text, want) {
			t.Errorf("%s has no %q: %.300s", path, want, text)
		}
	}
	r.checkErrors(t, write)
	s.end(t)
	s = r.serve(t, "--start-timestamps")
	r.run(t, 0, "now_total  7", nil, "query", "--url", s.url, "now_total")
	s.end(t)
}

// checkErrors demands that what can't go well in such a root says why.
func (r *root) checkErrors(t *testing.T, write string) {
	t.Helper()
	r.run(t, 1, "mkdir /other: permission denied", nil, "serve", "--listen", "127.0.0.1:0", "--data", "/other")
	r.run(t, 1, "/data is in use by another process", nil, "serve", "--listen", "127.0.0.1:0", "--data", "/data")
	r.run(t, 2, "open /web.yml: no such file or directory", nil, "serve", "--listen", "127.0.0.1:0", "--data", "/data", "--web.config.file", "/web.yml")
	var many strings.Builder
	for range 50_000 {
		many.WriteString("m{l=\"some value or other\"} 1 1772366400000\n")
	}
	r.write(t, "many.txt", []byte(many.String()))
	// There is no /tmp.
	r.run(t, 1, "choose a place for them with --temp-dir", nil, "push", "--url", write, "--file", "/data/many.txt", "--memory", "1MB", "--dry-run")
	r.run(t, 0, "", nil, "push", "--url", write, "--file", "/data/many.txt", "--memory", "1MB", "--dry-run", "--temp-dir", "/data")
}

// TestStaticTLS serves with a certificate, and pushes as a client that trusts the CA of a file.
func TestStaticTLS(t *testing.T) {
	r := newRoot(t)
	cert, key := certificate(t)
	r.write(t, "cert.pem", cert)
	r.write(t, "key.pem", key)
	r.write(t, "web.yml", []byte("tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n"))
	s := r.serve(t, "--web.config.file", "/data/web.yml")
	if !strings.HasPrefix(s.url, "https://") {
		t.Fatal(s.url)
	}
	trust := []string{"SSL_CERT_FILE=/data/cert.pem"}
	write := s.url + "/api/v1/write"
	r.run(t, 0, " is ready", trust, "ready", "--url", s.url, "--wait", "30s")
	r.run(t, 0, "samples written: 1", trust, "push", "--url", write, "a_total", "1")
	r.run(t, 0, "a_total  1", trust, "query", "--url", s.url, "a_total")
	r.run(t, 1, "Hint: SSL_CERT_FILE=FILE", nil, "ready", "--url", s.url) // without a CA
	r.run(t, 1, "Hint: SSL_CERT_FILE=FILE", nil, "push", "--url", write, "a_total", "1")
	s.end(t)
}

// write puts a file into /data.
func (r *root) write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, "data", name), content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("%s: %d, %v", url, resp.StatusCode, err)
	}
	return string(text)
}

// certificate makes one for 127.0.0.1 that is its own CA.
func certificate(t *testing.T) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}
