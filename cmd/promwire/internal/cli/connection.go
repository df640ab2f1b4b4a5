package cli

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/gateway"
	"github.com/promwire/promwire/remote"
)

// connection are the flags of commands that speak to a server.
type connection struct {
	url     string
	headers []string
	timeout duration
	// wrap is put around the transport, if it is set.
	wrap func(http.RoundTripper) http.RoundTripper
}

func (c *connection) register(flags *pflag.FlagSet, path string, timeout time.Duration) {
	c.timeout = duration(timeout)
	flags.StringVar(&c.url, "url", "", "the full endpoint `URL`, as in prometheus.yml, like http://127.0.0.1:9201"+path)
	flags.StringArrayVar(&c.headers, "header", nil, "extra header `NAME: VALUE`, like 'X-Scope-OrgID: tenant' (repeatable)")
	flags.Var(&c.timeout, "timeout", "how long to wait for the server; 0: for ever")
}

// options returns the options of the client. The transport is of this command only.
func (c *connection) options() ([]remote.Option, error) {
	if err := require("url", c.url); err != nil {
		return nil, err
	}
	var transport http.RoundTripper = http.DefaultTransport.(*http.Transport).Clone()
	if c.wrap != nil {
		transport = c.wrap(transport)
	}
	opts := []remote.Option{
		remote.WithHTTPClient(&http.Client{Transport: transport}),
		remote.WithTimeout(time.Duration(c.timeout)),
	}
	for _, h := range c.headers {
		name, value, err := cutHeader(h)
		if err != nil {
			return nil, err
		}
		opts = append(opts, remote.WithHeader(name, value))
	}
	return opts, nil
}

// exports reports whether the URL is that of an export of VictoriaMetrics.
func (c *connection) exports() bool {
	u, err := url.Parse(c.url)
	return err == nil && strings.HasSuffix(u.Path, gateway.ExportPath)
}

// exportReader reads from it.
func (c *connection) exportReader() (promwire.Reader, error) {
	header := http.Header{}
	for _, h := range c.headers {
		name, value, err := cutHeader(h)
		if err != nil {
			return nil, err
		}
		header.Add(name, value)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	r, err := gateway.NewExportReader(c.url, gateway.Connection{Transport: transport, Header: header}, time.Duration(c.timeout), "")
	if err != nil {
		return nil, &usageError{err}
	}
	return r, nil
}

// parseBase parses the --url of commands that want no full endpoint.
func parseBase(base string) (*url.URL, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usagef("--url %q: want http://HOST:PORT or https://HOST:PORT", base)
	}
	return u, nil
}

// cutHeader cuts what --header takes.
func cutHeader(h string) (name, value string, err error) {
	name, value, found := strings.Cut(h, ":")
	if !found {
		return "", "", usagef("--header %q: want 'NAME: VALUE'", h)
	}
	return strings.TrimSpace(name), strings.TrimSpace(value), nil
}
