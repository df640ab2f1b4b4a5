package cli

import (
	"bytes"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWebConfigErrors holds what is wrong with a file against what is said: the file, the line or the name.
func TestWebConfigErrors(t *testing.T) {
	for content, want := range map[string]string{
		"tls_server_config:\n  cert_file: gone.pem\n  key_file: gone.key\n": "gone.pem",
		"tls_server_config:\n  cert_file: gone.pem\n":                       "key_file",
		"basic_auth_users:\n  alice: secret\n":                              `password of "alice"`,
		"\nbasic_auth: {}\n":                                                "line 2",
		"tls_server_config:\n  min_version: SSL3\n":                         "unknown TLS version",
		"http_server_config: {headers: {Foo: bar}}":                         `"Foo"`,
	} {
		path := filepath.Join(t.TempDir(), "web.yml")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		err := (&webConfig{file: path}).load()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), path) != 1 {
			t.Errorf("%q: %v, want %s", content, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error shows a password: %v", content, err)
		}
	}
	gone := filepath.Join(t.TempDir(), "gone.yml")
	if err := (&webConfig{file: gone}).load(); err == nil || strings.Count(err.Error(), gone) != 1 {
		t.Errorf("a file that is not there: %v", err)
	}
}

// TestOpenListener checks who is warned of what.
func TestOpenListener(t *testing.T) {
	const nobody, clear = "there is no authentication", "passwords come without TLS"
	for _, c := range []struct {
		ip   string
		web  webConfig
		want string
	}{
		{"192.0.2.1", webConfig{}, nobody},
		{"192.0.2.1", webConfig{tls: true}, nobody},
		{"192.0.2.1", webConfig{authenticated: true, passwords: true}, clear},
		{"192.0.2.1", webConfig{authenticated: true, passwords: true, tls: true}, ""},
		{"192.0.2.1", webConfig{authenticated: true, tls: true}, ""},
		{"127.0.0.1", webConfig{}, ""},
	} {
		var log bytes.Buffer
		c.web.warnIfOpen(fakeListener{ip: net.ParseIP(c.ip)}, slog.New(slog.NewTextHandler(&log, nil)))
		if got := log.String(); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q, want %q", c, got, c.want)
		}
	}
}

type fakeListener struct {
	net.Listener
	ip net.IP
}

func (l fakeListener) Addr() net.Addr { return &net.TCPAddr{IP: l.ip, Port: 9201} }
