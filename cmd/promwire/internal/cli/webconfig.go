package cli

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"

	"github.com/prometheus/exporter-toolkit/web"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v2"
	"golang.org/x/crypto/bcrypt"
)

// webConfig is the ecosystem's file for TLS and authentication, what it says of the listener, and by which names it may be asked.
type webConfig struct {
	file          string
	tls           bool
	authenticated bool // nobody gets in without a password or a certificate
	passwords     bool
	hosts         hostFlags
}

func (c *webConfig) register(flags *pflag.FlagSet) {
	flags.StringVar(&c.file, "web.config.file", "", "`FILE` of TLS and authentication, as all programs around Prometheus have it; read again for new connections")
	c.hosts.register(flags)
}

// load checks the file with all that it names, and the other flags.
func (c *webConfig) load() error {
	if err := c.hosts.check(); err != nil {
		return err
	}
	if c.file == "" {
		return nil
	}
	parsed, err := readWebConfig(c.file)
	var path *fs.PathError
	if errors.As(err, &path) && path.Path == c.file {
		return usagef("--web.config.file: %w", err)
	}
	if err != nil {
		return usagef("--web.config.file: %s: %w", c.file, err)
	}
	c.tls = parsed.TLSConfig.IsEnabled()
	c.passwords = len(parsed.Users) > 0
	verified := []string{"RequireAndVerifyClientCert"}
	c.authenticated = c.passwords || c.tls && slices.Contains(verified, parsed.TLSConfig.ClientAuth)
	return nil
}

func readWebConfig(path string) (*web.Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	parsed := &web.Config{TLSConfig: web.TLSConfig{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS13}}
	if err := yaml.UnmarshalStrict(data, parsed); err != nil {
		return nil, err
	}
	for user, hash := range parsed.Users {
		if _, err := bcrypt.Cost([]byte(hash)); err != nil {
			return nil, fmt.Errorf("basic_auth_users: the password of %q is no bcrypt hash, which htpasswd -nB makes: %w", user, err)
		}
	}
	return parsed, web.Validate(path)
}

func (c *webConfig) scheme() string {
	if c.tls {
		return "https"
	}
	return "http"
}

// serve serves until the server is shut down, as the file says.
func (c *webConfig) serve(ln net.Listener, srv *http.Server, logger *slog.Logger) error {
	if c.file == "" {
		return srv.Serve(ln)
	}
	return web.Serve(ln, srv, &web.FlagConfig{WebConfigFile: &c.file}, logger)
}

// warnIfOpen warns of a listener beyond the loopback interface that everybody, or everybody who listens, can use.
func (c *webConfig) warnIfOpen(ln net.Listener, logger *slog.Logger) {
	tcp, ok := ln.Addr().(*net.TCPAddr)
	switch {
	case !ok || tcp.IP.IsLoopback():
	case !c.authenticated:
		logger.Warn("listening beyond the loopback interface, and there is no authentication", "address", ln.Addr().String())
	case c.passwords && !c.tls:
		logger.Warn("listening beyond the loopback interface, and passwords come without TLS", "address", ln.Addr().String())
	}
}
