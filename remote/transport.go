package remote

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
)

// TLS says how a client speaks TLS. The zero value is that of net/http: the system's certificate authorities, TLS 1.2 or
// newer.
type TLS struct {
	// CAFile holds the certificates of authorities to trust in place of the system's, in PEM.
	CAFile string
	// CertFile and KeyFile are the client's own certificate and key, in PEM. They are read for each new connection, so
	// that they can be replaced.
	CertFile, KeyFile string
	// ServerName is the name that the server's certificate must hold, if it is not that of the URL.
	ServerName string
	// MinVersion is the oldest version to speak, such as [tls.VersionTLS13]. Default TLS 1.2.
	MinVersion uint16
	// InsecureSkipVerify takes any certificate. Whoever is between the client and the server can read and change
	// everything, credentials included.
	InsecureSkipVerify bool
}

// WithTLS sets how the client speaks TLS. It fails if a file cannot be read. With [WithHTTPClient], whose transport has
// its own settings, it is an error.
func WithTLS(t TLS) Option {
	return func(e *endpoint) error {
		config, err := t.config()
		if err != nil {
			return fmt.Errorf("remote: WithTLS: %w", err)
		}
		e.tls = config
		return nil
	}
}

func (t TLS) config() (*tls.Config, error) {
	c := &tls.Config{
		ServerName: t.ServerName, MinVersion: max(t.MinVersion, tls.VersionTLS12),
		InsecureSkipVerify: t.InsecureSkipVerify, //nolint:gosec // asked for
	}
	if t.MinVersion > tls.VersionTLS13 {
		return nil, fmt.Errorf("unknown version 0x%04x", t.MinVersion)
	}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, err
		}
		if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM", t.CAFile)
		}
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		return nil, errors.New("give both CertFile and KeyFile, or neither")
	}
	if t.CertFile == "" {
		return c, nil
	}
	load := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("client certificate: %w", err)
		}
		return &pair, nil
	}
	if _, err := load(nil); err != nil {
		return nil, err
	}
	c.GetClientCertificate = load
	return c, nil
}

// WithProxy sends requests through a proxy, such as http://proxy:3128 or socks5://proxy:1080; "" means none. User and
// password in it are sent to the proxy. Default: what the environment says (HTTP_PROXY, HTTPS_PROXY, NO_PROXY; see
// [http.ProxyFromEnvironment]). With [WithHTTPClient] it is an error.
func WithProxy(proxyURL string) Option {
	return func(e *endpoint) error {
		if proxyURL == "" {
			e.proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
			return nil
		}
		u, err := url.Parse(proxyURL)
		if err != nil || u.Host == "" {
			return errors.New("remote: WithProxy: not a full URL, such as http://proxy:3128")
		}
		switch u.Scheme {
		case "http", "https", "socks5", "socks5h":
		default:
			return fmt.Errorf("remote: WithProxy: scheme %q, want http, https or socks5", u.Scheme)
		}
		e.proxy = http.ProxyURL(u)
		return nil
	}
}

// writeBuffer lets a connection send usual requests in few calls to the system, in bytes.
const writeBuffer = 64 << 10

// newHTTPClient returns a client with connections of its own: the settings of http.DefaultTransport, proxies from the
// environment included, and more idle connections to the one host. config and proxy may be nil.
func newHTTPClient(config *tls.Config, proxy func(*http.Request) (*url.URL, error)) (*http.Client, error) {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok { // the program has replaced it, and means it
		if config != nil || proxy != nil {
			return nil, errors.New("remote: http.DefaultTransport was replaced: set TLS and proxy there, or give WithHTTPClient")
		}
		return &http.Client{}, nil
	}
	t = t.Clone()
	t.MaxIdleConnsPerHost = t.MaxIdleConns
	t.WriteBufferSize = max(t.WriteBufferSize, writeBuffer)
	t.DisableCompression = true // bodies have encodings of their own
	if config != nil {
		t.TLSClientConfig = config.Clone()
		t.ForceAttemptHTTP2 = true // net/http leaves it out next to a configuration
	}
	if proxy != nil {
		t.Proxy = proxy
	}
	return &http.Client{Transport: t}, nil
}
